"""What the hub refuses, in Chinese, for whoever uses the console in it.

The domain says it in English, once; programs always get it as it is. Each module here holds the
sentences of one area with their Chinese, `{name}` for a value (see `template.py`).
`tests/hub/api/test_refusal_words.py` holds them against every place that refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.api import words
from hub.api.refusal_words import (
    accounts,
    asking,
    evidence,
    filing,
    lifecycle,
    outward,
    people,
    readiness,
    registry,
    sensors,
)
from hub.api.refusal_words.needs import NEEDS_ZH
from hub.api.refusal_words.template import Template, longest_first
from hub.api.refusal_words.values import STEPS_ZH, said

TEMPLATES: list[Template] = longest_first(
    accounts.ZH,
    asking.ZH,
    evidence.ZH,
    filing.ZH,
    lifecycle.ZH,
    outward.ZH,
    people.ZH,
    readiness.ZH,
    registry.ZH,
    sensors.ZH,
)


def refusal_zh(
    detail: str, states: Mapping[str, str], action: str = "", missing: Sequence[str] = ()
) -> str:
    """A refusal in Chinese; one whose wording is not known stays as it is.

    states: what each is called. action, missing: of a step that the lifecycle does not allow.
    """
    if missing and all(need in NEEDS_ZH for need in missing):
        needs = "；".join(NEEDS_ZH[need] for need in missing)
        return f"“{STEPS_ZH.get(action, action)}”需要：{needs}"
    found = template_of(detail)
    if found is None:
        return detail
    template, values = found
    return template.zh.format_map({k: said(k, v, states) for k, v in values.items()})


def template_of(detail: str) -> tuple[Template, dict[str, str]] | None:
    """The sentence that this refusal is, with its values; None where none is known."""
    for template in TEMPLATES:
        values = template.match(detail)
        if values is not None:
            return template, values
    return None


def named_zh(name: str) -> str:
    """A step or a verdict by its name."""
    both = words.STEPS.get(name) or words.VERDICTS.get(name)
    return name if both is None else both.zh
