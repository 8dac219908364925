"""Proof by destruction: real parts, killed at random, and every record accounted for afterwards."""
