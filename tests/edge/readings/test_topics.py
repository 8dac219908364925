from __future__ import annotations

import pytest

from edge.readings.topics import PatternError, TopicPattern, matches


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
    if names is not None:
        assert matches(filter_, topic)


@pytest.mark.parametrize("text", ["", "a/#/b", "a/x{device}/b", "a/b+/c", "{device}/{device}"])
def test_a_pattern_that_no_broker_would_take_is_refused_by_name(text: str) -> None:
    with pytest.raises(PatternError, match="topic pattern"):
        TopicPattern(text)


@pytest.mark.parametrize(
    ("filter_", "topic", "expected"),
    [
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/b", "a/b/c", False),
        ("#", "$SYS/broker", False),
        ("+/b", "$SYS/b", False),
    ],
)
def test_filters_match_as_mqtt_says(filter_: str, topic: str, expected: bool) -> None:
    assert matches(filter_, topic) is expected
