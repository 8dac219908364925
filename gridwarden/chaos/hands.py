"""The processes of a chaos run: started, killed, and started again when their time has come."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from contract.errors import GridwardenError
from gridwarden.parts import Part

TROUBLE_S = 15.0  # after a server came back: how long the last time-out of a program may take
RETRY_S = 0.5  # a part that does not start, as what it needs is away, is tried again


@dataclass(slots=True)
class Hand:
    """One part, and when it is to be started again. None of ours is ever restarted by others."""

    part: Part
    is_needed: bool = False  # a server: without it programs may end
    due_s: float | None = None  # monotonic; None: it should be running
    born_s: float = 0.0
    said: str = ""  # why it did not start

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.part.name


class Hands:
    """All processes. For use by the thread that made it: they are tethered to it."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.kills = 0
        self.ended_alone: list[str] = []  # parts that ended though nobody had killed them
        self._tell = tell
        self._hands: list[Hand] = []
        self._troubled_s = 0.0  # until then what a program needs may be away

    def add(self, part: Part, *, is_needed: bool = False) -> Hand:
        """Start this part and look after it. is_needed: it is a server for the others."""
        hand = Hand(part, is_needed)
        part.start()
        hand.born_s = time.monotonic()
        self._hands.append(hand)
        return hand

    def drop(self, hand: Hand) -> None:
        """End it for good."""
        hand.part.stop()
        self._hands.remove(hand)

    def kill(self, hand: Hand, back_s: float, sign: signal.Signals = signal.SIGKILL) -> bool:
        """Kill it; it is started again after `back_s`. Whether it was alive."""
        pid = hand.part.pid
        if pid is None or hand.due_s is not None:
            return False
        os.kill(pid, sign)
        deadline = time.monotonic() + 10.0
        while hand.part.is_alive() and time.monotonic() < deadline:
            time.sleep(0.002)
        self.kills += 1
        hand.due_s = time.monotonic() + back_s
        return True

    def troubled(self, for_s: float) -> None:
        """What programs need is away: one that ends meanwhile is no finding."""
        self._troubled_s = max(self._troubled_s, time.monotonic() + for_s)

    def tend(self) -> None:
        """Start again what is due; note what ended by itself."""
        for hand in self._hands:
            if hand.due_s is None and not hand.part.is_alive():
                self._mourn(hand)
            if hand.due_s is not None and hand.is_needed:
                self.troubled(TROUBLE_S)
            if hand.due_s is not None and hand.due_s <= time.monotonic():
                self._revive(hand)

    def revive_all(self) -> None:
        """Have everything running again."""
        for hand in self._hands:
            if hand.due_s is not None:
                hand.due_s = time.monotonic()
        self.tend()

    def stop(self) -> None:
        """End everything, the last started first."""
        for hand in reversed(self._hands):
            hand.part.stop()
        self._hands.clear()

    def _revive(self, hand: Hand) -> None:
        try:
            hand.part.start()
        except GridwardenError as e:
            if str(e) != hand.said:
                self._tell(f"the {hand.name} does not start: {e}")
            hand.said = str(e)
            hand.due_s = time.monotonic() + RETRY_S
        else:
            hand.due_s, hand.born_s = None, time.monotonic()

    def _mourn(self, hand: Hand) -> None:
        if hand.born_s > self._troubled_s:
            self.ended_alone.append(f"{hand.name} {hand.part.obituary()}")
            self._tell(f"the {hand.name} {hand.part.obituary()}, and nobody had killed it")
        hand.due_s = time.monotonic() + RETRY_S
