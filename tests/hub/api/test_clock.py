"""Every event explains its clock, to programs and to people, in two languages."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx

from hub.api.clock_words import left_words, length_words, limit_words
from hub.domain.deadline import Kind, Limit
from tests.hub.api.city import City
from tests.hub.api.problems import problem


def filed(town: City, client: httpx.Client) -> str:
    number = town.sees("dumping", "rubbish", "cam-02")
    client.post(
        f"/api/v1/events/{number}/verdict", json={"verdict": "confirmed", "evidence_viewed": True}
    ).raise_for_status()
    client.post(
        f"/api/v1/events/{number}/acts", json={"name": "dispatch", "responsible_unit": "Cleaning"}
    ).raise_for_status()
    return number


def test_the_clocks_of_an_event_are_told_span_by_span(town: City, client: httpx.Client) -> None:
    number = filed(town, client)

    told = client.get(f"/api/v1/events/{number}/clock").raise_for_status().json()

    assert (told["time_zone"], told["state"], told["present"]) == (
        "Asia/Shanghai",
        "dispatched",
        "dispose",
    )
    event = client.get(f"/api/v1/events/{number}").json()
    assert told["due_at"] == event["due_at"]
    assert told["close_by"] == event["close_by"]
    by_stage = {c["stage"]: c for c in told["clocks"]}
    assert list(by_stage) == ["accept", "dispatch", "total", "dispose"]
    assert by_stage["accept"]["stopped_at"] is not None
    dispose = by_stage["dispose"]
    assert dispose["limit"] == {"en": "4 work hours", "zh": "4个工作时"}
    assert dispose["left_s"] + dispose["used_s"] == dispose["allowed_s"] == 4 * 3600
    assert dispose["left"]["en"].endswith("of work time left")
    assert dispose["does"] in ("running", "off_hours")
    assert [r["share"] for r in dispose["rungs"]] == [0.5, 0.8, 1.0, 1.5, 3.0]
    assert dispose["due_at"] == dispose["rungs"][2]["at"]
    for clock in told["clocks"]:
        ends = [s["ends_at"] for s in clock["spans"]]
        assert [s["starts_at"] for s in clock["spans"]] == [clock["started_at"], *ends[:-1]][
            : len(ends)
        ]


def test_what_is_not_there_has_no_clock(client: httpx.Client) -> None:
    problem(client.get("/api/v1/events/410105-20260101-00001/clock"), 404)


def test_the_page_of_an_event_tells_its_clock_in_both_languages(
    town: City, client: httpx.Client
) -> None:
    number = filed(town, client)

    english = client.get(f"/events/{number}?lang=en").text
    chinese = client.get(f"/events/{number}?lang=zh").text

    assert "4 work hours" in english
    assert "of work time left" in english
    assert "Asia/Shanghai, UTC+8" in english
    assert "4个工作时" in chinese
    assert "剩余工作时间" in chinese


def test_lists_show_when_what_is_due_and_mark_what_is_overdue(
    town: City, client: httpx.Client
) -> None:
    number = filed(town, client)
    (event,) = client.get("/api/v1/events").json()["events"]
    assert event["number"] == number
    assert datetime.fromisoformat(event["due_at"]) > datetime.fromisoformat(event["opened_at"])
    assert 'class="chip bad"' not in client.get("/events?lang=en").text

    with town.hub.pool.connection() as conn:
        conn.execute("UPDATE grid_event SET due_at = now() - interval '1 minute'")

    assert '<span class="chip bad">overdue</span>' in client.get("/events?lang=en").text
    assert '<span class="chip bad">超时</span>' in client.get("/events?lang=zh").text


def test_limits_and_lengths_are_said_as_people_say_them() -> None:
    assert limit_words(Limit(10 / 60, Kind.URGENT_HOUR)) == ("10 minutes", "10分钟")
    assert limit_words(Limit(1, Kind.WORK_DAY)) == ("1 work day", "1个工作日")
    assert limit_words(Limit(1.5, Kind.URGENT_HOUR)) == ("1.5 urgent hours", "1.5个紧急工作时")
    assert length_words(timedelta(days=2, hours=3, minutes=4)) == ("2 d 3 h", "2天3小时")
    assert length_words(timedelta(hours=1)) == ("1 h", "1小时")
    assert length_words(timedelta(0)) == ("0 s", "0秒")
    assert left_words(-timedelta(minutes=90), Kind.WORK_HOUR) == (
        "overdue by 1 h 30 min of work time",
        "已超时工作时间1小时30分钟",
    )
    assert left_words(timedelta(seconds=5), Kind.URGENT_HOUR) == ("5 s left", "剩余5秒")
