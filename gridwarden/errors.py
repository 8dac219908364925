"""The errors of the command line and the embedded parts.

GridwardenError
├── StartError (RuntimeError)      something the demo needs cannot be started
│   ├── DatabaseError              the embedded PostgreSQL
│   ├── BrokerError                the embedded MQTT broker
│   └── DataFolderError            the data folder is of another version, or in use
└── BackupError (RuntimeError)     a backup cannot be taken or restored
"""

from __future__ import annotations

from contract.errors import GridwardenError


class StartError(GridwardenError, RuntimeError):
    """Something cannot be started; the message says what to do."""


class DatabaseError(StartError):
    """The embedded PostgreSQL cannot be started or reached."""


class BrokerError(StartError):
    """The embedded broker cannot be started."""


class DataFolderError(StartError):
    """The data folder is of another version, not ours, or in use."""


class BackupError(GridwardenError, RuntimeError):
    """A backup cannot be taken or restored; nothing of what is in use was changed."""
