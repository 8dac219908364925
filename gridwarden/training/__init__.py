"""Trains what ships with weights. Needs the extra `training`; nothing that runs imports it."""
