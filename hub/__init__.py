"""Ingestion, grid events, the closed loop, the console, tuning."""
