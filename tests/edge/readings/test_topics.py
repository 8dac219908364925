from __future__ import annotations

import pytest

from edge.readings.topics import PatternError, TopicPattern


@pytest.mark.parametrize(
    ("pattern", "filter_", "topic", "names"),
    [
        ("yard/{device}/t", "yard/+/t", "yard/north/t", {"device": "north"}),
        ("yard/{device}/t", "yard/+/t", "yard/north/x/t", None),
        ("{device}/+/{metric}", "+/+/+", "a/b/c", {"device": "a", "metric": "c"}),
        ("yard/#", "yard/#", "yard", {}),
        ("yard/#", "yard/#", "yard/a/b", {}),
        ("a.b/{device}", "a.b/+", "aXb/c", None),
    ],
)
def test_a_pattern_subscribes_to_what_it_matches(
    pattern: str, filter_: str, topic: str, names: dict[str, str] | None
) -> None:
    p = TopicPattern(pattern)
    assert p.filter == filter_
    assert p.match(topic) == names


@pytest.mark.parametrize("text", ["", "a/#/b", "a/x{device}/b", "a/b+/c", "{device}/{device}"])
def test_a_pattern_that_no_broker_would_take_is_refused_by_name(text: str) -> None:
    with pytest.raises(PatternError, match="topic pattern"):
        TopicPattern(text)
