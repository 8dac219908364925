"""The parameter by which an engineer chooses how a detector's scores are confirmed."""

from __future__ import annotations

from typing import Any

from contract.rule_text import check_rule, chosen_rule
from contract.rules import ConfirmationRule, KOfN
from contract.share_of_time import ShareOfTime
from contract.sustained import Sustained
from detectors.kit.params import param


def confirmation() -> Any:
    """A field for the text of a rule; empty is the detector's own. See contract/rule_text.py."""
    return param(
        "",
        check=check_rule,
        text="How scores are confirmed, as `window_sum n=8 c=4` or what `gridwarden learn-rule` "
        "gave; empty: the detector's own rule",
    )


def lasting_rule(text: str, own: Sustained | ShareOfTime, sample_fps: float) -> ConfirmationRule:
    """A fresh rule of that text, `own` where it is empty.

    What the text leaves out is `own` counted in samples: those within its duration.
    """
    if not text.split():
        return own.build()
    n = max(1, round(own.duration_s * sample_fps))
    k = max(1, round(n * own.share)) if isinstance(own, ShareOfTime) else n
    return chosen_rule(text, KOfN(k, n, own.threshold, own.hold_ratio, own.max_gap_s))
