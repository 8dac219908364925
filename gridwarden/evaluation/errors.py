"""The errors of measuring.

GridwardenError
└── EvaluationError (ValueError)     a clip, a label or a recording cannot be used
    ├── LabelError                   a labels file, or a field in it
    ├── RecordingError               a recording is not ours, or cannot answer what is asked
    └── NothingToDoError             no clip has anything for the detectors
"""

from __future__ import annotations

from contract.errors import GridwardenError


class EvaluationError(GridwardenError, ValueError):
    """Something cannot be measured; the message says what and what to do."""


class LabelError(EvaluationError):
    """A labels file is missing or a field in it does not fit."""


class RecordingError(EvaluationError):
    """A recording is not one, or cannot answer what is asked of it."""


class NothingToDoError(EvaluationError):
    """No clip has anything that the detectors asked for could do."""
