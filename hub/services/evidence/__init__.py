"""Pictures and clips: handed in, held, erased: docs/evidence.md."""
