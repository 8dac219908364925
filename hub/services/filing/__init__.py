"""What files an event by itself, and what keeps it from that: docs/filing-by-itself.md."""
