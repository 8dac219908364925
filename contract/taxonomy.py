"""The nine top categories, severities and lanes: words both sides use for the same thing."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """The nine top categories of grid events."""

    PUBLIC_SECURITY = "public_security"
    URBAN_MANAGEMENT = "urban_management"
    FIRE_SAFETY = "fire_safety"
    TRAFFIC_SAFETY = "traffic_safety"
    ENVIRONMENTAL_SAFETY = "environmental_safety"
    LETTERS_AND_VISITS = "letters_and_visits"
    ETHNIC_AND_RELIGIOUS_AFFAIRS = "ethnic_and_religious_affairs"
    LAND_SUPERVISION = "land_supervision"
    PEOPLES_LIVELIHOOD = "peoples_livelihood"


class Severity(StrEnum):
    """How soon something must be dealt with."""

    S1 = "S1"  # emergency: flame, gas, collapse
    S2 = "S2"  # urgent: open burning, flooded road, blocked fire lane
    S3 = "S3"  # ordinary: parking, overflow, dust, litter
    S4 = "S4"  # slow: facility, structure


class Lane(StrEnum):
    """A sequence of records of one kind from one agent; the first drains first."""

    DETECTION = "detection"
    EVIDENCE = "evidence"
    READING = "reading"
    SCORE = "score"
    HEALTH = "health"


class Phase(StrEnum):
    """Where an episode stands."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"


class CameraState(StrEnum):
    """What is known of a camera, with since when."""

    CONNECTING = "connecting"
    ONLINE = "online"
    STALE = "stale"  # connected, no frame for longer than it should be
    FROZEN = "frozen"  # frames arrive, all with the same picture
    DARK = "dark"
    COVERED = "covered"
    MOVED = "moved"
    DEFOCUSED = "defocused"
    NOISY = "noisy"
    CORRUPTED = "corrupted"  # frames arrive, in pieces
    LOST = "lost"  # no connection
    ENDED = "ended"  # a file that was played to its end


class SensorState(StrEnum):
    """What is known of a source of readings, with since when."""

    CONNECTING = "connecting"
    ONLINE = "online"
    LOST = "lost"  # no connection; it tries again by itself
    ENDED = "ended"  # closed, or a recording that was played to its end
