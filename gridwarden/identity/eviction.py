"""Ending the session of an agent that was revoked.

Mosquitto cuts who has a password when it reads its files again; who came with a certificate stays
connected, though its messages are dropped. MQTT gives a client's session to whoever connects by
the same client id: the hub does that for a moment, and the old connection is closed. The shipped
mosquitto.conf makes the certificate's name the client id, so nobody hides behind another one.
"""

from __future__ import annotations

import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gridwarden.identity.errors import IdentityError
from hub.config import BrokerConfig
from hub.ingest import trust

WAIT_S = 5.0


def end_session(config: BrokerConfig, station: str, agent: str) -> None:
    """Close the agent's connection, if it has one. Raises IdentityError."""
    for client_id in (agent, f"{station}.{agent}"):  # as the broker, or else the agent, names it
        _take_over(config, client_id)


def _take_over(config: BrokerConfig, client_id: str) -> None:
    answered = threading.Event()
    refusal: list[str] = []

    def on_connect(_: paho.Client, __: Any, ___: Any, code: Any, ____: Any) -> None:
        if code.is_failure:
            refusal.append(f"it refuses the hub: {code}")
        answered.set()

    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=True,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = WAIT_S
    client.username_pw_set(config.username, config.password)
    client.on_connect = on_connect
    try:
        if config.tls:
            client.tls_set_context(trust.context(config))
        client.connect(config.host, config.port)
    except (OSError, ValueError) as e:
        raise IdentityError(_not_ended(config, trust.told(e, config))) from None
    client.loop_start()
    try:
        if not answered.wait(WAIT_S):
            refusal.append(f"it did not answer within {WAIT_S:g} s")
    finally:
        client.disconnect()
        client.loop_stop()
    if refusal:
        raise IdentityError(_not_ended(config, refusal[0]))


def _not_ended(config: BrokerConfig, why: str) -> str:
    return (
        f"its session could not be ended at the broker {config.host}:{config.port}: {why}. "
        "What it sends is dropped; restart the broker to cut it"
    )
