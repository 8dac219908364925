"""What grid events are about: categories, sub-categories, and how detections become them.

Read from `configs/categories.toml`; the file explains each key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from contract.errors import GridwardenError
from contract.taxonomy import Category, Severity
from hub.domain.deadline import DeadlineError, Limit
from hub.domain.filing import Bar
from hub.domain.trust import TrustRule

LimitKind = Literal["urgent_hour", "work_hour", "work_day", "natural_day"]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_NotNegative = Annotated[float, msgspec.Meta(ge=0)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class CategoriesError(GridwardenError, ValueError):
    """The categories make no sense."""


class Bilingual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    en: str
    zh: str


class MergeGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings of one group near each other in place and time are one grid event."""

    radius_m: Annotated[float, msgspec.Meta(gt=0, le=5000)]
    time_s: _Positive  # further apart in time than this is another event
    clear_s: _Positive  # a suspected event whose scene is clear this long lapses
    reopen_h: _NotNegative = 0.0  # found again so soon after closing: the case is reopened
    recur_days: _NotNegative = 0.0  # found again so soon: a new event, linked; three: a hotspot


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under what condition an event is filed, and how long its handling may then take."""

    id: str
    en: str
    zh: str
    limit: _Positive
    kind: LimitKind


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A detector kind, or labels of it, that open events of a sub-category.

    label: one label, `*.gap` for every label with that ending, `*` for all that no other feed
    names. The more exact one counts.
    """

    kind: str
    label: str = "*"

    def means(self, kind: str, label: str) -> bool:
        """Whether it names this kind and label."""
        ending = self.label.startswith("*.") and label.endswith(self.label[1:])
        return self.kind == kind and (self.label in ("*", label) or ending)


class ByItself(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a sub-category asks for before it files by itself; None: as in [filing]."""

    on: bool | None = None
    probability: _Share | None = None
    persist_s: _NotNegative | None = None
    trust: _Share | None = None


class Filing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When events are filed by themselves, where a sub-category says nothing else."""

    emergencies: bool = False  # S1 sub-categories do
    probability: _Share = 0.8
    persist_s: _NotNegative = 3.0
    trust: _Share = 0.9
    verdicts: Annotated[int, msgspec.Meta(ge=30, le=1000)] = 30
    window: Annotated[int, msgspec.Meta(ge=30, le=1000)] = 100


class Corroboration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two senses that confirm each other: what cameras see, and what is measured near by."""

    id: str
    en: str
    zh: str
    seen: Annotated[list[Feed], msgspec.Meta(min_length=1)]
    measured: Annotated[list[Feed], msgspec.Meta(min_length=1)]
    within_s: _Positive

    def side(self, kind: str, label: str) -> Literal["seen", "measured"] | None:
        """Which of the two a detection is."""
        if any(f.means(kind, label) for f in self.seen):
            return "seen"
        return "measured" if any(f.means(kind, label) for f in self.measured) else None


class SubCategory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What exactly an event is."""

    id: str
    category: Category
    en: str
    zh: str
    severity: Severity
    group: str
    conditions: Annotated[list[Condition], msgspec.Meta(min_length=1)]
    closing: Bilingual
    national_code: str = ""
    feeds: list[Feed] = []
    self_handle: bool = False  # the grid assistant may settle it on the spot
    dispatch_by_rule: bool = False  # once filed, without anybody's word
    machine_may_close: bool = False  # a rule may pass the check (S3 and S4 only)
    by_itself: ByItself = ByItself()

    def condition(self, id: str | None) -> Condition | None:
        """The condition of that id; the first for None; None where there is no such."""
        if id is None:
            return self.conditions[0]
        return next((c for c in self.conditions if c.id == id), None)


class _Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dispatch: str
    check: str
    beyond: str
    accept: str | None = None


@dataclass(frozen=True, slots=True)
class StageLimits:
    """The limits of the stages of one severity; that of disposal stands with the condition."""

    accept: Limit | None  # None: a new event waits without a limit
    dispatch: Limit
    check: Limit
    beyond: Limit  # what the whole case may take beyond its disposal


class _File(msgspec.Struct, forbid_unknown_fields=True):
    limit: dict[Severity, _Limits]
    reopen_window_days: _Positive
    unlisted_kind: str
    no_event_kinds: list[str]
    category: dict[Category, Bilingual]
    group: dict[str, MergeGroup]
    subcategory: list[SubCategory]
    no_event: list[Feed] = []
    filing: Filing = Filing()
    corroboration: list[Corroboration] = []


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories in force. Thread-safe: never changed once loaded."""

    names: Mapping[Category, Bilingual]
    groups: Mapping[str, MergeGroup]
    subcategories: Mapping[str, SubCategory]
    reopen_window: timedelta
    limits: Mapping[Severity, StageLimits]
    filing: Filing
    corroborations: tuple[Corroboration, ...]
    _feeds: Mapping[tuple[str, str], SubCategory]
    _no_event_kinds: frozenset[str]
    _no_event: frozenset[tuple[str, str]]
    _unlisted: SubCategory

    def opened_by(self, kind: str, label: str) -> SubCategory | None:
        """What a detection of this kind and label is, None where it opens no event.

        A kind that nobody has listed is not lost: it opens the event meant for such.
        """
        if kind in self._no_event_kinds:
            return None
        for key in ((kind, label), (kind, f"*.{label.rpartition('.')[2]}"), (kind, "*")):
            if key in self._no_event:
                return None
            if key in self._feeds:
                return self._feeds[key]
        return self._unlisted

    def bar(self, what: SubCategory) -> Bar:
        """What a sub-category asks for before it files by itself."""
        own, rest = what.by_itself, self.filing
        emergency = what.severity is Severity.S1 and rest.emergencies
        return Bar(
            on=emergency if own.on is None else own.on,
            probability=rest.probability if own.probability is None else own.probability,
            persist_s=rest.persist_s if own.persist_s is None else own.persist_s,
            trust=rest.trust if own.trust is None else own.trust,
        )

    def trust_rule(self, what: SubCategory | None) -> TrustRule:
        """What a stream has to meet to earn trust for it; None: as in [filing]."""
        target = self.filing.trust if what is None else self.bar(what).trust
        return TrustRule(target, self.filing.verdicts, self.filing.window)

    def general(self, category: Category) -> SubCategory:
        """What a report of this category is where nothing more exact was said."""
        return next(s for s in self.subcategories.values() if s.category is category)


def load_categories(path: Path) -> Categories:
    """The categories in the file; raises CategoriesError saying what is wrong with it."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as e:
        raise CategoriesError(
            f"cannot read the categories {path} ({e.strerror}): name the file in [hub] "
            "categories_file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as e:
        raise CategoriesError(f"categories {path}: {e}") from None
    subcategories = {s.id: s for s in file.subcategory}
    feeds: dict[tuple[str, str], SubCategory] = {}
    for s in file.subcategory:
        for feed in s.feeds:
            if feeds.setdefault((feed.kind, feed.label), s) is not s:
                raise CategoriesError(
                    f"categories {path}: {feed.kind}/{feed.label} feeds both "
                    f"{feeds[feed.kind, feed.label].id} and {s.id}"
                )
        if s.group not in file.group:
            raise CategoriesError(f"categories {path}: {s.id} names no known group {s.group!r}")
    if len(subcategories) < len(file.subcategory):
        raise CategoriesError(f"categories {path}: two sub-categories have the same id")
    if file.filing.window < file.filing.verdicts:
        raise CategoriesError(
            f"categories {path}: filing.window {file.filing.window} must not be below "
            f"filing.verdicts {file.filing.verdicts}: trust would never be earned"
        )
    for name, group in file.group.items():
        if group.recur_days * 24 < group.reopen_h:
            raise CategoriesError(
                f"categories {path}: group {name} has reopen_h {group.reopen_h:g} beyond "
                f"recur_days {group.recur_days:g}: the later window must reach further"
            )
    covered = {s.category for s in file.subcategory}
    for category in Category:
        if category not in file.category or category not in covered:
            raise CategoriesError(
                f"categories {path}: {category} needs a name and at least one sub-category"
            )
    if file.unlisted_kind not in subcategories:
        raise CategoriesError(
            f"categories {path}: unlisted_kind {file.unlisted_kind!r} is no sub-category"
        )
    return Categories(
        names=file.category,
        groups=file.group,
        subcategories=subcategories,
        reopen_window=timedelta(days=file.reopen_window_days),
        limits=_limits(path, file.limit),
        filing=file.filing,
        corroborations=tuple(file.corroboration),
        _feeds=feeds,
        _no_event_kinds=frozenset(file.no_event_kinds),
        _no_event=frozenset((f.kind, f.label) for f in file.no_event),
        _unlisted=subcategories[file.unlisted_kind],
    )


def _limits(path: Path, written: Mapping[Severity, _Limits]) -> Mapping[Severity, StageLimits]:
    missing = [s for s in Severity if s not in written]
    if missing:
        raise CategoriesError(f"categories {path}: no limits for {missing[0]}: add [limit.S1..S4]")
    try:
        return {
            severity: StageLimits(
                accept=Limit.parse(w.accept) if w.accept is not None else None,
                dispatch=Limit.parse(w.dispatch),
                check=Limit.parse(w.check),
                beyond=Limit.parse(w.beyond),
            )
            for severity, w in written.items()
        }
    except DeadlineError as e:
        raise CategoriesError(f"categories {path}: {e}") from None
