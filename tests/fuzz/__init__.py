"""Hostile messages against the real ingestion: `make fuzz`, and a small share in the tests."""
