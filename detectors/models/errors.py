"""What can be wrong with a model file.

ModelError (ValueError)         a model file cannot be used
└── UnsafeModelError            it would run code, or eat memory, that no model needs
"""

from __future__ import annotations

from contract.errors import GridwardenError


class ModelError(GridwardenError, ValueError):
    """A model file cannot be used; the message names it, the reason and the way out."""


class UnsafeModelError(ModelError):
    """A model file was refused before anything in it was run."""
