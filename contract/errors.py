"""The errors of the contract.

GridwardenError                    root of every package's tree
└── ContractError (ValueError)     something does not follow the contract
    ├── TopicError                 a topic is not of our shape
    ├── EnvelopeError              no readable identity: quarantined by hash
    └── RecordError                identity known, content refused: quarantined by sequence
"""

from __future__ import annotations


class GridwardenError(Exception):
    """Root of all errors that name the thing, the value and the way out."""


class ContractError(GridwardenError, ValueError):
    """A message, topic or value does not follow the contract."""


class TopicError(ContractError):
    """A topic is not of the shape `gw/v1/{station}/{up|dn}/{agent}/{kind}`."""


class EnvelopeError(ContractError):
    """A payload carries no readable identity."""


class RecordError(ContractError):
    """A record whose sequence number is known is refused for its content."""
