"""The report as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gridwarden.evaluation.report import Change, Report, SplitFigures, changes
from gridwarden.evaluation.scoring import CountFigures, KindFigures, Verdict
from gridwarden.evaluation.statistics import Quantile, Rate, Share

WORTH_A_LINE = (Verdict.FALSE, Verdict.LATE, Verdict.BENIGN, Verdict.UNJUDGED)


def lines(report: Report) -> Iterator[str]:
    """The report, line by line."""
    if report.changed:
        pairs = [f"{k}.{n}={v}" for k, values in report.changed.items() for n, v in values.items()]
        yield f"with {', '.join(pairs)}"
    for split in report.splits:
        yield from _split(split)
    yield from _errors(report)
    for clip, reason in report.not_measured.items():
        yield f"NOT MEASURED  {clip}: {reason}"
    if report.peak_memory_mib:
        yield f"peak memory of a clip's process: {report.peak_memory_mib:.0f} MiB"


def change_lines(found: Sequence[Change], against: str = "the recorded run") -> Iterator[str]:
    """What a replay gained and lost."""
    yield f"changed against {against}: {len(found)} alarms"
    for change in found:
        a = change.alarm
        yield (
            f"  {'gained' if change.gained else 'lost  '} {change.verdict:9s} {a.kind} {a.label} "
            f"at frame {a.raised_frame} ({a.raised_s:.1f} s)  {change.clip}"
        )


def perturbed_lines(name: str, what: str, plain: Report, report: Report) -> Iterator[str]:
    """What became of the figures and the alarms where the clips looked otherwise."""
    yield f"== {name}: {what}"
    whole = report.splits[0]
    for kind in whole.kinds:
        if kind.clips:
            yield (
                f"{kind.kind:16s} recall {share_text(kind.recall)}; "
                f"false clips {share_text(kind.false_clips)}"
            )
    if whole.counting.clips:
        yield from count_lines(whole.counting)
    yield from change_lines(changes(plain, report), "the clips as they are")
    for clip, reason in report.not_measured.items():
        yield f"NOT MEASURED  {clip}: {reason}"


def share_text(s: Share) -> str:
    """ "0.94 (15 of 16; 0.72 to 0.99)"."""
    if s.value is None:
        return "- (nothing to count among)"
    return f"{s.value:.2f} ({s.count} of {s.base}; {s.low:.2f} to {s.high:.2f})"


def rate_text(r: Rate) -> str:
    """ "2.1 per camera-hour (1 in 0.48 h; at most 9.9)"."""
    if r.per_hour is None or r.at_most is None:
        return "- (no time was judged)"
    return (
        f"{r.per_hour:.1f} per camera-hour ({r.count} in {r.hours:.3f} h; at most {r.at_most:.1f})"
    )


def quantile_text(q: Quantile, unit: str, places: int = 1) -> str:
    """ "4.2 s (n = 6; 3.1 to -)"; - where so few values give no bound."""
    if q.value is None:
        return "- (n = 0)"
    low, high = ("-" if b is None else f"{b:.{places}f}" for b in (q.low, q.high))
    return f"{q.value:.{places}f} {unit} (n = {q.base}; {low} to {high})"


def _split(split: SplitFigures) -> Iterator[str]:
    yield f"== {split.split}: {split.clips} clips, {split.hours * 60:.1f} minutes"
    for kind in split.kinds:
        yield from kind_lines(kind)
    if split.counting.clips:
        yield from count_lines(split.counting)


def kind_lines(f: KindFigures) -> Iterator[str]:
    """The figures of one detector."""
    yield f"{f.kind}"
    if f.clips:
        verdicts = ", ".join(f"{n} {v}" for v, n in f.alarms.items() if n) or "none"
        yield f"  alarms        {verdicts}; {f.judged} of {f.clips} clips judged"
        yield f"  precision     {share_text(f.precision)}"
        yield f"  recall        {share_text(f.recall)}"
        f1 = f.f1
        value = "-" if f1.value is None else f"{f1.value:.2f}"
        yield f"  F1            {value} ({f1.low:.2f} to {f1.high:.2f}; {f1.base} events + errors)"
        yield f"  false clips   {share_text(f.false_clips)}"
        yield f"  false alarms  {rate_text(f.false_alarms)}"
        yield f"  delay p50     {quantile_text(f.delay_p50_s, 's')}"
        yield f"  delay p90     {quantile_text(f.delay_p90_s, 's')}"
    if f.onset_rmse_s is not None:
        yield f"  onset RMSE    {f.onset_rmse_s:.2f} s (n = {f.delay_p50_s.base})"
    yield f"  cost p50      {quantile_text(f.cost_p50_ms, 'ms a frame', 2)}"
    yield f"  cost p95      {quantile_text(f.cost_p95_ms, 'ms a frame', 2)}"


def count_lines(f: CountFigures) -> Iterator[str]:
    """Counting, clip by clip."""
    share = "-" if f.share is None else f"{f.share:.3f}"
    most = "-" if f.at_most is None else f"{f.at_most:.3f}"
    yield f"counting        error {share} ({f.wrong} of {f.total} crossings; at most {most})"
    for c in f.clips:
        yield f"  {c.error:+4d}  {c.counted} counted, {c.by_hand} by hand  {c.clip}"


def _errors(report: Report) -> Iterator[str]:
    for clip in report.verdicts:
        for judged in clip.alarms:
            if judged.verdict in WORTH_A_LINE:
                a = judged.alarm
                yield (
                    f"{judged.verdict!s:9s} {a.kind} {a.label} at frame {a.raised_frame} "
                    f"({a.raised_s:.1f} s, peak {a.peak_score:.2f})  {clip.clip}"
                )
        for event in clip.events:
            if clip.judged and not event.told:
                yield (
                    f"missed    {clip.kind} from frame {event.first_frame} "
                    f"({event.start_s:.1f} s)  {clip.clip}"
                )
