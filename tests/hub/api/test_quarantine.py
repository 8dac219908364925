"""The quarantine and completeness over the API, the command line and for a monitoring system."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.envelope import encode_record
from gridwarden.cli import main
from tests.hub.api.city import AGENT, BOOT, City
from tests.hub.api.problems import problem
from tests.hub.builders import reading

UNSET = "1970-01-01T00:05:00Z"


def refused_reading(town: City, seq: int, **changes: object) -> None:
    """A reading of that number that was refused, as its record stands in the quarantine."""
    record = json.loads(encode_record(reading(float(seq)))) | changes
    town.refused(
        "reading record refused",
        json.dumps(record).encode(),
        agent=AGENT,
        boot=BOOT,
        lane="reading",
        seq=seq,
        counted=True,
    )


def readings_stored(client: httpx.Client) -> float:
    query = {"metric": "vehicle_crossing", "width": "1d"}
    since = {"since": "2016-01-01T00:00:00Z"}
    totals = client.get("/api/v1/readings/totals", params=query | since).json()
    return float(sum(t["total"] for t in totals))


def test_an_entry_is_taken_after_all_and_says_so_however_often_it_is_asked(
    town: City, client: httpx.Client
) -> None:
    refused_reading(town, 1)
    path = "/api/v1/quarantine/1/replay"

    first, second = client.post(path, json={}).json(), client.post(path, json={}).json()

    assert first == {"id": 1, "outcome": "stored", "detail": "stored"}
    assert second["detail"].startswith("was stored before")
    assert "Chen Jing" in second["detail"]
    assert readings_stored(client) == 1.0
    assert client.get("/api/v1/quarantine", params={"state": "waiting"}).json()["entries"] == []
    problem(client.post("/api/v1/quarantine/99/replay", json={}), 404)
    problem(client.post(path, json={"clock": "mine"}), 422)


def test_all_that_waits_of_a_choice_is_taken_at_once(town: City, client: httpx.Client) -> None:
    for seq in range(1, 5):
        refused_reading(town, seq)
    refused_reading(town, 5, unit=7)
    town.refused("cut", b" " * 70_000, agent=AGENT)
    town.refused("not JSON", agent="another")

    told = client.post("/api/v1/quarantine/replay", json={"agent": AGENT}).json()

    assert (told["stored"], told["here_already"], told["refused"]) == (4, 0, 1)
    assert "was cut to 65536 bytes" in told["failed"][0]
    assert told["told"] == "4 stored, 0 here already, 2 refused again"
    waiting = client.get("/api/v1/quarantine", params={"state": "waiting"}).json()["entries"]
    assert [e["agent"] for e in waiting] == ["another", AGENT, AGENT]


def test_an_entry_is_given_up_only_with_a_reason(town: City, client: httpx.Client) -> None:
    town.refused("not JSON", agent=AGENT)
    path = "/api/v1/quarantine/1/give-up"
    problem(client.post(path, json={"reason": " "}), 422)

    assert client.post(path, json={"reason": "old firmware"}).json()["outcome"] == "given_up"

    one = client.get("/api/v1/quarantine/1").json()
    assert (one["outcome"], one["settled_by"], one["note"]) == (
        "given_up",
        "Chen Jing",
        "old firmware",
    )
    assert "old firmware" in client.get("/quarantine/1").text


def test_entries_are_chosen_by_agent_fault_and_state(town: City, client: httpx.Client) -> None:
    town.refused("not JSON", agent=AGENT)
    town.refused("KeyError: 'x'", b"x", agent="another", fault="hub")

    def reasons(**query: str) -> list[str]:
        answer = client.get("/api/v1/quarantine", params=query).json()
        return [e["reason"] for e in answer["entries"]]

    assert reasons(fault="hub") == ["KeyError: 'x'"]
    assert reasons(agent=AGENT) == ["not JSON"]
    assert reasons(state="settled") == []
    page = client.get("/quarantine").text
    assert "the hub itself" in page
    assert "KeyError" in page


def test_what_is_stored_is_told_apart_from_what_was_refused_discarded_or_lost(
    town: City, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    town.execute(
        "INSERT INTO ledger (agent, boot, lane, watermark, received, lost) VALUES "
        "(%s, %s, 'reading', 100, '{[103,106)}', '{[4,6)}')",
        AGENT,
        BOOT,
    )
    refused_reading(town, 7)
    town.execute(
        "INSERT INTO discarded VALUES (%s, %s, 'reading', 'meter-9', 10, 60, now(), now())",
        AGENT,
        BOOT,
    )

    (lane,) = client.get("/api/v1/completeness").json()

    assert (lane["received"], lane["stored"]) == (103, 103 - 2 - 1 - 10)
    assert (lane["quarantined"], lane["discarded"], lane["missing"]) == (1, 10, 2)
    (flood,) = client.get("/api/v1/flooding").json()
    assert (flood["device"], flood["discarded"], flood["per_minute"]) == ("meter-9", 10, 60)
    page = client.get("/completeness").text
    assert "meter-9" in page
    assert "101–102" in re.sub(r"\s", "", page)
    assert command(town, "completeness") == 0
    told = capsys.readouterr().out
    assert (
        "have 1..100; and 103..105; 2 missing: 101..102; 2 declared lost: 4..5; "
        "1 in quarantine; 10 discarded as a flood" in told
    )
    assert told.splitlines()[-1] == "90 records are stored, 2 declared lost, 2 missing"


def test_a_boot_that_is_over_is_complete_up_to_its_last_number_and_unknown_after(
    town: City, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    for boot, closed in (("boot-0", town.hub.now() - timedelta(days=1)), (BOOT, None)):
        town.execute(
            "INSERT INTO ledger (agent, boot, lane, watermark, closed_at) "
            "VALUES (%s, %s, 'reading', 9, %s)",
            AGENT,
            boot,
            closed,
        )

    assert [x["boot"] for x in client.get("/api/v1/completeness").json()] == [BOOT, "boot-0"]
    present = client.get("/api/v1/completeness", params={"present": True}).json()
    assert [x["boot"] for x in present] == [BOOT]
    command(town, "completeness", AGENT)
    assert "complete up to 9, unknown after" in capsys.readouterr().out
    assert "unknown after" in client.get("/completeness").text
    command(town, "completeness", "--json")
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_a_monitoring_system_reads_the_same_figures(town: City, client: httpx.Client) -> None:
    town.execute(
        "INSERT INTO ledger (agent, boot, lane, watermark, received) VALUES "
        "(%s, %s, 'reading', 10, '{[13,16)}'), (%s, 'boot-0', 'reading', 99, '{}')",
        AGENT,
        BOOT,
        AGENT,
    )
    town.refused("KeyError: 'x'", fault="hub")
    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = {
        (s.name, *sorted(s.labels.values())): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }
    assert told["gridwarden_lane_stored", AGENT, "reading"] == 13
    assert told["gridwarden_lane_missing", AGENT, "reading"] == 2
    assert told["gridwarden_quarantine_waiting", "hub"] == 1
    assert told["gridwarden_quarantine_waiting", "sender"] == 0
    assert told["gridwarden_agent_online", AGENT] == 1


def test_the_command_line_lists_shows_replays_and_gives_up(
    town: City, client: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(town, "quarantine", "list") == 0
    assert capsys.readouterr().out == "nothing waits in the quarantine\n"
    refused_reading(town, 1)
    refused_reading(town, 2, captured_at=UNSET)
    town.refused("not JSON\nat all", b"\x00\xff", agent=AGENT)

    command(town, "quarantine", "list")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "demo-01 reading 1: reading record refused" in lines[2]
    assert "not JSON at all" in lines[0]
    command(town, "quarantine", "show", "3")
    assert r"\x00\xff" in capsys.readouterr().out

    assert command(town, "quarantine", "replay", "1", "2") == 1
    assert "1970" in capsys.readouterr().out
    assert command(town, "quarantine", "replay", "2", "--clock", "received") == 0
    assert command(town, "quarantine", "give-up", "3", "--reason", "a test") == 0
    assert command(town, "quarantine", "replay", "--waiting") == 0
    assert readings_stored(client) == 3.0
    capsys.readouterr()
    for wrong, told in (
        (["replay"], "name entries by their ids, or --waiting"),
        (["show", "77"], "there is no quarantine entry '77'"),
    ):
        assert command(town, "quarantine", *wrong) == 1
        assert told in capsys.readouterr().err


def command(town: City, *arguments: str) -> int:
    """`gridwarden hub ...` on the town's database; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDWARDEN_HUB__DATABASE__URL", town.hub.config.database.url)
        return main(["hub", *arguments])
