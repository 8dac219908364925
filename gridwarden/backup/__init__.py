"""Backup and restore of a hub: its database and its evidence, in one file."""
