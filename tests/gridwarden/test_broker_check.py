"""`gridwarden broker check`: real brokers, good and bad, and what is said of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridwarden.broker import EmbeddedBroker, find_mosquitto
from gridwarden.broker_check import checking
from gridwarden.broker_check.checking import broker_of, check
from gridwarden.broker_check.finding import Finding, Verdict
from gridwarden.broker_check.probing import Account
from gridwarden.cli import main
from gridwarden.errors import BrokerError
from gridwarden.ports import LOOPBACK, answers, choose
from hub.config import BrokerConfig
from tests.hub.builders import eventually

QUIET_S = 0.25  # what is on this machine answers at once
CARELESS = """
listener {port} {loopback}
allow_anonymous true
persistence false
max_inflight_messages 20
max_queued_messages 200
max_packet_size 32768
retain_available false
"""
STRICT = """
listener {port} {loopback}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
persistence false
max_inflight_messages 100
max_queued_messages 0
"""
RULES = """
user hub
topic read gw/v1/+/up/#
topic write gw/v1/+/dn/#
pattern write gw/v1/+/up/%u/#
pattern read gw/v1/+/dn/%u/#
"""


def findings(
    broker: BrokerConfig, agent: Account | None = None, batch: int = 64
) -> dict[Verdict, list[str]]:
    told: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for finding in check(broker, agent, batch, quiet_s=QUIET_S):
        told[finding.verdict].append(finding.what)
    return told


@pytest.fixture
def mosquitto(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BrokerConfig]:
    program = find_mosquitto()
    if program is None:
        pytest.skip("no mosquitto on this machine")
    port = choose(18_980)
    conf = tmp_path / "mosquitto.conf"
    text = str(request.param).format(port=port, loopback=LOOPBACK, folder=tmp_path)
    conf.write_text(f"user root\n{text}", encoding="utf-8")
    (tmp_path / "acl").write_text(RULES, encoding="utf-8")
    (tmp_path / "passwords").touch(0o600)
    for name in ("hub", "yard"):
        subprocess.run(
            ["mosquitto_passwd", "-b", str(tmp_path / "passwords"), name, f"of {name}"],
            check=True,
            capture_output=True,
        )
    log = (tmp_path / "log").open("wb")
    broker = subprocess.Popen([str(program), "-c", str(conf)], stderr=log)
    try:
        eventually(lambda: answers(port))
        yield BrokerConfig(port=port)
    finally:
        broker.kill()
        broker.wait()
        log.close()


@pytest.mark.parametrize("name", ["rumqttd", "mosquitto"])
def test_an_embedded_broker_is_safe_for_this_machine_alone(name: str, tmp_path: Path) -> None:
    program = find_mosquitto() if name == "mosquitto" else None
    if name == "mosquitto" and program is None:
        pytest.skip("no mosquitto on this machine")
    broker = EmbeddedBroker(choose(18_985), tmp_path, mosquitto=program)
    broker.start()
    try:
        told = findings(BrokerConfig(port=broker.port))
        wider = findings(BrokerConfig(port=broker.port), batch=120) if program is None else None
    finally:
        broker.stop()

    assert told[Verdict.UNSAFE] == told[Verdict.UNKNOWN] == []
    assert any("lets anybody connect" in what for what in told[Verdict.NOTE])
    assert len(told[Verdict.SAFE]) >= 9
    any_order = "takes acknowledgements in any order"
    assert (any_order in told[Verdict.SAFE]) == (name == "mosquitto")
    if wider is not None:
        assert wider[Verdict.UNSAFE] == []
        assert any(
            what.startswith("has 100 messages under way before it waits")
            and "max_inflight_messages to 240" in what
            for what in wider[Verdict.NOTE]
        )


@pytest.mark.parametrize("mosquitto", [CARELESS], indirect=True)
def test_a_careless_broker_is_told_of_line_by_line_with_the_way_out(
    mosquitto: BrokerConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "QUIET_S", QUIET_S)
        assert main(["broker", "check", f"mqtt://{LOOPBACK}:{mosquitto.port}"]) == 1

    said = capsys.readouterr().out
    for words in (
        "UNSAFE     does not carry a message of 64 KiB",
        "note       has 20 messages under way before it waits",
        "messages that waited for a slow hub",
        "set max_queued_messages 0",
        "UNSAFE     keeps no retained message",
    ):
        assert words in said
    assert said.splitlines()[-1] == "4 to see to before it is relied on"


@pytest.mark.parametrize("mosquitto", [STRICT], indirect=True)
def test_a_broker_with_access_rules_is_probed_as_the_hub_and_as_an_agent(
    mosquitto: BrokerConfig, tmp_path: Path
) -> None:
    hub = broker_of(f"mqtt://hub:of%20hub@{LOOPBACK}:{mosquitto.port}")
    alone = findings(hub)
    assert alone[Verdict.UNSAFE] == []
    assert "keeps the hub's account from writing what agents write" in alone[Verdict.SAFE]
    assert "gridwarden agents enrol" in alone[Verdict.UNKNOWN][0]

    told = findings(hub, Account("yard", "of yard"))

    assert told[Verdict.UNSAFE] == told[Verdict.UNKNOWN] == []
    assert {
        "refuses a connection without an account",
        "keeps an agent from speaking in another's name",
        "keeps what the hub says to an agent from the others",
    } <= set(told[Verdict.SAFE])
    with pytest.raises(BrokerError, match="takes no connection: Not authorized"):
        findings(broker_of(f"mqtt://hub:wrong@{LOOPBACK}:{mosquitto.port}"))


def test_a_broker_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["broker", "check", f"mqtt://{LOOPBACK}:1"]) == 1
    assert "no broker to be reached at 127.0.0.1:1" in capsys.readouterr().err
    assert main(["broker", "check", "http://broker"]) == 1
    assert "write mqtt://host:1883" in capsys.readouterr().err


def test_a_finding_stands_in_one_line() -> None:
    assert str(Finding(Verdict.UNSAFE, "drops")) == "UNSAFE     drops"
