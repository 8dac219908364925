"""Who may speak to the broker: agents' credentials, the local authority, Mosquitto's files."""
