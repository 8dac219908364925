"""What edge and hub agree on: messages, topics, taxonomy, geometry, rules. A leaf without I/O."""
