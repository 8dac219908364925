from __future__ import annotations

import socket

from contract.taxonomy import CameraState
from edge.sources import wire


def test_the_last_word_of_a_decoder_that_left_our_answer_unread_is_heard() -> None:
    agent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with agent:
        with child:
            child.send(wire.encode(wire.Told(CameraState.ENDED, "played to its end")))
            agent.send(wire.give_back(wire.Shown(round=1, buffer=0, at_us=0, number=0)))
        raw, _ = wire.receive(agent)
        assert wire.decode(raw) == (wire.Told(CameraState.ENDED, "played to its end"), b"")
        assert wire.receive(agent) == (b"", [])
