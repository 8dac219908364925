"""What leaves the hub, and what other systems send it: docs/speaking-to-others.md."""
