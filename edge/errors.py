"""The errors of the edge.

GridwardenError
├── ConfigError (ValueError)     settings are missing, unknown or out of range
├── SourceError (OSError)        a camera or file cannot be played
└── SpoolError (OSError)         the spool cannot do what was asked
    ├── SpoolFullError           no room on the disk: nothing of the append was taken
    └── SpoolBehindError         the hub has more of this boot than the spool ever gave out
"""

from __future__ import annotations

from contract.errors import GridwardenError


class ConfigError(GridwardenError, ValueError):
    """Settings are missing, unknown or out of range."""


class SourceError(GridwardenError, OSError):
    """A camera or file cannot be played."""


class SpoolError(GridwardenError, OSError):
    """The spool cannot do what was asked."""


class SpoolFullError(SpoolError):
    """There is no room on the disk; nothing of the append was taken."""


class SpoolBehindError(SpoolError):
    """The hub has more of this boot than the spool ever gave out: an older copy was put back."""
