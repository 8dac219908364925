"""Which stills, clips and renderings of others the fire verifier learns from, and their sources.

Written down before anything was tuned. Stills of one source are pictures of one fire by one
camera: they stay together, in one of three folds. docs/models/fire-verifier.md says where each
can be had.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STILLS = "stills/fire8/train"
CLIPS = (  # openly licensed footage without fire, of the tuning half of `--split by-source`
    "video/traffic/T01_intel_car_detection.mp4",  # CC BY 4.0, intel-iot-devkit/sample-videos
    "video/nonfire/N28_orange_floor_people.mp4",  # CC BY 4.0, intel-iot-devkit/sample-videos
    "video/traffic/T02_bgs_video.avi",  # MIT, andrewssobral/bgslibrary
    "video/traffic/T03_bgs_video02.avi",
    "video/traffic/T04_bgs_video03.avi",
)
FURG = "video/fire/F06_dollhouse_furg_house6.mp4"  # CC0, steffensbola/furg-fire-dataset
FURG_BOXES = "video/fire/furg/house6.xml"
SHEETS = {  # simulated flames and smokes, CC0, Thomas Iche of Unity Labs: columns and rows
    "open/sheets/CandleSmoke01_20x4.png": (20, 4),
    "open/sheets/WispySmoke01_8x8.png": (8, 8),
    "open/sheets/WispySmoke02_8x8.png": (8, 8),
    "open/sheets/WispySmoke03_8x8.png": (8, 8),
    "open/sheets/Cloud01_8x8.png": (8, 8),
    "open/sheets/Cloud03_8x8.png": (8, 8),
    "open/sheets/Explosion01-light-nofire_5x5.png": (5, 5),
    "open/sheets/Explosion01-nofire_5x5.png": (5, 5),
    "open/sheets/Flame03_16x4.png": (16, 4),
    "open/sheets/FireBall01_8x8.png": (8, 8),
}
PANORAMAS = (  # places without fire, by day, at dusk, by night and indoors; CC0, Poly Haven
    "open/panoramas/adams_place_bridge_1k.hdr",
    "open/panoramas/dikhololo_night_1k.hdr",
    "open/panoramas/empty_warehouse_01_1k.hdr",
    "open/panoramas/forest_slope_1k.hdr",
    "open/panoramas/immenstadter_horn_1k.hdr",
    "open/panoramas/kiara_1_dawn_1k.hdr",
    "open/panoramas/lebombo_1k.hdr",
    "open/panoramas/potsdamer_platz_1k.hdr",
    "open/panoramas/rooitou_park_1k.hdr",
    "open/panoramas/st_fagans_interior_1k.hdr",
    "open/panoramas/studio_small_03_1k.hdr",
    "open/panoramas/venice_sunset_1k.hdr",
)
ELSEWHERE = " elsewhere"  # after the source of what was cut out of its still and shown elsewhere
FOLDS = 3  # a net that a third of the sources did not teach is scored on these
_FOLD = {  # of each source that is no rendering; what may show one fire or one place is together
    "garage": 0,
    "street news": 0,
    "street news and garage": 0,
    "tree line": 0,
    "ash cloud": 0,
    "smoke indoors": 0,
    "workshop": 1,
    "harbour": 1,
    "attack indoors": 1,
    "shop fog a": 1,
    "window": 1,
    "yard": 1,
    "window and yard": 1,
    "motorway": 2,
    "close-up": 2,
    "stairs": 2,
    "kitchen": 2,
    "corridor": 2,
    "indoors": 2,
    "night blast": 2,
    "shop fog b": 2,
    FURG: 1,
    **dict(zip(CLIPS, (0, 1, 0, 1, 2), strict=True)),
    **{path: number % FOLDS for number, path in enumerate(PANORAMAS)},
    "street": 0,
    "water": 1,
    "freeze": 2,
}
_RANGES = (  # first and last number of img_N, and the source
    (1, 4, "yard"),
    (5, 6, "window"),
    (7, 49, "window and yard"),
    (50, 58, "kitchen"),
    (59, 80, "corridor"),
    (81, 85, "stairs"),
    (86, 99, "close-up"),
    (100, 118, "indoors"),
    (200, 206, "kitchen"),
    (335, 399, "garage"),
    (400, 413, "street news"),
    (414, 457, "street news and garage"),
    (471, 499, "garage"),
    (500, 510, "street news"),
    (519, 543, "garage"),
    (601, 669, "motorway"),
    (700, 786, "workshop"),
    (800, 820, "ash cloud"),
    (821, 828, "tree line"),
    (900, 970, "shop fog a"),
    (971, 1062, "shop fog b"),
    (2036, 2052, "shop fog a"),
    (2076, 2152, "shop fog b"),
    (3000, 3000, "shop fog a"),
)
_NAMED = {
    "fire1_mp4": "close-up",
    "fire2_mp4": "garage",
    "newsmoke1_mp4": "shop fog b",
    "newsmoke2_mp4": "shop fog a",
    "pexels-alan-w-8365989_mp4": "harbour",
    "pexels-alan-w-8365993_mp4": "harbour",
    "smoke1_mp4": "window",
    "smoke2_mp4": "corridor",
    "test1_mp4": "night blast",
    "test2_mp4": "attack indoors",
    "test3_mp4": "smoke indoors",
}


@dataclass(frozen=True, slots=True)
class StillName:
    """What the name of a still tells."""

    source: str
    series: str  # of pictures by one camera in order
    number: int  # within it


def fold_of(source: str) -> int:
    """Which third of the sources it is of: 0, 1 or 2; a rendering's, by its number.

    Raises ValueError for a source that is not written down.
    """
    source = source.removesuffix(ELSEWHERE)
    if source in _FOLD:
        return _FOLD[source]
    number = source.rpartition(" ")[2]
    if number.isdigit():
        return int(number) % FOLDS
    raise ValueError(f"source {source!r} is in no fold")


def read_still(name: str) -> StillName:
    """Source and place of a still by its file name; raises ValueError for an unknown one."""
    found = re.match(r"(.+?)[-_]?(\d+)(?:--2-)?_(?:jpg|jpeg|png)\.rf\.", name)
    if found is None:
        raise ValueError(f"no still of the fire8 set is called {name!r}")
    series, number = found[1], int(found[2])
    if series == "smoke5_mp4":
        return StillName("ash cloud" if number < 14 else "tree line", series, number)
    if series in _NAMED:
        return StillName(_NAMED[series], series, number)
    for first, last, source in _RANGES:
        if series == "img" and first <= number <= last:
            return StillName(source, series, number)
    raise ValueError(f"still {name!r} belongs to no source that is written down")
