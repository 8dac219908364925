"""Grid, units, people and what is on record: docs/registry.md."""
