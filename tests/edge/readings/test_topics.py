from __future__ import annotations

import pytest

from edge.readings.topics import PatternError, TopicPattern, covers, fewest, overlap


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


@pytest.mark.parametrize(
    ("wide", "narrow", "covered", "shared"),
    [
        ("#", "a/b", True, True),
        ("a/#", "a", True, True),
        ("a/#", "a/+/c", True, True),
        ("a/+", "a/b", True, True),
        ("a/+", "a/b/c", False, False),
        ("a/+", "a/#", False, True),
        ("a/b", "a/+", False, True),
        ("+/b", "a/#", False, True),
        ("a/b", "a/c", False, False),
        ("a", "a/#", False, True),
        ("a", "a/b", False, False),
    ],
)
def test_which_filter_covers_another_and_which_share_topics(
    wide: str, narrow: str, covered: bool, shared: bool
) -> None:
    assert covers(wide, narrow) is covered
    assert overlap(wide, narrow) is overlap(narrow, wide) is shared


def test_no_message_is_asked_for_twice() -> None:
    assert fewest(["a/+", "b", "a/b", "a/#", "b"]) == ("b", "a/#")
