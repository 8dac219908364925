"""The parameter by which an engineer chooses how a detector's scores are confirmed."""

from __future__ import annotations

from typing import Any

from contract.rule_text import check_rule
from detectors.kit.params import param


def confirmation() -> Any:
    """A field for the text of a rule; empty is the detector's own. See contract/rule_text.py."""
    return param(
        "",
        check=check_rule,
        text="How scores are confirmed, as `window_sum n=8 c=4` or what `gridwarden learn-rule` "
        "gave; empty: the detector's own rule",
    )
