"""Who may send: credentials, the broker's rules, refusals; with a real Mosquitto as shipped."""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from gridwarden.broker import find_mosquitto
from gridwarden.cli import main
from gridwarden.identity import files, mosquitto
from gridwarden.identity.authority import Authority
from gridwarden.identity.passwords import hash_password, matches
from hub.config import load
from hub.ingest.subscriber import run_ingest
from hub.services.watch_expiry import ExpiryWatch
from tests.gridwarden.secured_broker import (
    HUB_PASSWORD,
    City,
    copy,
    is_let_in,
    new_city,
    outcome_of,
    password_in,
    running_mosquitto,
    speaking,
)
from tests.hub.builders import eventually, opened, rows, running

Capsys = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def _city(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[City]:
    program = find_mosquitto()
    if program is None:
        pytest.skip("no mosquitto on this machine")
    os.environ["HUB_PASSWORD"] = HUB_PASSWORD
    city = new_city(tmp_path_factory.mktemp("city"), module_database_url)
    assert city.agents("broker") == 0
    with running_mosquitto(city, program):
        yield city
    del os.environ["HUB_PASSWORD"]


@pytest.fixture
def city(_city: City, capsys: Capsys) -> City:
    return _city


def enrolled(city: City, capsys: Capsys, agent: str, station: str = "north") -> str:
    """Its password."""
    assert city.agents("enrol", agent, "--station", station) == 0
    return password_in(capsys.readouterr().out)


def certified(city: City, agent: str, tmp_path: Path) -> Path:
    """The folder of its bundle."""
    bundle = tmp_path / agent
    assert (
        city.agents("enrol", agent, "--station", "north", "--certificate", "--bundle", str(bundle))
        == 0
    )
    return bundle


def test_an_enrolled_agent_is_let_in_by_its_password(city: City, capsys: Capsys) -> None:
    password = enrolled(city, capsys, "pass-01")

    assert outcome_of(city.password_settings("pass-01", password)) == "connected"


def test_an_enrolled_agent_is_let_in_by_its_certificate(city: City, tmp_path: Path) -> None:
    bundle = certified(city, "cert-01", tmp_path)

    assert outcome_of(city.certificate_settings(bundle)) == "connected"


def test_a_stranger_is_refused_and_told_so(city: City, capsys: Capsys) -> None:
    password = enrolled(city, capsys, "pass-02")

    for settings in (
        city.password_settings("nobody", "guessed"),
        city.password_settings("pass-02", password + "x"),
        city.password_settings("", ""),
    ):
        assert "refuses us (Not authorized): wrong name or password" in outcome_of(settings)


def test_a_revoked_agent_is_cut_and_refused(city: City, capsys: Capsys) -> None:
    settings = city.password_settings("pass-03", enrolled(city, capsys, "pass-03"))
    with speaking(settings, "north.pass-03") as session:
        assert city.agents("revoke", "pass-03") == 0
        with psycopg.connect(city.database_url) as conn:
            told = conn.execute("SELECT action FROM audit WHERE subject = 'pass-03' ORDER BY id")
            assert [a for (a,) in told] == ["enrol_agent", "revoke_agent"]
        eventually(session.is_connected, False)

    assert "or revoked" in outcome_of(settings)


def test_a_revoked_certificate_is_cut_and_refused(city: City, tmp_path: Path) -> None:
    settings = city.certificate_settings(certified(city, "cert-02", tmp_path))
    with speaking(settings, "an id of its own") as session:
        assert city.agents("revoke", "cert-02") == 0
        eventually(session.is_connected, False)

    assert re.search("our certificate.* revoked", outcome_of(settings))


def test_credentials_that_were_rotated_away_are_worth_nothing(
    city: City, capsys: Capsys, tmp_path: Path
) -> None:
    old = city.password_settings("pass-04", enrolled(city, capsys, "pass-04"))
    bundle = certified(city, "cert-03", tmp_path)
    old_certificate = city.certificate_settings(copy(bundle, tmp_path / "old"))
    with (
        speaking(old, "north.pass-04") as by_password,
        speaking(old_certificate, "north.cert-03") as by_certificate,
    ):
        capsys.readouterr()
        assert city.agents("rotate", "pass-04") == 0
        password = password_in(capsys.readouterr().out)
        assert city.agents("rotate", "cert-03", "--bundle", str(bundle)) == 0
        eventually(lambda: by_password.is_connected() or by_certificate.is_connected(), False)

    assert "refuses us" in outcome_of(old)
    assert re.search("our certificate.* revoked", outcome_of(old_certificate))
    assert outcome_of(city.password_settings("pass-04", password)) == "connected"
    assert outcome_of(city.certificate_settings(bundle)) == "connected"


def test_with_a_grace_period_the_credentials_before_work_until_it_ends(
    city: City, capsys: Capsys, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = city.password_settings("pass-11", enrolled(city, capsys, "pass-11"))
    bundle = certified(city, "cert-11", tmp_path)
    old = city.certificate_settings(copy(bundle, tmp_path / "old"))
    capsys.readouterr()

    assert city.agents("rotate", "pass-11", "--grace", "24") == 0
    shown = capsys.readouterr()
    assert city.agents("rotate", "cert-11", "--grace", "24", "--bundle", str(bundle)) == 0

    assert "works until" in shown.err
    assert 'username = "pass-11~2"' in shown.out
    second = city.password_settings("pass-11~2", password_in(shown.out))
    for settings in (first, second, old, city.certificate_settings(bundle)):
        eventually(lambda: outcome_of(settings), "connected")  # noqa: B023
    heard: queue.Queue[str] = queue.Queue()
    with (
        speaking(city.password_settings("hub", HUB_PASSWORD), "hub-test") as hub_ear,
        speaking(second, "north.pass-11") as writer,
    ):
        hub_ear.on_message = lambda _c, _u, message: heard.put(message.topic)
        ready: queue.Queue[int] = queue.Queue()
        hub_ear.on_subscribe = lambda *_: ready.put(1)
        hub_ear.subscribe("gw/v1/+/up/#", qos=1)
        ready.get(timeout=30)
        writer.publish("gw/v1/north/up/pass-11/reading", b"x", qos=1)
        assert heard.get(timeout=30) == "gw/v1/north/up/pass-11/reading"
    capsys.readouterr()
    assert city.agents("list") == 0
    listed = capsys.readouterr().out
    assert len(re.findall(r"(?:pass|cert)-11 .*; the former one works until", listed)) == 2

    with psycopg.connect(city.database_url) as conn:  # a day later
        conn.execute("UPDATE enrolment SET former_until = now() WHERE former_until IS NOT NULL")
        conn.execute("UPDATE revoked_certificate SET revoked_at = now() WHERE revoked_at > now()")
    assert city.agents("list") == 0
    assert "the former one is to go: gridwarden agents broker" in capsys.readouterr().out
    with opened(load(city.settings, os.environ)) as hub, hub.pool.connection() as conn:
        ExpiryWatch()(conn, hub)
    assert "former credentials of agent pass-11 are no longer in force" in caplog.text
    assert city.agents("broker") == 0
    eventually(lambda: "refuses us" in outcome_of(first))
    eventually(lambda: "revoked" in outcome_of(old))
    assert outcome_of(second) == "connected"
    assert outcome_of(city.certificate_settings(bundle)) == "connected"


def test_an_agent_writes_and_reads_its_own_topics_at_its_own_station_alone(
    city: City, capsys: Capsys
) -> None:
    settings = city.password_settings("pass-05", enrolled(city, capsys, "pass-05"))
    enrolled(city, capsys, "pass-06")
    to_hub: queue.Queue[str] = queue.Queue()
    to_agent: queue.Queue[str] = queue.Queue()
    topics = ("north/{}/pass-06", "south/{}/pass-05", "north/{}/pass-05")
    with (
        speaking(city.password_settings("hub", HUB_PASSWORD), "hub-test") as hub,
        speaking(settings, "listens") as reader,
    ):
        hub.on_message = lambda _c, _u, message: to_hub.put(message.topic)
        reader.on_message = lambda _c, _u, message: to_agent.put(message.topic)
        ready: queue.Queue[int] = queue.Queue()
        for client, topic in ((hub, "gw/v1/+/up/#"), (reader, "gw/v1/#")):
            client.on_subscribe = lambda *_: ready.put(1)
            client.subscribe(topic, qos=1)
            ready.get(timeout=30)
        for topic in topics:
            with speaking(settings, "writes") as writer:
                told = writer.publish(f"gw/v1/{topic.format('up')}/reading", b"x", qos=1)
                # dropped, or cut for it: see contract/refusals.py
                eventually(lambda: told.is_published() or not writer.is_connected())  # noqa: B023
            hub.publish(f"gw/v1/{topic.format('dn')}/ack", b"x", qos=1).wait_for_publish(5)

        assert to_hub.get(timeout=30) == "gw/v1/north/up/pass-05/reading"
        assert to_agent.get(timeout=30) == "gw/v1/north/dn/pass-05/ack"
        assert to_hub.empty()
        assert to_agent.empty()


def test_an_expired_certificate_is_refused_by_the_broker_and_not_even_shown_by_the_agent(
    city: City, tmp_path: Path
) -> None:
    bundle = certified(city, "cert-04", tmp_path)
    authority = Authority(city.folder / "authority", datetime.now(UTC))
    past = authority.issue_agent("cert-04", datetime.now(UTC) - timedelta(days=30), 20)
    settings = city.certificate_settings(bundle)
    assert is_let_in(settings)
    files.write(bundle / "agent.key", past.key)
    files.write(bundle / "agent.crt", past.certificate)

    assert not is_let_in(settings)
    reason = outcome_of(settings)
    assert f"expired on {past.expires_at:%Y-%m-%d}" in reason
    assert "gridwarden agents rotate" in reason


def test_a_certificate_of_another_authority_is_refused(city: City, tmp_path: Path) -> None:
    bundle = certified(city, "cert-05", tmp_path)
    other = Authority(tmp_path / "other", datetime.now(UTC))
    forged = other.issue_agent("cert-05", datetime.now(UTC), 20)
    files.write(bundle / "agent.key", forged.key)
    files.write(bundle / "agent.crt", forged.certificate)

    # the broker's word does not always arrive before it hangs up
    assert re.search(r"of an(other)? authority", outcome_of(city.certificate_settings(bundle)))


def test_a_broker_that_cannot_prove_itself_is_not_spoken_to(
    city: City, capsys: Capsys, tmp_path: Path
) -> None:
    right = city.password_settings("pass-07", enrolled(city, capsys, "pass-07"))
    other = tmp_path / "ca.crt"
    other.write_bytes(Authority(tmp_path / "other", datetime.now(UTC)).certificate)
    cases = {
        f"not signed by ca_file {other}": dataclasses.replace(right, ca_file=str(other)),
        "not signed by the system's authorities": dataclasses.replace(right, ca_file=""),
        "certificate is not for '127.1'": dataclasses.replace(right, host="127.1"),
        "gone.crt: No such file": dataclasses.replace(right, ca_file="gone.crt"),
        f"{city.settings}: is not PEM": dataclasses.replace(right, ca_file=str(city.settings)),
        "where it speaks TLS, set tls = true": dataclasses.replace(right, tls=False, ca_file=""),
        "set cert_file and key_file": dataclasses.replace(right, port=city.certificate_port),
    }
    for words, settings in cases.items():
        reason = outcome_of(settings)
        assert words in reason
        assert "\n" not in reason


def test_a_broker_whose_certificate_expired_is_refused_until_it_has_a_new_one(
    city: City, capsys: Capsys
) -> None:
    settings = city.password_settings("pass-08", enrolled(city, capsys, "pass-08"))
    authority = Authority(city.folder / "authority", datetime.now(UTC))
    past = authority.issue_broker(["localhost"], datetime.now(UTC) - timedelta(days=900))
    files.write(city.broker_dir / mosquitto.KEY, past.key)
    files.write(city.broker_dir / mosquitto.CERTIFICATE, past.certificate)
    mosquitto.reload(city.pid_file)
    eventually(lambda: "its certificate has expired" in outcome_of(settings))
    assert city.agents("list") == 0
    assert "the broker's certificate EXPIRED on" in capsys.readouterr().out

    assert city.agents("broker") == 0

    assert "new certificate is good until" in capsys.readouterr().out
    eventually(lambda: outcome_of(settings), "connected")


def test_a_broker_in_its_container_reads_new_files_by_itself(city: City, capsys: Capsys) -> None:
    without_pid = city.write_settings("container.toml", pid_file="")
    assert city.agents("enrol", "pass-09", "--station", "south", settings=without_pid) == 0
    shown = capsys.readouterr()

    assert "the broker reads them within 3 s" in shown.err
    settings = city.password_settings("pass-09", password_in(shown.out))
    eventually(lambda: outcome_of(settings), "connected")


def test_a_certificate_that_ends_soon_is_told_by_list_hub_and_agent(
    city: City, tmp_path: Path, capsys: Capsys, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = certified(city, "cert-07", tmp_path)
    with psycopg.connect(city.database_url) as conn:
        conn.execute(
            "UPDATE enrolment SET expires_at = now() + interval '9 days 1 hour' "
            "WHERE agent = 'cert-07'"
        )
    soon = Authority(city.folder / "authority", datetime.now(UTC)).issue_agent(
        "cert-07", datetime.now(UTC), 9
    )
    files.write(bundle / "agent.key", soon.key)
    files.write(bundle / "agent.crt", soon.certificate)

    assert city.agents("list") == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("cert-07"))
    assert re.search(r"EXPIRES in 9 d, on \S+: gridwarden agents rotate cert-07", line)
    assert outcome_of(city.certificate_settings(bundle)) == "connected"
    assert f"agent.crt expires on {soon.expires_at:%Y-%m-%d}" in caplog.text
    with opened(load(city.settings, os.environ)) as hub, hub.pool.connection() as conn:
        watch = ExpiryWatch()
        watch(conn, hub)
        watch(conn, hub)
    told = [r.getMessage() for r in caplog.records if "of agent cert-07 expires" in r.getMessage()]
    assert len(told) == 1
    assert told[0].endswith("gridwarden agents rotate cert-07")


# --- what the command says and leaves behind -----------------------------------------------------


def test_a_password_is_shown_once_and_kept_nowhere(city: City, capsys: Capsys) -> None:
    assert city.agents("enrol", "pass-10", "--station", "north") == 0
    shown = capsys.readouterr().out
    password = password_in(shown)

    assert 'password = "${GRIDWARDEN_BROKER_PASSWORD}"' in shown
    assert f"port = {city.password_port}" in shown
    ((hashed,),) = rows(
        city.database_url, "SELECT password_hash FROM enrolment WHERE agent = 'pass-10'"
    )
    assert matches(password, hashed)
    assert city.agents("list") == 0
    assert password not in capsys.readouterr().out
    for path in city.folder.rglob("*"):
        assert not path.is_file() or password.encode() not in path.read_bytes(), path


def test_every_file_with_a_secret_is_closed_to_others(city: City, tmp_path: Path) -> None:
    bundle = certified(city, "cert-06", tmp_path)
    for folder in (bundle, city.broker_dir, city.folder / "authority"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert {p.name for p in bundle.iterdir()} == {
        "ca.crt", "agent.crt", "agent.key", "broker.toml",
    }  # fmt: skip
    assert not any(b"authority" in p.name.encode() for p in city.broker_dir.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["enrol", "pass-01", "--station", "north"], "is enrolled already, at station north"),
        (["enrol", "x", "--station", "nowhere"], "no station 'nowhere'.*north, south"),
        (["enrol", "hub", "--station", "north"], "what the hub itself is called"),
        (["enrol", "a/b", "--station", "north"], "agent 'a/b' is not a name"),
        (["rotate", "never"], "agent never is not enrolled: gridwarden agents enrol never"),
        (["revoke", "never"], "agent never is not enrolled"),
    ],
)
def test_a_wrong_wish_is_refused_in_one_line_with_the_way_out(
    city: City, capsys: Capsys, arguments: list[str], words: str
) -> None:
    if city.agents("enrol", "pass-01", "--station", "north", "--if-new") != 0:
        pytest.fail("pass-01 cannot be enrolled")
    capsys.readouterr()

    assert city.agents(*arguments) == 1

    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert re.search(words, said)


def test_a_database_that_is_away_is_told_in_one_line(
    city: City, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDWARDEN_HUB__DATABASE__URL", "postgresql://127.0.0.1:1/x")

    assert main(["agents", "list", "--config", str(city.settings)]) == 1

    said = capsys.readouterr().err
    assert "the database is not to be reached" in said
    assert len(said.splitlines()) == 1


def test_files_that_cannot_be_written_are_caught_up_later(
    city: City, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setenv("GRIDWARDEN_HUB__IDENTITY__BROKER_DIR", f"{city.settings}/no-folder")
        assert city.agents("enrol", "pass-19", "--station", "north") == 1
    shown = capsys.readouterr()
    assert re.search("cannot be made: Not a directory.*run `gridwarden agents broker`", shown.err)
    assert len(shown.err.splitlines()) == 1
    settings = city.password_settings("pass-19", password_in(shown.out))
    assert "refuses us" in outcome_of(settings)

    assert city.agents("broker") == 0

    eventually(lambda: outcome_of(settings), "connected")


def test_lines_of_ones_own_are_kept_in_rules_and_passwords(city: City, capsys: Capsys) -> None:
    own = f"zigbee:{hash_password('bee')}\n"
    (city.broker_dir / "local.passwords").write_text(own, encoding="utf-8")
    (city.broker_dir / "local.acl").write_text("user zigbee\ntopic zigbee2mqtt/#\n")

    assert city.agents("broker") == 0

    eventually(lambda: outcome_of(city.password_settings("zigbee", "bee")), "connected")


@pytest.mark.parametrize("rest", [b"half a", b""])
def test_a_damaged_authority_is_never_replaced_by_a_new_one(tmp_path: Path, rest: bytes) -> None:
    Authority(tmp_path, datetime.now(UTC))
    (tmp_path / "authority.pem").write_bytes(rest)

    with pytest.raises(Exception, match=r"authority\.pem is damaged, put its backup back"):
        Authority(tmp_path, datetime.now(UTC))


# --- the whole way, with the agent's own process -------------------------------------------------


@contextmanager
def edge_process(folder: Path, settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`gridwarden edge` without cameras: it spools a heartbeat every half second."""
    folder.mkdir(exist_ok=True)
    path = folder / "site.toml"  # beside the files of its bundle
    path.write_text(
        f"[publish]\nheartbeat_s = 0.5\nresend_after_s = 0.5\nprobe_max_s = 1.0\n{settings}"
    )
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gridwarden", "edge", "--config", str(path)],
            stderr=log,
            env={**os.environ, "GRIDWARDEN_EDGE__AGENT__DATA_DIR": str(folder / "data")},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def lane(folder: Path) -> dict[str, int]:
    """How the spool's heartbeats stand."""
    try:
        status = json.loads((folder / "data" / "status.json").read_bytes())
    except FileNotFoundError:
        return {"waiting": 0, "watermark": 0, "next_seq": 0}
    found: dict[str, int] = status["lanes"]["health"]
    return found


def said(folder: Path) -> str:
    return (folder / "log").read_text(encoding="utf-8")


def test_a_revoked_agent_keeps_spooling_and_goes_on_once_it_is_enrolled_again(
    city: City, tmp_path: Path, capsys: Capsys
) -> None:
    bundle = certified(city, "story-01", tmp_path)
    site = (bundle / "broker.toml").read_text(encoding="utf-8")
    folder = bundle
    config = load(city.settings, os.environ)
    with (
        opened(config) as hub,
        running(lambda stop: run_ingest(hub, stop)),
        edge_process(folder, site),
    ):
        eventually(lambda: lane(folder)["watermark"] >= 1)

        assert city.agents("revoke", "story-01") == 0

        eventually(lambda: re.search("our certificate.* revoked", said(folder)) is not None)
        ((online,),) = rows(city.database_url, "SELECT online FROM agent WHERE agent = 'story-01'")
        assert not online
        eventually(lambda: lane(folder)["waiting"] >= 3)
        again = ["--station", "north", "--certificate", "--bundle", str(bundle)]
        assert city.agents("enrol", "story-01", *again) == 0
        eventually(lambda: "connected to the broker again" in said(folder))
        eventually(lambda: lane(folder)["waiting"] <= 1)
        spooled = lane(folder)["next_seq"] - 1
        eventually(lambda: ledger(city, "story-01") >= spooled)
    ((stored,),) = rows(city.database_url, "SELECT count(*) FROM health WHERE agent = 'story-01'")
    assert stored == ledger(city, "story-01")
    told = [line[20:] for line in said(folder).splitlines() if "certificate" in line]
    assert len(told) == len(set(told)) <= 2  # one clear line for a reason, however often it tried


def ledger(city: City, agent: str) -> int:
    found = rows(
        city.database_url,
        "SELECT coalesce(max(watermark), 0) FROM ledger WHERE agent = %s AND lane = 'health'",
        agent,
    )
    return int(found[0][0])


def test_an_agent_set_to_another_station_says_so_and_keeps_spooling(
    city: City, tmp_path: Path, capsys: Capsys
) -> None:
    bundle = certified(city, "story-02", tmp_path)
    site = (bundle / "broker.toml").read_text(encoding="utf-8").replace('"north"', '"south"')
    folder = bundle
    with edge_process(folder, site):
        eventually(lambda: "may not send for the station in its settings" in said(folder))
        eventually(lambda: lane(folder)["waiting"] >= 2)
    assert said(folder).count("may not send for the station") == 1
    assert rows(city.database_url, "SELECT * FROM ledger WHERE agent = 'story-02'") == []
