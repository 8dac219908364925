"""The Numenta Anomaly Benchmark: corpus, published scoring, and our detector beside the table."""
