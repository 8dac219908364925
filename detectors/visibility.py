"""Visibility: fog, haze and dust take the contrast of what can usually be seen.

The picture is cut into cells; those of the reference region that have strong edges on a clear day
are landmarks. Each is compared with its own clear days: how much of its edges and of its coarse
contrast is left. Air that scatters light also brightens what is dark (the dark channel: He, Sun and
Tang, 2011), which a lens out of focus, a covered camera and dusk do not. By day and in infrared a
camera sees differently, so each has clear days of its own. A landmark is what lasts: a queue that
moves off at green takes edges along, and is no fog.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rules import ConfirmationRule
from contract.sustained import Sustained
from detectors.kit.confirmation import confirmation, lasting_rule
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Image, Measurement, Observation, Plane
from detectors.kit.view import is_grey
from detectors.kit.zones import ZoneParams

CELLS = 12  # along the longer side
CALM_S = 4.0  # s, time constant: what drives by washes out
LEARN_S = 15.0  # s a view must have been seen before it is judged against
RISE_S, FALL_S = 20.0, 5 * 86400.0  # s; clear days are learnt fast and forgotten slowly
KEPT = 24  # pictures of the last ten minutes
FIRST_S, LAST_S = 1.0, 25.0  # s between two of them, at the beginning and in the end
LASTS = 0.75  # share of them that show at least what a clear day is learnt from
LANDMARK = 6.0  # mean Sobel sum of a cell that is one, 0..255 scale
LEAST_LANDMARKS = 3  # cells; with fewer nothing is told
COARSE = 13  # pixels of the thumbnail
DARK = 45.0  # luma (0..255) of the brightest tenth of a night that shows nothing
EDGES = Ramp(0.25, 0.65)  # share of a landmark's edges that is gone
CONTRAST = Ramp(0.15, 0.5)  # share of its coarse contrast that is gone
VEIL = Ramp(4.0, 22.0)  # rise of its dark channel, 0..255
# from the first picture on, without a clear day: only a picture that is a veil as a whole
VEIL_AT_ONCE = Ramp(90.0, 130.0)  # dark channel of the median cell
FLAT_AT_ONCE = Ramp(30.0, 14.0)  # deviation of luma of the median cell and its neighbours
SOFT_AT_ONCE = Ramp(14.0, 7.0)  # mean edges of the median cell
NOTHING_SHARP = Ramp(40.0, 26.0)  # mean edges that a tenth of the cells had lately
LATELY_S = 60.0  # s, time constant: pale concrete is flat until somebody drives over it
REPORT_S = 60.0  # s between two measurements
MAX_GAP_S = 60.0


@dataclass(frozen=True, slots=True)
class VisibilityParams(ZoneParams):
    """Which landmarks, and when it is told."""

    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for it"
    )
    lost_share: float = param(
        0.5,
        minimum=0.1,
        maximum=1.0,
        unit="1",
        text="Share of the landmarks that must be veiled for a full score",
    )
    confirm_s: float = param(
        10.0, minimum=0.0, maximum=3600.0, unit="s", text="How long it must last before it is told"
    )
    off_delay_s: float = param(
        60.0, minimum=0.0, maximum=7200.0, unit="s", text="Clear this long ends the alarm"
    )
    confirmation: str = confirmation()


@register
class Visibility:
    """Scores each frame by the share of landmarks that a veil hides."""

    kind: ClassVar[str] = "visibility"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Fog, haze or dust that hides what can usually be seen."
    Params: ClassVar[type[VisibilityParams]] = VisibilityParams
    budget_ms: ClassVar[float] = 3.0
    sample_fps: ClassVar[float] = 1.0

    def __init__(self, params: VisibilityParams) -> None:
        self.params = params
        self.reset()

    def use(self, params: VisibilityParams) -> None:
        """Judge by other parameters from the next frame on; the clear days stay learnt."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Every sample of `confirm_s` at or above the threshold."""
        p = self.params
        own = Sustained(p.confirm_s, p.threshold, max_gap_s=MAX_GAP_S)
        return lasting_rule(p.confirmation, own, self.sample_fps)

    def policy(self) -> EpisodePolicy:
        """Told again every ten minutes while it lasts."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s, update_every_s=600.0)

    def reset(self) -> None:
        """Forget the clear days."""
        self._views: dict[bool, _View] = {}
        self._at: datetime | None = None
        self._reported: datetime | None = None

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation, and `visibility_share` once a minute: what is left of the contrast."""
        small = frame.once(thumbnail)
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        self._at = frame.captured_at
        gap_s = gap_s if 0.0 <= gap_s <= MAX_GAP_S else 0.0
        cells = _look(small)
        height, width = small.shape[:2]
        zone = self.params.zone
        box = Box(zone.x, zone.y, min(zone.w, 1.0 - zone.x), min(zone.h, 1.0 - zone.y))
        if cells is None:
            return [Observation("visibility", 0.0, box)]
        watched = _shrunk(self.params.inside(width, height), cells.edges.shape) > 127
        view = self._views.get(cells.grey)
        if view is None or view.now.edges.shape != cells.edges.shape:
            view = self._views[cells.grey] = _View(cells)
        view.see(cells, gap_s)
        veiled = view.judge(watched)
        score = max(Ramp(0.0, self.params.lost_share)(veiled.share), veiled.at_once)
        view.learn(gap_s, hold=score >= 0.5 * self.params.threshold)
        features = {
            "veiled": veiled.share,
            "contrast": veiled.contrast,
            "at_once": veiled.at_once,
            "landmarks": float(veiled.landmarks),
        }
        found: list[Finding] = [Observation("visibility", score, box, features=features)]
        if veiled.landmarks >= LEAST_LANDMARKS and self._is_due(frame.captured_at):
            found.append(Measurement("visibility_share", veiled.contrast))
        return found

    def _is_due(self, at: datetime) -> bool:
        if self._reported is None or (at - self._reported).total_seconds() < 0.0:
            self._reported = at
        due = (at - self._reported).total_seconds() >= REPORT_S
        if due:
            self._reported = at
        return due


@dataclass(slots=True)
class _Cells:
    """What one picture shows, cell by cell."""

    edges: Plane  # mean Sobel sum of luma
    contrast: Plane  # deviation of luma within the cell and its neighbours
    dark: Plane  # mean of the darkest of the three colours
    grey: bool  # no colours: infrared

    def toward(self, other: _Cells, weight: float) -> None:
        """Move to another picture by a weight."""
        for name in ("edges", "contrast", "dark"):
            mine: Plane = getattr(self, name)
            mine += np.float32(weight) * (getattr(other, name) - mine)


@dataclass(frozen=True, slots=True)
class _Veiled:
    share: float  # of the landmarks, weighted by how much they are veiled
    contrast: float  # of the landmarks, against clear days, 0..1
    at_once: float  # 0..1: a picture that is a veil as a whole, whatever it was before
    landmarks: int


@dataclass(slots=True)
class _View:
    """A view, now and on its clear days."""

    now: _Cells
    clear_edges: Plane = field(init=False)
    clear_contrast: Plane = field(init=False)
    clear_dark: Plane = field(init=False)
    lately: list[NDArray[np.float32]] = field(default_factory=list)  # (3, rows, columns) each
    lasting: NDArray[np.float32] | None = None  # edges, contrast, dark: what most of them show
    every_s: float = FIRST_S
    taken_s: float = -math.inf
    known_s: float = 0.0
    sharp: float = 0.0  # mean edges that a tenth of the cells had at once, lately

    def __post_init__(self) -> None:
        self.clear_edges = self.now.edges.copy()
        self.clear_contrast = self.now.contrast.copy()
        self.clear_dark = self.now.dark.copy()

    def see(self, cells: _Cells, gap_s: float) -> None:
        """Take in a picture."""
        self.now.toward(cells, 1.0 - math.exp(-gap_s / CALM_S))
        sharp = float(np.percentile(cells.edges, 90))
        self.sharp = max(sharp, self.sharp * math.exp(-gap_s / LATELY_S))

    def learn(self, gap_s: float, hold: bool) -> None:
        """Follow the clear days. hold: it is no clear day."""
        self.known_s += gap_s
        if hold:
            return
        lasting = self._lasting()
        for clear, now, better in (
            (self.clear_edges, lasting[0], 1.0),
            (self.clear_contrast, lasting[1], 1.0),
            (self.clear_dark, lasting[2], -1.0),
        ):
            rise, fall = (1.0 - math.exp(-gap_s / s) for s in (RISE_S, FALL_S))
            rate = np.where((now - clear) * better > 0.0, rise, fall).astype(np.float32)
            clear += rate * (now - clear)

    def _lasting(self) -> NDArray[np.float32]:
        """Edges, contrast and dark as most pictures of the last minutes show them at the least."""
        if self.lasting is None or self.known_s - self.taken_s >= self.every_s:
            self.taken_s = self.known_s
            self.lately.append(np.stack((self.now.edges, self.now.contrast, self.now.dark)))
            if len(self.lately) > KEPT:
                if self.every_s < LAST_S:  # every second one, twice as far apart
                    self.lately = self.lately[::2]
                    self.every_s = min(LAST_S, 2.0 * self.every_s)
                else:
                    self.lately.pop(0)
            pictures = np.sort(np.stack(self.lately), axis=0)
            least = int((1.0 - LASTS) * (len(pictures) - 1))
            self.lasting = pictures[least]
            self.lasting[2] = pictures[len(pictures) - 1 - least, 2]
        return self.lasting

    def judge(self, watched: NDArray[np.bool_]) -> _Veiled:
        """How much of the landmarks is veiled."""
        at_once = self._at_once(watched)
        marks = watched & (self.clear_edges >= LANDMARK)
        count = int(np.count_nonzero(marks))
        if count < LEAST_LANDMARKS or self.known_s < LEARN_S:
            return _Veiled(0.0, 1.0, at_once, count)
        clear_edges, clear_contrast = self.clear_edges[marks], self.clear_contrast[marks]
        edges = np.minimum(self.now.edges[marks] / clear_edges, 1.0)
        contrast = np.minimum(self.now.contrast[marks] / np.maximum(clear_contrast, 1.0), 1.0)
        rise = self.now.dark[marks] - self.clear_dark[marks]
        parts = (
            _ramped(EDGES, 1.0 - edges),
            _ramped(CONTRAST, 1.0 - contrast),
            _ramped(VEIL, rise),
        )
        veiled = np.cbrt(parts[0] * parts[1] * parts[2])
        return _Veiled(float(veiled.mean()), float(contrast.mean()), at_once, count)

    def _at_once(self, watched: NDArray[np.bool_]) -> float:
        if not watched.any():
            return 0.0
        dark = float(np.median(self.now.dark[watched]))
        contrast = float(np.median(self.now.contrast[watched]))
        edges = float(np.median(self.now.edges[watched]))
        veil = VEIL_AT_ONCE(dark) * FLAT_AT_ONCE(contrast) * SOFT_AT_ONCE(edges)
        return veil * NOTHING_SHARP(self.sharp)


def _ramped(ramp: Ramp, values: Plane) -> Plane:
    share = (values - ramp.nothing) / (ramp.full - ramp.nothing)
    return np.asarray(np.clip(share, 0.0, 1.0), np.float32)


def _look(image: Image) -> _Cells | None:
    """The cells of a picture; None where it is night and nothing can be told, or too small."""
    height, width = image.shape[:2]
    if min(height, width) < 2 * CELLS:
        return None
    luma = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if float(np.percentile(np.asarray(luma[::4, ::4]), 90)) < DARK:
        return None
    scale = CELLS / max(height, width)
    shape = max(2, round(height * scale)), max(2, round(width * scale))
    smooth = cv2.GaussianBlur(luma, (3, 3), 0)
    sobel = cv2.addWeighted(
        cv2.convertScaleAbs(cv2.Sobel(smooth, cv2.CV_16S, 1, 0)),
        0.5,
        cv2.convertScaleAbs(cv2.Sobel(smooth, cv2.CV_16S, 0, 1)),
        0.5,
        0.0,
    )
    lowest = cv2.min(cv2.min(*cv2.split(image)[:2]), cv2.extractChannel(image, 2))
    # without the fine: a lens out of focus takes that, the air takes the coarse as well
    plane = cv2.blur(luma, (COARSE, COARSE)).astype(np.float32)
    mean, square = _shrunk(plane, shape), _shrunk(plane * plane, shape)
    wide_mean, wide_square = (np.asarray(cv2.blur(p, (3, 3))) for p in (mean, square))
    deviation = np.sqrt(np.maximum(wide_square - wide_mean**2, 0.0))
    return _Cells(
        edges=np.asarray(_shrunk(sobel, shape), np.float32) * 2.0,
        contrast=np.asarray(deviation, np.float32),
        dark=_shrunk(lowest, shape),
        grey=is_grey(image),
    )


def _shrunk(plane: cv2.typing.MatLike, shape: tuple[int, ...]) -> Plane:
    """Means over the cells."""
    small = cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
