"""A confirmation rule as a parameter: one line of text, so that a command can change it.

    k_of_n k=5 n=8 threshold=0.5 hold=0.8
    window_sum n=8 c=4 hold=0.8
    cusum bar=6 hold=0.5 ratios=0.05:-1.2,0.45:0.1,0.85:2.1

`gap=` is the longest gap in seconds that samples may lie apart. What is left out of k_of_n and
window_sum is taken from the rule that the detector has otherwise, so its threshold still tunes it;
only the window is as long as `k` or `c` need at least.
"""

from __future__ import annotations

import difflib
import math

from contract.cusum import Cusum, Ratios
from contract.rules import ConfirmationRule, KOfN
from contract.window_sum import WindowSum

RuleSettings = KOfN | WindowSum | Cusum
MOST_SAMPLES = 99999

SETTINGS: dict[str, tuple[str, ...]] = {
    "k_of_n": ("k", "n", "threshold", "hold", "gap"),
    "window_sum": ("n", "c", "hold", "gap"),
    "cusum": ("bar", "hold", "gap", "ratios"),
}


def read_rule(text: str, otherwise: KOfN | None = None) -> RuleSettings:
    """The settings in a text; an empty text is `otherwise`.

    Raises ValueError naming what is wrong and the way out.
    """
    base = otherwise or KOfN()
    words = text.split()
    if not words:
        return base
    name, values = words[0], _values(words[0], words[1:])
    gap_s = _number(values, "gap", base.max_gap_s)
    if name == "k_of_n":
        n = _whole(values, "n", max(base.n, _whole(values, "k", 1)))
        k = _whole(values, "k", min(base.k, n))
        threshold = _number(values, "threshold", base.threshold)
        return KOfN(k, n, threshold, _number(values, "hold", base.hold_ratio), gap_s)
    if name == "window_sum":
        n = _whole(values, "n", max(base.n, _reaching(_number(values, "c", 1.0))))
        c = _number(values, "c", n * base.threshold)
        return WindowSum(n, c, _number(values, "hold", base.hold_ratio), gap_s)
    if "ratios" not in values:
        raise ValueError(
            "cusum needs ratios=SCORE:RATIO,... : `gridwarden learn-rule RECORDINGS` learns them"
        )
    ratios = read_ratios(values["ratios"])
    return Cusum(ratios, _number(values, "bar", 6.0), _number(values, "hold", 0.5), gap_s)


def check_rule(text: str) -> None:
    """Refuse a text that is no rule; raises ValueError."""
    read_rule(text)


def chosen_rule(text: str, otherwise: KOfN) -> ConfirmationRule:
    """A fresh rule of that text, the detector's own where it is empty."""
    return read_rule(text, otherwise).build()


def read_ratios(text: str) -> Ratios:
    """`0.1:-1,0.9:2` as ratios; raises ValueError."""
    points = []
    for word in text.split(","):
        score, colon, ratio = word.partition(":")
        try:
            points.append((float(score), float(ratio)))
        except ValueError:
            colon = ""
        if not colon:
            raise ValueError(f"{word!r:.40} is no point SCORE:RATIO such as 0.5:-0.2")
    return Ratios(tuple(points))


def write_cusum(settings: Cusum) -> str:
    """The text that `read_rule` reads as these settings."""
    ratios = ",".join(f"{score:g}:{ratio:g}" for score, ratio in settings.ratios.points)
    return (
        f"cusum bar={settings.bar:g} hold={settings.hold_ratio:g} gap={settings.max_gap_s:g} "
        f"ratios={ratios}"
    )


def _values(name: str, words: list[str]) -> dict[str, str]:
    if name not in SETTINGS:
        raise ValueError(f"no rule {name!r:.40}; there are: {', '.join(SETTINGS)}")
    values: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key in values or key not in SETTINGS[name]:
            near = difflib.get_close_matches(key, SETTINGS[name], 1)
            hint = f"; did you mean {near[0]}=?" if near and key not in values else ""
            raise ValueError(
                f"{word!r:.40} is no setting of {name}{hint} (once each: "
                f"{', '.join(SETTINGS[name])})"
            )
        values[key] = value
    return values


def _number(values: dict[str, str], name: str, default: float) -> float:
    if name not in values:
        return default
    try:
        return float(values[name])
    except ValueError:
        raise ValueError(f"{name}={values[name]:.40} is no number") from None


def _reaching(total: float) -> int:
    """How many scores add up to it at least; 1 where none do, which the rule refuses."""
    return math.ceil(total) if 0.0 < total <= MOST_SAMPLES else 1


def _whole(values: dict[str, str], name: str, default: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_SAMPLES))):
        raise ValueError(f"{name}={text:.40} is no whole number from 0 to {MOST_SAMPLES}")
    return int(text)
