"""Objects of any class that a YOLO model of the operator knows, each told by itself.

The model is exported to ONNX, or ultralytics' own file: docs/models.md. One network serves all
cameras of an agent; where it is too slow for all of them, they take turns (detectors/models/turns).
A picture in which nothing has changed since the network's last look is not looked at again: what it
saw still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rule_text import chosen_rule
from contract.rules import ConfirmationRule, KOfN
from detectors.kit.confirmation import confirmation
from detectors.kit.params import param
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Observation
from detectors.models import sharing
from detectors.models.boxes import Seen
from detectors.models.stillness import Stillness, is_still, share_within
from detectors.models.wanted import (
    FIRE,
    PERSON,
    SMOKE,
    Wanted,
    check_known,
    fire_classes,
    read_names,
    read_wanted,
    veto,
)

CONFIRM_SHARE = 0.6  # of the samples within confirm_s
RESTLESS = 0.02  # share of the box of a flame or of smoke that changes from look to look
MAX_GAP_S = 30.0  # s: with many cameras a turn comes seldom
ANYTHING = (Wanted("", "object"),)  # the surest object of any class


@dataclass(frozen=True, slots=True)
class ObjectsParams:
    """Which model, and what of it is told."""

    model: str = param("", text="Path of the model on the agent's machine; empty: nothing is told")
    classes: str = param(
        "",
        check=read_wanted,
        text="What is told: CLASS as LABEL @ PLACE SCORE in x,y x,y x,y; ... Empty: fire and smoke "
        "where the model knows them, else the surest object of any class",
    )
    veto: str = param(
        "",
        text="Classes parted by commas: what one of them covers for half or more is not told, as "
        "a bag that a person carries",
    )
    min_score: float = param(
        0.25, minimum=0.01, maximum=1.0, unit="1", text="Lowest score of a box that counts at all"
    )
    iou: float = param(
        0.5,
        minimum=0.05,
        maximum=0.95,
        unit="1",
        text="Boxes of one class that overlap more are one",
    )
    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for it"
    )
    confirm_s: float = param(
        2.0, minimum=0.5, maximum=600.0, unit="s", text="How long, in three frames of five"
    )
    off_delay_s: float = param(
        10.0, minimum=0.0, maximum=3600.0, unit="s", text="Gone this long ends the alarm"
    )
    refresh_s: float = param(
        10.0,
        minimum=0.5,
        maximum=600.0,
        unit="s",
        text="A picture in which nothing changes is looked at again after",
    )
    confirmation: str = confirmation()


@register
class Objects:
    """Scores each frame for every class that is wanted."""

    kind: ClassVar[str] = "objects"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Objects of any class that a YOLO model of yours knows."
    Params: ClassVar[type[ObjectsParams]] = ObjectsParams
    budget_ms: ClassVar[float] = 4.0  # without the network, whose cost `models check` tells
    sample_fps: ClassVar[float] = 2.0

    def __init__(self, params: ObjectsParams) -> None:
        """The model is loaded with the first frame: a replay of recorded scores needs none."""
        self._still = Stillness()
        self._seen: list[Seen] = []
        self._looked_at: datetime | None = None
        self._model: _Model | None = None
        self.params = params

    def use(self, params: ObjectsParams) -> None:
        """Go on with these; raises ModelError, and then nothing changes."""
        self._model = _open(params)
        if params != self.params:
            self.params = params
            self.reset()

    def rule(self) -> ConfirmationRule:
        """Three of five samples within `confirm_s`."""
        p = self.params
        n = max(2, round(p.confirm_s * self.sample_fps))
        own = KOfN(max(2, round(n * CONFIRM_SHARE)), n, p.threshold, max_gap_s=MAX_GAP_S)
        return chosen_rule(p.confirmation, own)

    def policy(self) -> EpisodePolicy:
        """Told again every half minute while it is there."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=30.0)

    def reset(self) -> None:
        """Forget the last look."""
        self._still.reset()
        self._seen = []
        self._looked_at = None

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation for each subject; none where it was another camera's turn.

        Raises ModelError where the model cannot be used, or lacks a class.
        """
        if self._model is None:
            self._model = _open(self.params)
        model = self._model
        if model.network is None:
            return [Observation(w.label, 0.0, place=w.place) for w in model.wanted]
        changes = self._still.changes(frame.once(thumbnail))
        if not (is_still(changes) and self._is_fresh(frame.captured_at)):
            if not sharing.may_look(frame.stream):
                return []
            p = self.params
            seen = model.network.look(frame.image, p.min_score, p.iou)
            self._seen = veto(_restless(seen, changes), model.vetoes)
            self._still.keep(frame.once(thumbnail))
            self._looked_at = frame.captured_at
        return [_surest(wanted, self._seen) for wanted in model.wanted]

    def persons(self, at: datetime) -> Sequence[Box]:
        """Where its last look saw persons; none where it was too long ago."""
        return [s.box for s in self._seen if s.name.lower() in PERSON] if self._is_fresh(at) else []

    def fires(self, at: datetime) -> Sequence[Box]:
        """Where its last look saw fire that moves, surest first; none where it was too long ago."""
        seen = [s for s in self._seen if s.name.lower() in FIRE] if self._is_fresh(at) else []
        return [s.box for s in sorted(seen, key=lambda s: -s.score)]

    def _is_fresh(self, at: datetime) -> bool:
        last = self._looked_at
        return last is not None and 0.0 <= (at - last).total_seconds() < self.params.refresh_s


@dataclass(frozen=True, slots=True)
class _Model:
    """A network, and what of it is asked for."""

    network: sharing.SharedNetwork | None  # None: no model is named
    wanted: tuple[Wanted, ...]
    vetoes: tuple[str, ...]


def _open(params: ObjectsParams) -> _Model:
    network = sharing.shared(params.model) if params.model else None
    known = network.classes if network is not None else ()
    wanted = read_wanted(params.classes) or fire_classes(known) or ANYTHING
    vetoes = read_names(params.veto)
    if network is not None:
        check_known([*(w.name for w in wanted if w.name), *vetoes], known)
    return _Model(network, wanted, vetoes)


def _surest(wanted: Wanted, seen: Sequence[Seen]) -> Observation:
    fitting = [
        s
        for s in seen
        if wanted.name in ("", s.name) and s.score >= wanted.least and wanted.holds(s.box)
    ]
    if not fitting:
        return Observation(wanted.label, 0.0, place=wanted.place, features={"number": 0.0})
    best = max(fitting, key=lambda s: s.score)
    features = {"number": float(len(fitting))}
    return Observation(wanted.label, best.score, best.box, wanted.place, features)


def _restless(seen: list[Seen], changes: NDArray[np.bool_] | None) -> list[Seen]:
    """Without the flames and the smoke that stand still: pictures, lamps, painted walls."""
    return [
        s
        for s in seen
        if s.name.lower() not in FIRE | SMOKE
        or (changes is not None and share_within(changes, s.box) >= RESTLESS)
    ]
