"""What an MQTT broker does with what the hub and the agents count on."""
