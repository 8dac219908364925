"""Which detectors over readings there are. Apart from those over frames: they see other things."""

from __future__ import annotations

from detectors.kit.reading_protocol import ReadingDetector
from detectors.kit.registry import Registry

_over_readings: Registry[ReadingDetector] = Registry("reading detector")
register_reading = _over_readings.register
available = _over_readings.available
reading_detector = _over_readings.named
