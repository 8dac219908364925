"""The report as one page that needs nothing else: no script, no address, pictures within."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from gridwarden.evaluation import drawing, text
from gridwarden.evaluation.recorder import Chosen
from gridwarden.evaluation.recording import Recording
from gridwarden.evaluation.report import Report
from gridwarden.evaluation.scoring import ClipVerdict, Verdict
from gridwarden.evaluation.stills import Wanted, pictures

AROUND = (-25, 0, 25)  # frames shown with each error
MOST_ERRORS = 6  # of one clip and detector that are shown with pictures

STYLE = """
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;
color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #d5dbe3}
pre{background:#f5f7fa;padding:.8rem;overflow:auto}figure{margin:.6rem 0}
figcaption{color:#566273}img{margin-right:4px;border:1px solid #d5dbe3}
svg{width:100%;height:auto;display:block}svg.curve{max-width:34rem}
.false,.late,.missed{color:#b42318}.right{color:#18794e}
summary{cursor:pointer;color:#566273;margin:.6rem 0}li a{color:inherit}
@media (prefers-color-scheme:dark){body{background:#14181f;color:#d9e0ea}
pre{background:#1c222c}figcaption,summary{color:#93a0b4}
.false,.late,.missed{color:#ff8a80}.right{color:#6fcf97}}
"""


def page(report: Report, recordings: Sequence[Recording], folder: Path | None) -> str:
    """The whole page. folder: what clips are relative to, None: no pictures."""
    by_clip = {r.header.clip: r for r in recordings}
    body = "\n".join(_body(report, by_clip, folder))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Gridwarden evaluation</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _body(report: Report, recordings: dict[str, Recording], folder: Path | None) -> Iterator[str]:
    yield "<h1>How right the detectors are</h1>"
    yield (
        "<p>Intervals are 95 %: Wilson for shares, exact Poisson (one-sided) for rates, order "
        "statistics for quantiles.</p>"
    )
    yield f"<pre>{escape(chr(10).join(text.lines(report)))}</pre>"
    for sweep in report.sweeps:
        yield f"<h2>{escape(sweep.kind)} over thresholds</h2>"
        if sweep.refused:
            yield f"<p>None: {escape(sweep.refused)}.</p>"
        else:
            found = {_threshold(sweep.kind, r, report.changed) for r in recordings.values()}
            yield drawing.curves(sweep, found.pop() if len(found) == 1 else None)
    yield from _clips(report, recordings, folder)


def _clips(report: Report, recordings: dict[str, Recording], folder: Path | None) -> Iterator[str]:
    """What went wrong as a list, then those clips, then others with alarms or events, the rest."""
    shown = [v for v in report.verdicts if v.clip in recordings]
    wrong = [v for v in shown if any(_errors(v))]
    right = [v for v in shown if v not in wrong and (v.alarms or v.events)]
    quiet = [v for v in shown if v not in wrong and v not in right]
    yield "<h2>What went wrong</h2>"
    if wrong:
        yield "<ul>"
        for verdict in wrong:
            for _, name, words in _errors(verdict):
                yield (
                    f'<li class="{name}"><a href="#{_anchor(verdict)}">{escape(verdict.kind)} '
                    f"{escape(verdict.clip)}: {escape(words)}</a></li>"
                )
        yield "</ul>"
    else:
        yield "<p>Nothing.</p>"
    yield "<h2>Clip by clip</h2>"
    yield (
        "<p>Line: score; dotted: the threshold. Green band: labelled event, dark line its onset. "
        "Marks: alarms, green right, red false or late, grey not judged or a repetition.</p>"
    )
    for verdict in (*wrong, *right):
        yield from _clip(verdict, recordings[verdict.clip], report, folder)
    if quiet:
        yield f"<details><summary>{len(quiet)} more, without alarm or event</summary>"
        for verdict in quiet:
            yield from _clip(verdict, recordings[verdict.clip], report, None)
        yield "</details>"


def _anchor(verdict: ClipVerdict) -> str:
    return escape(f"{verdict.kind}-{verdict.clip}".replace(" ", "_"))


def _threshold(kind: str, recording: Recording, changed: Chosen) -> float | None:
    """The threshold in force, None for a detector without."""
    for note in recording.header.detectors:
        if note.kind == kind:
            value = {**note.parameters, **changed.get(kind, {})}.get("threshold")
            return float(value) if isinstance(value, int | float) else None
    return None


def _clip(
    verdict: ClipVerdict, recording: Recording, report: Report, folder: Path | None
) -> Iterator[str]:
    """Its timeline; where folder is given the frames around each error, too."""
    threshold = _threshold(verdict.kind, recording, report.changed)
    yield (
        f'<figure id="{_anchor(verdict)}"><figcaption><b>{escape(verdict.kind)}</b> '
        f"{escape(verdict.clip)}, "
        f"{recording.duration_s:.1f} s{'' if verdict.judged else ', not judged'}</figcaption>"
        f"{drawing.timeline(verdict, recording, threshold)}</figure>"
    )
    errors = list(_errors(verdict))[:MOST_ERRORS]
    if folder is None or not errors:
        return
    last = len(recording.frame_us) - 1
    around = {n: [min(max(0, n + step), last) for step in AROUND] for n, _, _ in errors}
    wanted = tuple(sorted({number for numbers in around.values() for number in numbers}))
    found = pictures(Wanted(str(folder / verdict.clip), wanted))
    for frame, name, words in errors:
        shown = "".join(
            f'<img alt="frame {n}" src="data:image/jpeg;base64,'
            f'{base64.b64encode(found[n]).decode()}">'
            for n in dict.fromkeys(around[frame])
            if n in found
        )
        yield f'<figure><figcaption class="{name}">{escape(words)}</figcaption>{shown}</figure>'


def _errors(verdict: ClipVerdict) -> Iterator[tuple[int, str, str]]:
    """(frame, class, words) of what went wrong."""
    for judged in verdict.alarms:
        if judged.verdict in (Verdict.FALSE, Verdict.LATE):
            a = judged.alarm
            yield (
                a.raised_frame,
                str(judged.verdict),
                f"{judged.verdict}: {a.label} at {a.raised_s:.1f} s, frame {a.raised_frame}: "
                f"{a.reason}",
            )
    for event in verdict.events:
        if verdict.judged and not event.told:
            words = f"missed: begins at {event.start_s:.1f} s, frame {event.first_frame}"
            yield event.first_frame, "missed", words
