"""Rendered scenes: backgrounds drawn once, what moves drawn over a copy for every frame."""
