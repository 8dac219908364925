"""Pixels or readings in, observations and measurements out. No MQTT, no database, no HTTP."""
