"""What every detector keeps to, whoever wrote it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import cv2
import jsonschema
import numpy as np
import pytest

from contract.episode import Episode, Sample, Subject
from contract.messages import Reading
from contract.taxonomy import Phase
from detectors.kit.params import ParameterError, build, schema
from detectors.kit.protocol import Detector
from detectors.kit.registry import UnknownDetectorError, available, detector
from detectors.kit.types import Finding, Frame, Image, Measurement, Observation
from tests.detectors.scenes import START, beacon, car, film, flame

KINDS = sorted(available())


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fresh(kind: str, **values: Any) -> Detector:
    found = detector(kind)
    return found(build(found.Params, values, kind))


def rate(kind: str) -> float:
    return detector(kind).sample_fps or 25.0


@cache
def rendered(fps: float) -> tuple[Frame, ...]:
    """Six seconds in which much happens, once for all detectors; nobody can write to them."""
    busy = (car(0.3, lambda s: s * 0.3 - 0.1), flame(0.7, 0.8), beacon(0.15, 0.2))
    shown = tuple(film(6.0, *busy, fps=fps))
    for one in shown:
        one.image.flags.writeable = False
    return shown


def busy_film(kind: str, seconds: float = 6.0) -> Iterator[Frame]:
    """The first seconds of it."""
    fps = rate(kind)
    for one in rendered(fps)[: round(seconds * fps)]:
        yield dataclasses.replace(one)  # a frame keeps what was made of it for one detector


ALARMING = [kind for kind in KINDS if fresh(kind).rule() is not None]


def findings(watcher: Detector, frames: Iterator[Frame]) -> list[list[Finding]]:
    return [list(watcher.observe(f)) for f in frames]


def noise(width: int, height: int, seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def frame(image: Image, second: float, number: int) -> Frame:
    return Frame(image, START + timedelta(seconds=second), "scene", number)


def check(found: list[Finding]) -> None:
    for finding in found:
        if isinstance(finding, Observation):
            assert 0.0 <= finding.score <= 1.0
            assert all(np.isfinite(v) for v in finding.features.values())
        else:
            Reading(
                device="scene",
                metric=finding.metric,
                value=finding.value,
                unit=finding.unit,
                captured_at=START,
                place=finding.place,
                label=finding.label,
            )


def test_it_gives_scores_and_measurements_that_the_contract_takes(kind: str) -> None:
    for found in findings(fresh(kind), busy_film(kind)):
        check(found)


def test_a_detector_with_a_rule_scores_every_frame_it_asked_for(kind: str) -> None:
    watcher = fresh(kind)
    subjects = [
        {(f.label, f.place) for f in found if isinstance(f, Observation)}
        for found in findings(watcher, busy_film(kind))
    ]
    if watcher.rule() is None:
        assert not any(subjects)
    else:
        assert subjects[0]
        assert all(s == subjects[0] for s in subjects)


@pytest.mark.parametrize("kind", ALARMING)
def test_its_alarm_is_raised_by_full_scores_and_cleared_by_none_at_the_rate_it_asked_for(
    kind: str,
) -> None:
    """A rule whose longest gap is shorter than the time between two samples never raises."""
    watcher = fresh(kind)
    rule = watcher.rule()
    assert rule is not None
    episode = Episode(Subject("a", "scene", kind, "x"), rule, watcher.policy())
    seconds = [n / rate(kind) for n in range(round(120.0 * rate(kind)))]
    samples = (Sample(START + timedelta(seconds=s), 1.0 if s < 60.0 else 0.0) for s in seconds)
    told = [c.phase for c in map(episode.step, samples) if c is not None]
    assert (told[0], told[-1]) == (Phase.RAISED, Phase.CLEARED)
    assert set(told[1:-1]) <= {Phase.UPDATED}


@pytest.mark.parametrize("kind", ALARMING)
def test_an_engineer_chooses_how_its_scores_are_confirmed(kind: str) -> None:
    low = 0.8 * fresh(kind).params.threshold
    watcher = fresh(kind, confirmation=f"window_sum n=2 c={2 * low}")
    rule, own = watcher.rule(), fresh(kind).rule()
    assert rule is not None
    assert own is not None
    assert rule.threshold == pytest.approx(low)
    assert not any(own.step(START + timedelta(seconds=s), low).active for s in range(120))
    assert [rule.step(START + timedelta(seconds=s), low).active for s in range(2)] == [False, True]
    tuned = fresh(kind, confirmation="k_of_n k=1 n=1", threshold=0.1).rule()
    assert tuned is not None
    assert tuned.threshold == 0.1, "what is left out is its own"


def test_a_replay_after_a_reset_gives_the_same_findings(kind: str) -> None:
    watcher = fresh(kind)
    first = findings(watcher, busy_film(kind))
    watcher.reset()
    assert findings(watcher, busy_film(kind)) == first
    assert findings(fresh(kind), busy_film(kind)) == first


def test_it_never_writes_to_a_frame(kind: str) -> None:
    watcher = fresh(kind)
    for shown in busy_film(kind, seconds=2.0):
        kept = shown.image.copy()
        list(watcher.observe(shown))
        assert np.array_equal(shown.image, kept)


def test_it_does_not_keep_the_picture_it_was_shown(kind: str) -> None:
    """The edge writes the next picture into the same memory."""
    shared = np.zeros((180, 320, 3), np.uint8)
    watcher, truth = fresh(kind), fresh(kind)
    for shown in busy_film(kind):
        shared[:] = shown.image
        seen = list(watcher.observe(dataclasses.replace(shown, image=shared)))
        assert seen == list(truth.observe(shown))


def test_a_misspelt_parameter_is_refused_by_name(kind: str) -> None:
    name = next(f.name for f in dataclasses.fields(detector(kind).Params))
    with pytest.raises(ParameterError, match=f"{name}x.*did you mean '{name}'"):
        fresh(kind, **{name + "x": 1})


def test_its_schema_is_json_schema_and_holds_its_defaults(kind: str) -> None:
    params = detector(kind).Params
    described = schema(params)
    jsonschema.Draft202012Validator.check_schema(described)
    jsonschema.validate(dataclasses.asdict(params()), described)
    for name, facts in described["properties"].items():
        assert facts["description"], name
        if facts["type"] in ("number", "integer"):
            assert {"minimum", "maximum", "x-unit"} <= facts.keys(), name


def test_its_parameters_at_either_end_of_their_ranges_work(kind: str) -> None:
    properties = schema(detector(kind).Params)["properties"]
    for end in ("minimum", "maximum"):
        values = {n: p[end] for n, p in properties.items() if end in p}
        watcher = fresh(kind, **values)
        watcher.rule()
        watcher.policy()
        for found in findings(watcher, busy_film(kind, seconds=2.0)):
            check(found)


def test_other_parameters_take_hold_while_it_runs(kind: str) -> None:
    watcher = fresh(kind)
    findings(watcher, busy_film(kind, seconds=1.0))
    properties = schema(detector(kind).Params)["properties"]
    lowest = {n: p["minimum"] for n, p in properties.items() if "minimum" in p}
    truth = fresh(kind, **lowest)
    watcher.use(truth.params)
    assert (watcher.params, watcher.policy()) == (truth.params, truth.policy())
    watcher.reset()
    assert findings(watcher, busy_film(kind)) == findings(truth, busy_film(kind))
    rule, expected = watcher.rule(), truth.rule()
    assert (rule and rule.threshold) == (expected and expected.threshold)


@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (1, 200), (200, 1), (2, 3), (7, 5), (17, 640), (3840, 2160), (1080, 1920)],
)
def test_it_survives_pictures_of_any_size(kind: str, width: int, height: int) -> None:
    watcher = fresh(kind)
    for i in range(4):
        check(list(watcher.observe(frame(noise(width, height, i), i / rate(kind), i))))


def test_it_survives_a_change_of_resolution(kind: str) -> None:
    watcher = fresh(kind)
    number = 0
    for width, height in [(320, 180), (640, 360), (180, 320), (320, 180), (1, 1), (320, 180)]:
        for _ in range(3):
            shown = frame(noise(width, height, number), number / rate(kind), number)
            check(list(watcher.observe(shown)))
            number += 1


@pytest.mark.parametrize("gap_s", [0.0, 10.0, 86_400.0])
def test_it_survives_a_pause_of_any_length(kind: str, gap_s: float) -> None:
    watcher = fresh(kind)
    last = datetime.min
    for shown in busy_film(kind, seconds=2.0):
        watcher.observe(shown)
        last = shown.captured_at
    for later in busy_film(kind, seconds=2.0):
        moved = last + timedelta(seconds=gap_s) + (later.captured_at - START)
        check(list(watcher.observe(dataclasses.replace(later, captured_at=moved))))


def test_pictures_of_one_colour_are_taken(kind: str) -> None:
    watcher = fresh(kind)
    for i, level in enumerate([0, 0, 255, 255, 128, 0]):
        image = np.full((90, 160, 3), level, np.uint8)
        check(list(watcher.observe(frame(image, i / rate(kind), i))))


def test_a_picture_that_is_a_view_into_a_larger_one_is_taken(kind: str) -> None:
    watcher = fresh(kind)
    large = noise(640, 360, 1)
    for i in range(4):
        check(list(watcher.observe(frame(large[::2, ::2], i / rate(kind), i))))


def test_it_says_what_it_is(kind: str) -> None:
    found = detector(kind)
    assert found.kind == kind
    assert found.version
    assert found.summary.endswith(".")
    assert found.budget_ms > 0.0
    assert found.sample_fps >= 0.0


def test_an_unknown_kind_is_refused_with_those_there_are(kind: str) -> None:
    with pytest.raises(UnknownDetectorError, match=kind):
        detector("smke")


def test_the_threads_of_opencv_are_left_as_they_were(kind: str) -> None:
    before = cv2.getNumThreads()
    findings(fresh(kind), busy_film(kind, seconds=1.0))
    assert cv2.getNumThreads() == before


def test_measurements_and_observations_are_all_it_finds(kind: str) -> None:
    for found in findings(fresh(kind), busy_film(kind, seconds=2.0)):
        assert all(isinstance(f, Observation | Measurement) for f in found)
