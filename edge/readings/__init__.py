"""Sensors and foreign systems: what they publish becomes readings and detections of ours.

`source` is the seam, `adapter` what every adapter is, one module for each system beside them.
"""
