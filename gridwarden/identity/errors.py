"""The errors of identities.

GridwardenError
└── IdentityError (RuntimeError)   credentials cannot be given, taken back or written down
"""

from __future__ import annotations

from contract.errors import GridwardenError


class IdentityError(GridwardenError, RuntimeError):
    """Credentials cannot be given, taken back or written down; the message says what to do."""
