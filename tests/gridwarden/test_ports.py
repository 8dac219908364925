"""Ports of the loopback: found free, and kept free until the part that needs them starts."""

from __future__ import annotations

import socket

import pytest

from gridwarden.errors import StartError
from gridwarden.ports import LOOPBACK, HeldPort, choose, hold, is_free
from gridwarden.site import Ports


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server((LOOPBACK, choose(19_300))) as other:
        taken = other.getsockname()[1]
        assert not is_free(taken)
        assert choose(taken) != taken


def test_a_held_port_is_not_given_to_another_until_it_is_released() -> None:
    held = hold(19_320)
    other = hold(held.number)
    assert other.number != held.number
    held.release()
    assert is_free(held.number)
    other.release()


def test_a_port_is_free_again_at_once_after_a_server_on_it_had_clients() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((LOOPBACK, port))
        served, _ = server.accept()
        served.close()  # the server closes first: its side lingers
        client.close()
    assert is_free(port)


def test_the_last_runs_ports_are_taken_again() -> None:
    remembered = {"http": choose(19_340), "mqtt": choose(19_360)}
    told: list[str] = []
    chosen = Ports.choose(None, None, remembered, told.append)
    assert chosen.to_remember() == remembered
    assert len(told) == 2
    chosen.release()


def test_two_that_choose_at_the_same_time_get_different_ports() -> None:
    first = Ports.choose(None, None, {}, print)
    second = Ports.choose(None, None, {}, print)
    assert set(first.to_remember().values()).isdisjoint(second.to_remember().values())
    first.release()
    second.release()


def test_a_port_that_was_asked_for_is_taken_or_refused() -> None:
    held = HeldPort(0)
    with pytest.raises(StartError, match=f"port {held.number} for the broker cannot be had"):
        Ports.choose(None, held.number, {}, print)
    held.release()
    chosen = Ports.choose(None, held.number, {}, print)
    assert chosen.mqtt.number == held.number
    chosen.release()
