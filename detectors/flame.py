"""Open flame: what burns is orange, brighter than its surroundings, restless at one place, and
graded from a pale core to a deep red rim; it boils; and a net that was shown flames says so.

Two ways lead to a score, the higher one counts. By its restlessness: pixels that are flame-coloured
and keep turning between brighter and darker are gathered into regions, each judged by features
every one of which is also found in traffic, sunsets or advertising, but seldom all together; what
the verifier (`kit/verifier.py`) is sure is no flame counts less. By its look: flame-coloured
regions that change, and those that the camera's `objects` model takes for fire, are followed and
shown to the verifier; what it takes for flame must not be found again a fifth of a second later,
its motion taken out (`kit/boiling.py`). So the first way tells nothing while the picture as a whole
moves (camera, exposure), and the second goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import cv2
import numpy as np

from contract.episode import EpisodePolicy
from contract.geometry import Box
from contract.rules import ConfirmationRule
from contract.share_of_time import ShareOfTime
from detectors.kit.background import as_mask
from detectors.kit.boiling import UNKNOWN, Boiling
from detectors.kit.components import components
from detectors.kit.confirmation import confirmation, lasting_rule
from detectors.kit.eye import Eye
from detectors.kit.flame_bounds import JUDGEMENT, PROPOSED, VERIFIED
from detectors.kit.params import param
from detectors.kit.ramp import Ramp
from detectors.kit.region_track import OVERLAP, RegionTrack, RegionTracks, Spot, State
from detectors.kit.registry import register
from detectors.kit.thumbnail import thumbnail
from detectors.kit.types import Finding, Frame, Observation
from detectors.kit.warm_planes import (
    CLOSING,
    Hit,
    Labels,
    WarmPlanes,
    may_burn,
    scene_motion,
)
from detectors.kit.warm_scene import WarmScene

CONFIRM_SHARE = 0.8  # of confirm_s for which flame must be seen
REGIONS = 5  # the largest ones are judged
MIN_GAP_S = 0.03  # s; frames closer than this are not scored
MAX_GAP_S = 5.0  # s without a frame after which the scene is learnt anew


@dataclass(frozen=True, slots=True)
class FlameParams:
    """When flame is told."""

    threshold: float = param(
        0.5, minimum=0.05, maximum=1.0, unit="1", text="Score at which a frame speaks for flame"
    )
    confirm_s: float = param(
        2.0,
        minimum=0.5,
        maximum=60.0,
        unit="s",
        text="How long flame must be seen, four fifths of the time, before it is told",
    )
    min_area: float = param(
        0.0012,
        minimum=0.0002,
        maximum=0.5,
        unit="1",
        text="Smallest flame that counts fully, as a share of the picture's area",
    )
    off_delay_s: float = param(
        10.0, minimum=1.0, maximum=600.0, unit="s", text="Quiet this long ends the alarm"
    )
    verifier: bool = param(
        True, text="Ask our own verifier; without it flame is told by its restlessness alone"
    )
    confirmation: str = confirmation()


HEARD = timedelta(seconds=3.0)  # for which the word of a model holds: with many cameras it is rare
SURE = Ramp(0.25, 0.62)  # sureness of the verifier
SURE_AT_REST = Ramp(0.35, 0.75)  # the same before a scene at rest, where restlessness tells, too
CONFIRMED_FROM, REJECTED_BELOW = 0.5, 0.08  # sureness
SHOWN_AT_ONCE = 2  # regions of one picture that are shown to the verifier
LEAST = timedelta(seconds=1.0)  # that a region was seen before it can be hidden
WORTH_A_LOOK = 0.3  # score of a restless region from which the verifier is asked
DOUBTED = 0.45  # of its score is left to a restless region that the verifier takes for no flame
UNDOUBTED = Ramp(0.08, 0.30)  # sureness from which on all of it is left
HIDDEN_FOR = timedelta(seconds=0.7)  # at most: whoever walks by is past it
HIDDEN = 0.85  # of its score is left to a confirmed region that is hidden
CHANGING = 0.2  # share of the last second in which a pixel changed
# share of edges elsewhere that flicker, as they all do while the camera moves
SHAKEN = Ramp(0.85, 0.60)  # beyond which restlessness tells nothing; what a mast sways is below
SCENE_MOTION = Ramp(0.50, 0.25)  # below which a region has to keep its place


@register
class Flame:
    """Scores each frame for open flame."""

    kind: ClassVar[str] = "flame"
    version: ClassVar[str] = "7"
    summary: ClassVar[str] = "Open flame by colour and flicker, and by our own verifier."
    Params: ClassVar[type[FlameParams]] = FlameParams
    budget_ms: ClassVar[float] = 8.0
    sample_fps: ClassVar[float] = 10.0

    def __init__(self, params: FlameParams) -> None:
        self.params = params
        self._scene = WarmScene()
        self._tracks = RegionTracks(CONFIRMED_FROM, REJECTED_BELOW)
        self._eye = Eye()
        self._boiling = Boiling()
        self._restless_tracks = RegionTracks(CONFIRMED_FROM, REJECTED_BELOW)
        self._fires: Sequence[Box] = ()  # where a model sees fire
        self._heard_at: datetime | None = None
        self._at: datetime | None = None

    def use(self, params: FlameParams) -> None:
        """Judge by other parameters from the next frame on."""
        self.params = params

    def rule(self) -> ConfirmationRule:
        """Four fifths of `confirm_s` at or above the threshold."""
        p = self.params
        own = ShareOfTime(p.confirm_s, CONFIRM_SHARE, p.threshold, max_gap_s=MAX_GAP_S)
        return lasting_rule(p.confirmation, own, self.sample_fps)

    def policy(self) -> EpisodePolicy:
        """Flame flares and dies down: it ends after `off_delay_s` of quiet."""
        return EpisodePolicy(off_delay_s=self.params.off_delay_s)

    def reset(self) -> None:
        """Forget the scene."""
        self._scene.reset()
        self._tracks.reset()
        self._eye.reset()
        self._boiling.reset()
        self._restless_tracks.reset()
        self._fires, self._heard_at = (), None
        self._at = None

    def hear_of_fires(self, fires: Sequence[Box], at: datetime) -> None:
        """Where a model of this camera sees fire: each is one more region for the verifier."""
        self._fires, self._heard_at = fires, at

    def observe(self, frame: Frame) -> Iterable[Finding]:
        """One observation, or none where the last scored frame is less than 0.03 s ago."""
        gap_s = (frame.captured_at - self._at).total_seconds() if self._at is not None else 0.0
        if self._at is not None and 0.0 <= gap_s < MIN_GAP_S:
            return []
        small = frame.once(thumbnail)
        if not 0.0 <= gap_s <= MAX_GAP_S or self._scene.shape not in (None, small.shape[:2]):
            self.reset()
            gap_s = 0.0
        self._at = frame.captured_at
        planes, candidate = self._scene.step(small, gap_s)
        self._boiling.see(planes.luma, frame.captured_at)
        restless, track = self._followed(
            self._restless(planes, candidate), planes, frame.captured_at
        )
        if not self.params.verifier:
            return [restless]
        best = self._doubted(restless, track, frame, small.shape[1])
        seen = self._verified(planes, frame)
        return [seen if seen.score > best.score else best]

    def _restless(self, planes: WarmPlanes, candidate: Hit) -> Observation:
        """The region that is surest by its restlessness."""
        labels, stats = components(as_mask(candidate))
        if len(stats) < 2:
            return Observation("flame", 0.0)
        order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:REGIONS]
        if self._size(stats[order[0], cv2.CC_STAT_AREA] / candidate.size) == 0.0:
            return Observation("flame", 0.0)
        motion = scene_motion(planes.scene, planes.rate, candidate)
        best = Observation("flame", 0.0, features={"scene_motion": motion})
        for number in order:
            seen = self._judge(
                planes, candidate, labels, int(number), stats[number], motion, best.score
            )
            if seen.score > best.score:
                best = seen
        return best

    def _size(self, share: float) -> float:
        """How far a region's share of the picture counts, 0..1."""
        smallest = self.params.min_area
        return Ramp(smallest / 3.0, smallest)(share)

    def _followed(
        self, seen: Observation, planes: WarmPlanes, at: datetime
    ) -> tuple[Observation, RegionTrack | None]:
        """The surest restless region by all that it changed in the last second, and its track."""
        if seen.score < WORTH_A_LOOK or seen.box is None:
            self._restless_tracks.step([], at)
            return seen, None
        height, width = planes.luma.shape
        spot = Spot(*seen.box.to_pixels(width, height))
        (track,) = self._restless_tracks.step([spot], at)
        if track is None:  # it burns in more places than are followed
            return seen, None
        change = self._boiling.later(spot)
        if change is not None:
            track.changes.append(change)
        judged, features = JUDGEMENT["unmoved"], dict(seen.features)
        less = min(1.0, judged(track.unmoved) / judged(features["unmoved"]))
        features["unmoved"] = min(track.unmoved, features["unmoved"])
        score = seen.score * less ** (1.0 / 3.0)
        return Observation("flame", score, seen.box, features=features), track

    def _doubted(
        self, seen: Observation, track: RegionTrack | None, frame: Frame, width: int
    ) -> Observation:
        """A restless region counts less where the verifier is sure that it is no flame."""
        if track is None:
            return seen
        self._eye.see(frame)
        if self._restless_tracks.due(frame.captured_at):
            self._look(self._restless_tracks, track, width, frame.captured_at)
        told = seen.features | {"verifier": track.sureness}
        left = DOUBTED + (1.0 - DOUBTED) * UNDOUBTED(track.sureness)
        return Observation("flame", seen.score * left, seen.box, features=told)

    def _verified(self, planes: WarmPlanes, frame: Frame) -> Observation:
        """The region that the verifier is surest of."""
        hot = as_mask(may_burn(planes.blue, planes.green, planes.red))
        joined = np.asarray(cv2.morphologyEx(hot, cv2.MORPH_CLOSE, CLOSING))
        hit = joined > 0
        height, width = hit.shape
        found: list[_Hot] = []
        if cv2.countNonZero(joined):
            labels, stats = components(joined)
            for number in 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:REGIONS]:
                x, y, w, h, area = (int(v) for v in stats[number])
                if area < self.params.min_area / 3.0 * hit.size:
                    break
                inside = labels[y : y + h, x : x + w] == number
                changing = float((planes.activity[y : y + h, x : x + w][inside] > CHANGING).mean())
                if changing <= VERIFIED["changing"].nothing:
                    continue  # the motion gate: lamps, paint and sunsets rest
                found.append(_Hot(int(number), Spot(x, y, w, h), area, changing))
        found += self._proposed(planes, frame.captured_at, found)
        tracks = self._tracks.step([one.spot for one in found], frame.captured_at)
        best = self._hidden(frame.captured_at, width, height)
        if not found:
            return best
        self._show(frame, width)
        for track, one in zip(tracks, found, strict=True):
            if track is None or track.state is State.REJECTED:
                continue
            change = self._boiling.later(one.spot)
            if change is not None:
                track.changes.append(change)
            s, sure = one.spot, SURE(track.sureness)
            if sure == 0.0:
                track.score = 0.0
                continue
            still = SCENE_MOTION(scene_motion(planes.scene, planes.rate, hit))
            sure += still * (SURE_AT_REST(track.sureness) - sure)
            features = {
                "changing": one.changing,
                "boiling": track.boiling,
                "lasting": (frame.captured_at - track.first_at).total_seconds(),
                "in_place": 1.0 - still * (1.0 - track.first.shared(s)),
                "unmoved": 1.0 - still * (1.0 - track.unmoved),
            }
            if one.number:
                region = planes.features(labels, hit, one.number, s.x, s.y, s.w, s.h, one.area)
                features = dict(region) | features
            product = 1.0
            for name in VERIFIED if one.number else PROPOSED:
                product *= VERIFIED[name](features[name])
            track.score = score = product ** (1.0 / 3.0) * sure
            if score > best.score:
                box = Box.from_pixels(s.x, s.y, s.w, s.h, width, height)
                told = features | {"verifier": track.sureness}
                best = Observation("flame", score, box, features=told)
        return best

    def _proposed(self, planes: WarmPlanes, at: datetime, found: Sequence[_Hot]) -> list[_Hot]:
        """The regions where a model sees fire, none was found and something changes."""
        if self._heard_at is None or not timedelta() <= at - self._heard_at <= HEARD:
            return []
        height, width = planes.luma.shape
        proposed = []
        for box in self._fires[:REGIONS]:
            spot = Spot(*box.to_pixels(width, height))
            part = planes.activity[spot.y : spot.y + spot.h, spot.x : spot.x + spot.w]
            if not part.size or any(spot.shared(one.spot) >= OVERLAP for one in found):
                continue
            changing = float((part > CHANGING).mean())
            if changing > VERIFIED["changing"].nothing:
                proposed.append(_Hot(0, spot, spot.area, changing))
        return proposed

    def _hidden(self, at: datetime, width: int, height: int) -> Observation:
        """The surest region that was confirmed and is hidden just now: it counts a little less,
        and no longer than it was seen; what drove by is not hidden.
        """
        hidden = [
            t
            for t in self._tracks.tracks
            if t.state is State.OCCLUDED
            and at - t.seen_at <= min(HIDDEN_FOR, t.seen_at - t.first_at - LEAST)
        ]
        surest = max(hidden, key=lambda t: t.score, default=None)
        if surest is None:
            return Observation("flame", 0.0)
        s = surest.spot
        box = Box.from_pixels(s.x, s.y, s.w, s.h, width, height)
        return Observation("flame", HIDDEN * surest.score, box, features={"hidden": 1.0})

    def _show(self, frame: Frame, width: int) -> None:
        """Show the verifier the regions that waited longest."""
        at = frame.captured_at
        self._eye.see(frame)
        for track in self._tracks.due(at, SHOWN_AT_ONCE):
            self._look(self._tracks, track, width, at)

    def _look(self, tracks: RegionTracks, track: RegionTrack, width: int, at: datetime) -> None:
        """Show the verifier one region, every other time its mirror image."""
        verdict = self._eye.judge(track.spot, width, mirrored=len(track.scores) % 2 == 1)
        tracks.looked(track, verdict.flame, at)

    def _judge(
        self,
        planes: WarmPlanes,
        candidate: Hit,
        labels: Labels,
        number: int,
        stats: Labels,
        motion: float,
        beaten: float,
    ) -> Observation:
        """beaten: a score that another region has; one that stays below it need not be exact."""
        x, y, w, h, area = (int(v) for v in stats)
        height, width = labels.shape
        share = area / labels.size
        product = self._size(share) * SHAKEN(motion)
        if product == 0.0:  # most regions are too small
            return Observation("flame", 0.0)
        features: dict[str, float] = {}
        at_most = product
        for name, value in planes.features(labels, candidate, number, x, y, w, h, area):
            features[name] = value
            at_most *= JUDGEMENT[name](value)
            if at_most <= beaten**3:
                return Observation("flame", 0.0)
        change = self._boiling.of(Spot(x, y, w, h)) or UNKNOWN
        features["boiling"] = change.boiling
        features["unmoved"] = change.boiling / change.in_place if change.in_place > 0.0 else 1.0
        for name, ramp in JUDGEMENT.items():
            product *= ramp(features[name])
        # the cube root: three features half fulfilled and the others fully make 0.5
        score = product ** (1.0 / 3.0)
        features |= {"area": share, "scene_motion": motion}
        return Observation(
            "flame", score, Box.from_pixels(x, y, w, h, width, height), features=features
        )


@dataclass(frozen=True, slots=True)
class _Hot:
    """A region that changes and is flame-coloured, or fire to a model."""

    number: int  # of its label; 0 where only a model sees it
    spot: Spot
    area: int  # pixels
    changing: float  # share of it that changed again and again in the last second
