from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError, TopicError
from contract.topics import Down, Topic, Up, all_down, all_up, check_name

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)
kinds = st.sampled_from([*Up, *Down])


@given(names, names, kinds)
def test_a_topic_that_is_written_and_read_is_the_same_topic(
    station: str, agent: str, kind: Up | Down
) -> None:
    topic = Topic(station, agent, kind)
    assert Topic.parse(str(topic)) == topic


def test_the_way_in_a_topic_follows_from_its_kind() -> None:
    assert str(Topic("north", "gate-1", Up.DETECTION)) == "gw/v1/north/up/gate-1/detection"
    assert str(Topic("north", "gate-1", Down.ACK)) == "gw/v1/north/dn/gate-1/ack"


def test_the_filters_select_one_kind_from_all_agents_and_all_kinds_for_one() -> None:
    assert all_up("north", Up.HEALTH) == "gw/v1/north/up/+/health"
    assert all_down("north", "gate-1") == "gw/v1/north/dn/gate-1/+"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "gw/v1/north/up/gate-1",
        "gw/v1/north/up/gate-1/detection/more",
        "gw/v2/north/up/gate-1/detection",
        "gw/v1/north/sideways/gate-1/detection",
        "gw/v1/north/up/gate-1/ack",
        "gw/v1/north/dn/gate-1/detection",
        "gw/v1//up/gate-1/detection",
        "gw/v1/north/up/+/detection",
        "gw/v1/north/up/gate 1/detection",
        "gw/v1/north/up/gate-1\n/detection",
        "gw/v1/north/up/../detection",
        "$SYS/broker/uptime/x/y/z",
    ],
)
def test_a_topic_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(TopicError):
        Topic.parse(text)


@given(st.text())
def test_any_text_is_either_a_topic_or_refused_as_one(text: str) -> None:
    with contextlib.suppress(ContractError):
        assert str(Topic.parse(text)) == text


def test_a_long_hostile_topic_does_not_fill_the_message() -> None:
    with pytest.raises(TopicError) as refused:
        Topic.parse("x" * 60_000)
    assert len(str(refused.value)) < 400


def test_a_refused_name_is_told_with_what_it_stands_for_and_how_to_write_it() -> None:
    with pytest.raises(TopicError, match=r"station '-north' is not a name: use 1 to 64 letters"):
        check_name("station", "-north")


@pytest.mark.parametrize("name", ["", "a" * 65, ".hidden", "a/b", "a#", "a+", "name\n", "名"])
def test_a_name_that_could_not_stand_in_a_topic_or_file_name_is_refused(name: str) -> None:
    with pytest.raises(TopicError):
        check_name("agent", name)
