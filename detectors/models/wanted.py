"""Which classes of a model are told, from what score, where, and under which label.

Entries parted by `;`, each `CLASS as LABEL @ PLACE SCORE in CORNERS`, all but the class optional:

    person; garbage bag as rubbish 0.4 in 0.1,0.9 0.9,0.9 0.5,0.3; car @ gate in 0,1 1,1 0.5,0.5
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from contract.geometry import Box
from detectors.kit.areas import Corners, mask_of, read_corners
from detectors.models.boxes import Seen
from detectors.models.errors import ModelError

MOST_ENTRIES = 64
LOOKUP = 200  # cells of a picture's longer side in which a point is looked up in an area
_ENTRY = re.compile(
    r"(?P<name>[^@;]+?)"
    r"(?:\s+as\s+(?P<label>[a-z0-9][a-z0-9_-]{0,31}))?"
    r"(?:\s*@\s*(?P<place>[a-z0-9][a-z0-9_-]{0,31}))?"
    r"(?:\s+(?P<score>0?\.\d{1,4}|[01](?:\.0*)?))?"
    r"(?:\s+in\s+(?P<corners>[-+\d.,\seE]+))?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One subject."""

    name: str  # class of the model
    label: str
    place: str = ""
    least: float = 0.0  # a lower score counts as 0
    corners: Corners = ()  # none: the whole picture

    def holds(self, box: Box) -> bool:
        """Whether the thing stands in the area: the middle of its lower edge does."""
        if not self.corners:
            return True
        x, y = box.x + box.w / 2.0, min(box.y + box.h, 1.0)
        column, row = (min(int(v * LOOKUP), LOOKUP - 1) for v in (x, y))
        return bool(mask_of(self.corners, LOOKUP, LOOKUP)[row, column])


@lru_cache(maxsize=64)
def read_wanted(text: str) -> tuple[Wanted, ...]:
    """The entries of a text, none of an empty one. Raises ValueError naming the entry."""
    entries = [entry.strip() for entry in text.split(";") if entry.strip()]
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"{len(entries)} classes: at most {MOST_ENTRIES}")
    found = tuple(_entry(entry) for entry in entries)
    seen: set[tuple[str, str]] = set()
    for one in found:
        if (one.label, one.place) in seen:
            raise ValueError(
                f"{one.label!r} stands there twice: give each a place, as `{one.name} @ gate`"
            )
        seen.add((one.label, one.place))
    return found


def _entry(entry: str) -> Wanted:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(
            f"{entry!r:.80} is no class to tell: write CLASS as LABEL @ PLACE SCORE in x,y x,y x,y"
        )
    name = " ".join(found["name"].split())
    label = found["label"] or re.sub(r"[^a-z0-9_-]+", "_", name.lower())[:32]
    corners = read_corners(found["corners"]) if found["corners"] else ()
    return Wanted(name, label, found["place"] or "", float(found["score"] or 0.0), corners)


def read_names(text: str) -> tuple[str, ...]:
    """Names of classes parted by commas; none of an empty text."""
    return tuple(" ".join(name.split()) for name in text.split(",") if name.strip())


def check_known(names: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse a class that the model does not tell; raises ModelError."""
    for name in names:
        if name not in classes:
            near = difflib.get_close_matches(name, classes, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(classes)[:300]}"
            raise ModelError(f"the model tells no class {name!r}; {hint}")


def covered(box: Box, others: Sequence[Box]) -> float:
    """The largest share of a box that one of the others covers, 0..1."""
    most = 0.0
    for other in others:
        w = min(box.x + box.w, other.x + other.w) - max(box.x, other.x)
        h = min(box.y + box.h, other.y + other.h) - max(box.y, other.y)
        if w > 0.0 and h > 0.0 and box.w * box.h > 0.0:
            most = max(most, min(1.0, w * h / (box.w * box.h)))
    return most


def veto(seen: Sequence[Seen], by: Sequence[str], share: float = 0.5) -> list[Seen]:
    """What is left without the things that one of class `by` covers for `share` or more.

    A bag that somebody carries is not left behind, a hi-vis vest is no flame. What is of class
    `by` itself stays.
    """
    boxes = [s.box for s in seen if s.name in by]
    return [s for s in seen if s.name in by or covered(s.box, boxes) < share]


FIRE, SMOKE = frozenset({"fire", "flame", "flames"}), frozenset({"smoke"})
PERSON = frozenset({"person", "people", "pedestrian"})


def fire_classes(classes: Sequence[str]) -> tuple[Wanted, ...]:
    """What a model that knows fire or smoke tells of them, with the labels that the hub knows."""
    found = [Wanted(c, "fire") for c in classes if c.lower() in FIRE][:1]
    return (*found, *[Wanted(c, "smoke") for c in classes if c.lower() in SMOKE][:1])
