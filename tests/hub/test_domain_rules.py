"""The pure rules: merging, correlation, ledger, grid, history, categories."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import Polygon, mapping

from contract.geometry import Point
from contract.taxonomy import Category, Phase, Severity
from hub.config import ConfigError, load
from hub.domain.categories import CategoriesError, load_categories
from hub.domain.correlate import Candidate, choose, rectangle, tile_keys
from hub.domain.grid import Cell, Grid, GridError
from hub.domain.grid_file import cells_from_geojson
from hub.domain.history import FIRST, Entry, entry_hash, first_broken
from hub.domain.lane_ledger import MAX_RANGES, LaneLedger
from hub.domain.merge import EpisodeState, from_record, merge
from hub.store.evidence import EvidenceFolder
from tests.hub.builders import SQUARE, START, detection, north

CATEGORIES_FILE = Path(__file__).parents[2] / "configs" / "categories.toml"
HUB_FILE = CATEGORIES_FILE.with_name("hub.toml")

_scores = st.sampled_from([0.1, 0.5, 0.9])


@st.composite
def _changes(draw: st.DrawFn) -> EpisodeState:
    record = detection(
        at=START + timedelta(seconds=draw(st.integers(0, 3))),
        episode="00000000-0000-4000-8000-000000000001",
        revision=draw(st.integers(1, 3)),
        phase=draw(st.sampled_from(list(Phase))),
        score=draw(_scores),
        peak_score=draw(_scores),
        position=draw(st.sampled_from([None, SQUARE])),
    )
    received_at = START + timedelta(seconds=draw(st.integers(0, 5)))
    return from_record(record, "demo", "agent", draw(st.sampled_from(["b1", "b2"])), received_at)


@given(_changes(), _changes(), _changes())
def test_merging_changes_is_independent_of_order_grouping_and_repetition(
    a: EpisodeState, b: EpisodeState, c: EpisodeState
) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a


_steps = st.one_of(
    st.tuples(st.just("add"), st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True)),
    st.tuples(
        st.just("lost"), st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda x: list(x))
    ),
)


@settings(max_examples=300)
@given(st.lists(_steps, max_size=25))
def test_the_ledger_agrees_with_two_plain_sets(steps: list[tuple[str, list[int]]]) -> None:
    ledger, here, lost = LaneLedger(), set[int](), set[int]()
    for what, numbers in steps:
        if what == "add":
            ledger.add((n, n) for n in sorted(numbers))
            here |= set(numbers)
            lost -= set(numbers)
        else:
            first, last = numbers[0], numbers[0] + numbers[1]
            ledger.declare_lost(first, last)
            lost |= set(range(first, last + 1)) - here
        known = here | lost
        assert {n for n in range(1, 60) if ledger.has(n)} == here
        assert ledger.lost_count == len(lost)
        assert {n for a, b in ledger.lost for n in range(a, b + 1)} == lost
        assert (
            ledger.received.watermark == next(n for n in itertools.count(1) if n not in known) - 1
        )


def test_a_lane_of_nothing_but_holes_does_not_grow_without_end() -> None:
    ledger = LaneLedger()
    ledger.add((n, n) for n in range(2, 2 * MAX_RANGES + 2, 2))

    assert not ledger.within_reach(3 * MAX_RANGES)
    assert ledger.within_reach(1)
    ledger.add((n, n) for n in range(1, 2 * MAX_RANGES, 2))
    assert ledger.within_reach(3 * MAX_RANGES)


@given(
    st.floats(-170, 170), st.floats(-70, 70), st.floats(5, 500), st.floats(0, 1), st.floats(0, 7)
)
def test_places_within_the_radius_share_a_lock(
    lon: float, lat: float, radius_m: float, share: float, bearing: float
) -> None:
    metres = radius_m * share * 0.999
    here = Point(lon, lat)
    there = Point(
        lon + metres * math.sin(bearing) / (111_195.0 * math.cos(math.radians(lat))),
        lat + metres * math.cos(bearing) / 111_195.0,
    )

    assert tile_keys("fire", here, radius_m) & tile_keys("fire", there, radius_m)
    (west, east), (south, north_) = rectangle(here, radius_m)
    assert west <= there.lon <= east
    assert south <= there.lat <= north_


def test_a_finding_joins_the_nearest_event_within_radius_and_time() -> None:
    def candidate(id: int, metres: float, ago_s: float) -> Candidate:
        at = START - timedelta(seconds=ago_s)
        return Candidate(id, north(SQUARE, metres), at, at)

    candidates = [candidate(1, 70, 10), candidate(2, 30, 10), candidate(3, 5, 901)]
    time = timedelta(seconds=900)

    assert choose(SQUARE, START, candidates, 80, time) == candidates[1]
    assert choose(SQUARE, START, candidates[:1], 80, time) == candidates[0]
    assert choose(north(SQUARE, -20), START, candidates[:1], 80, time) is None
    assert choose(SQUARE, START, candidates[2:], 80, time) is None
    assert choose(SQUARE, START - timedelta(seconds=800), candidates[2:], 80, time)


def _checkerboard() -> list[Cell]:
    """A district of 6 x 4 irregular cells without gap or overlap."""
    rng = random.Random(7)
    lattice = {
        (x, y): (113.0 + x * 0.01 + rng.uniform(-2e-3, 2e-3), 34.0 + y * 0.01)
        for x in range(7)
        for y in range(5)
    }
    outline = [lattice[x, 0] for x in range(7)] + [lattice[x, 4] for x in reversed(range(7))]
    left = [lattice[0, y] for y in reversed(range(1, 4))]
    right = [lattice[6, y] for y in range(1, 4)]
    ring = outline[:7] + right + outline[7:] + left
    cells = [
        Cell("410105", "District", "区", Polygon(ring)),
        Cell("410105001001", "Secondary", "二级网格", Polygon(ring)),
    ]
    for n, (x, y) in enumerate(itertools.product(range(6), range(4)), 1):
        corners = [lattice[x, y], lattice[x + 1, y], lattice[x + 1, y + 1], lattice[x, y + 1]]
        cells.append(Cell(f"410105001001{n:03}", f"Cell {n}", f"网格{n}", Polygon(corners)))
    return cells


def test_the_cell_of_a_point_is_the_one_that_looking_at_every_cell_finds() -> None:
    cells = _checkerboard()
    grid = Grid(cells)
    rng = random.Random(11)
    corners = [Point(*c) for cell in cells for c in mapping(cell.polygon)["coordinates"][0]]
    points = corners + [
        Point(rng.uniform(112.99, 113.07), rng.uniform(33.99, 34.05)) for _ in range(500)
    ]

    for point in points:
        holding = [
            c.code
            for c in cells
            if c.level == 1 and c.polygon.intersects(ShapelyPoint(point.lon, point.lat))
        ]
        found = grid.locate(point)
        assert (found.code if found else None) == (min(holding) if holding else None)
    basic = grid.locate(Point(113.03, 34.015))
    assert basic is not None
    assert basic.parent == "410105001001"
    district = grid.district_of(basic.code)
    assert district is not None
    assert district.level == 3


def _feature(code: str, ring: list[list[float]]) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"code": code, "name_en": "A", "name_zh": "甲"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def test_a_grid_that_makes_no_sense_is_refused_by_name() -> None:
    square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    crossed = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    for features, message in (
        ([_feature("410105", crossed)], "Self-intersection"),
        ([_feature("41010", square)], "has not 6, 12 or 15 digits"),
        ([_feature("410105001001", square)], "has no parent: add a feature 410105"),
        ([_feature("410105", square)] * 2, "repeats the code 410105"),
        ([{"type": "Feature", "properties": {}, "geometry": None}], "feature 1 of the grid"),
    ):
        with pytest.raises(GridError, match=message):
            cells_from_geojson({"type": "FeatureCollection", "features": features})
    with pytest.raises(GridError, match="FeatureCollection"):
        cells_from_geojson([])


def _chain(length: int) -> list[tuple[Entry, str, str]]:
    chain, before = [], FIRST
    for n in range(1, length + 1):
        entry = Entry(
            "410105-20261124-00001",
            n,
            START + timedelta(seconds=n),
            "comment",
            "filed",
            "filed",
            "leader",
            "li",
            None,
            {"given": {"note": f"第{n}次"}},
        )
        after = entry_hash(entry, before)
        chain.append((entry, before, after))
        before = after
    return chain


def test_an_altered_missing_or_exchanged_entry_breaks_the_chain() -> None:
    chain = _chain(5)
    assert first_broken(chain) is None

    altered = list(chain)
    altered[2] = (replace(chain[2][0], actor="wang"), *chain[2][1:])
    assert first_broken(altered) == 3
    assert first_broken([*chain[:1], *chain[2:]]) == 2
    assert first_broken([chain[0], chain[2], chain[1], *chain[3:]]) == 2


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    entry, before, after = _chain(1)[0]

    shanghai = datetime.fromisoformat("2026-11-24T16:00:01+08:00")
    assert shanghai == entry.at
    assert entry_hash(replace(entry, at=shanghai), before) == after


def test_every_category_is_named_and_every_detector_opens_what_it_sees() -> None:
    categories = load_categories(CATEGORIES_FILE)

    assert set(categories.names) == set(Category)
    opened = {
        (kind, label): (s.id, s.severity) if (s := categories.opened_by(kind, label)) else None
        for kind, label in (
            ("flame", "flame"),
            ("smoke", "smoke"),
            ("congestion", "congestion"),
            ("dumping", "object"),
            ("objects", "fire"),
            ("camera_health", "frozen"),
            ("reading_limit", "water_level.high"),
            ("reading_limit", "smoke.high"),
            ("reading_limit", "temperature.high"),
            ("reading_limit", "water_level.gap"),
            ("reading_limit", "pm2_5.stuck"),
            ("reading_anomaly", "pm2_5.anomaly"),
            ("reading_neighbours", "pm2_5.disagrees"),
            ("reading_neighbours", "pm2_5.rising"),
            ("reading_neighbours", "pressure.falling"),
            ("something_new", "x"),
        )
    }
    assert opened == {
        ("flame", "flame"): ("burning_or_fire", Severity.S1),
        ("smoke", "smoke"): ("smoke", Severity.S2),
        ("congestion", "congestion"): ("congestion", Severity.S3),
        ("dumping", "object"): ("exposed_rubbish", Severity.S3),
        ("objects", "fire"): ("burning_or_fire", Severity.S1),
        ("camera_health", "frozen"): None,
        ("reading_limit", "water_level.high"): ("flooded_road", Severity.S2),
        ("reading_limit", "smoke.high"): ("smoke", Severity.S2),
        ("reading_limit", "temperature.high"): ("measured_limit", Severity.S2),
        ("reading_limit", "water_level.gap"): None,
        ("reading_limit", "pm2_5.stuck"): None,
        ("reading_anomaly", "pm2_5.anomaly"): ("measured_limit", Severity.S2),
        ("reading_neighbours", "pm2_5.disagrees"): None,
        ("reading_neighbours", "pm2_5.rising"): ("site_dust", Severity.S3),
        ("reading_neighbours", "pressure.falling"): ("measured_limit", Severity.S2),
        ("something_new", "x"): ("other_emergency", Severity.S2),
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('group = "fire"', 'group = "nowhere"', "no known group 'nowhere'"),
        ('unlisted_kind = "other_emergency"', 'unlisted_kind = "x"', "'x' is no sub-category"),
        ('kind = "smoke"', 'kind = "flame"', "feeds both"),
        ('severity = "S1"', 'severity = "S9"', "S9"),
        ("radius_m = 80", "radius = 80", "radius"),
        ("reopen_window_days = 15", "reopen_window_days = ", "categories"),
    ],
)
def test_categories_that_make_no_sense_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = CATEGORIES_FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "categories.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(CategoriesError, match=message):
        load_categories(path)


def test_the_settings_file_says_what_the_defaults_are() -> None:
    written, defaults = load(HUB_FILE, {}), load(None, {})

    assert replace(written, hub=defaults.hub) == defaults
    assert written.hub.stations == defaults.hub.stations
    assert written.hub.categories_file == defaults.hub.categories_file
    assert written.hub.calendar_file == defaults.hub.calendar_file


def test_the_environment_wins_and_secrets_come_from_it(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(
        '[broker]\npassword = "${BROKER_PASSWORD}"\n[hub]\ndata_dir = "here"\n', encoding="utf-8"
    )

    settings = load(
        path,
        {
            "BROKER_PASSWORD": "hush",
            "GRIDWARDEN_HUB__DATABASE__URL": "postgresql://elsewhere/x",
            "GRIDWARDEN_HUB__BROKER__TLS": "true",
            "GRIDWARDEN_HUB__HUB__STATIONS": "north, south",
        },
    )

    assert settings.broker.password == "hush"
    assert "hush" not in repr(settings)
    assert settings.database.url == "postgresql://elsewhere/x"
    assert settings.broker.tls
    assert settings.hub.stations == ("north", "south")
    assert settings.hub.data_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[broker]\nprot = 1", "unknown key of \\[broker\\] 'prot'; did you mean 'port'"),
        ("[brokers]\nport = 1", "unknown section 'brokers'; did you mean 'broker'"),
        ('[broker]\nport = "many"', "broker.port must be a whole number, got 'many'"),
        ("[broker]\nport = 70000", "broker.port must lie in 1 to 65535, got 70000"),
        ('[broker]\npassword = "${NOT_SET}"', "needs the environment variable NOT_SET"),
        ('[hub]\ntime_zone = "Mars/Olympus"', "'Mars/Olympus' is not known"),
        ('[hub]\nstations = ["a/b"]', "station 'a/b' is not a name"),
        ("[ingest]\nhole_s = 0.01", "ingest.hole_s must lie in 0.1"),
        ("[broker", "is not TOML"),
        ("port = 1", "must be a table"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=message):
        load(path, {})


def test_nothing_but_a_digest_names_a_file_of_evidence(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path)
    for name in ("../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", ""):
        with pytest.raises(ValueError, match="not a SHA-256 digest"):
            folder.path(name)


def test_evidence_has_its_name_only_once_its_digest_is_right(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path)
    digest = folder.keep(b"a picture")
    other = digest[::-1]

    assert folder.path(digest).read_bytes() == b"a picture"
    folder.write(other, [(4, b"rest"), (0, b"some")])
    assert not folder.has(other)
    assert not folder.complete(other)
    assert not list(tmp_path.rglob("*.part"))
    folder.write(digest, [(0, b"overwrite")])
    assert folder.path(digest).read_bytes() == b"a picture"
