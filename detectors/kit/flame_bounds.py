"""What a region must show to be taken for flame: where each feature counts nothing, and fully.

`kit/warm_planes.py` and `kit/boiling.py` measure them.
"""

from __future__ import annotations

from detectors.kit.ramp import Ramp

# Tuned on the clips of docs/detectors.md; the physics is beside each.
JUDGEMENT: dict[str, Ramp] = {
    "restlessness": Ramp(1.1, 1.8),  # turning points/s: flames 2 to 5, occluded paint 1 to 1.5
    "activity": Ramp(0.15, 0.40),  # share of time in which a pixel changes: flames do not rest
    "persistence": Ramp(0.30, 0.55),  # share of the last 2 s at this place: vehicles move on
    "structure": Ramp(15.0, 30.0),  # deviation of luma within: core and rim, not a painted face
    "grading": Ramp(0.04, 0.10),  # deviation of green / red within: yellow core, red rim
    "orange": Ramp(0.82, 0.68),  # lower quartile of green / red: soot glows at 1,300 to 1,700 K
    "core": Ramp(0.38, 0.48),  # green / red of its brightest quarter: hot soot is yellow, paint red
    "hotter": Ramp(-0.16, -0.06),  # how much yellower its brightest quarter is: never redder
    "burnt_out": Ramp(0.85, 0.60),  # share at full red: a screen, where a flame would turn white
    "glow": Ramp(205.0, 240.0),  # 90th percentile of red: a source of light nearly saturates
    "contrast": Ramp(10.0, 40.0),  # red - blue above the surroundings': not a sodium-lit road
    "compactness": Ramp(0.10, 0.25),  # share of its box: not lines of yellow paint
    "coldness": Ramp(0.30, 0.10),  # share of time it was blue or white: advertising screens
    "boiling": Ramp(0.01, 0.03),  # unlike itself 0.2 s ago, its motion taken out: a shaken lamp
    "unmoved": Ramp(0.45, 0.75),  # share of its change that no motion explains: no vehicle, no leaf
}
# What a region that the verifier takes for flame must still show; wider, as the net knows the rest.
VERIFIED: dict[str, Ramp] = {
    "boiling": Ramp(0.05, 0.15),  # unlike itself 0.2 s ago, its motion taken out: no sign, no vest
    "unmoved": Ramp(0.20, 0.45),  # share of its change that no motion explains; 1 where all moves
    "changing": Ramp(0.05, 0.15),  # share of it that changed again and again in the last second
    "structure": Ramp(8.0, 16.0),
    "grading": Ramp(0.01, 0.03),
    "orange": Ramp(0.90, 0.80),
    "core": JUDGEMENT["core"],
    "hotter": JUDGEMENT["hotter"],
    "burnt_out": JUDGEMENT["burnt_out"],
    "contrast": Ramp(8.0, 25.0),
    "coldness": Ramp(0.40, 0.20),
    "lasting": Ramp(0.4, 0.8),  # s it has been followed: what drives by has left
    "in_place": Ramp(0.1, 0.4),  # share of its first place that it covers; 1 where all moves
}
# What a region that a model takes for fire must show: of colour the model knows more.
PROPOSED = ("boiling", "unmoved", "changing", "lasting", "in_place")
