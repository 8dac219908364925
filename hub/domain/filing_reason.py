"""The reason for filing by itself or not, in one sentence of either language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import NamedTuple

from hub.domain.filing import Device, Judgement, Why


class Sentence(NamedTuple):
    """One sentence in both languages."""

    en: str
    zh: str


BY_A_PERSON = Sentence(
    "Reported by a person: a person decides whether it is filed.", "人工上报：由人员决定是否立案。"
)
NOT_ASKED = Sentence(
    "It was opened before filing by itself was judged.", "该事件早于自动立案功能，未作判断。"
)
_DEVICES = {
    Device.UNSOUND: Sentence("the camera is not healthy", "摄像机状态异常"),
    Device.SILENT: Sentence("the device is not heard of", "设备失联"),
    Device.UNKNOWN: Sentence("no agent names the device", "设备未登记"),
}


def reason(judgement: Judgement, zone: tzinfo, unit: Sentence | None = None) -> Sentence:
    """Why it was filed by itself, or why not: everything that was in the way, nothing else.

    unit: what the unit it was sent to is called; None: by its code.
    """
    if judgement.passed:
        return _filed(judgement, unit)
    if judgement.failed == (Why.WINDOW,):
        held = _window(judgement, zone)
        return Sentence(
            f"Would have been filed by itself; {held.en}.", f"本应自动立案；{held.zh}。"
        )
    told = [_TOLD[why](judgement, zone) for why in judgement.failed]
    return Sentence(
        f"Not filed by itself: {'; '.join(s.en for s in told)}.",
        f"未自动立案：{'；'.join(s.zh for s in told)}。",
    )


def _filed(j: Judgement, unit: Sentence | None) -> Sentence:
    trust = (
        Sentence("an emergency needs no earned trust", "紧急事件无须信任积累")
        if j.exempt
        else Sentence(
            f"trust {j.trust:.2f} of {j.target:.2f} over {j.verdicts} verdicts",
            f"{j.verdicts} 次研判，信任度 {j.trust:.2f}（要求 {j.target:.2f}）",
        )
    )
    en = (
        f"Filed by itself: probability {j.probability:.2f} at or above {j.bar:.2f}, seen for "
        f"{j.lasted_s:g} s, device sound, no control window, {trust.en}"
    )
    zh = (
        f"自动立案：概率 {j.probability:.2f} 不低于 {j.bar:.2f}，持续 {j.lasted_s:g} 秒，"
        f"设备正常，无管控时段，{trust.zh}"
    )
    if j.unit is not None:
        to = unit or Sentence(j.unit, j.unit)
        en, zh = f"{en}; sent to {to.en} at once", f"{zh}；已立即派遣至{to.zh}"
    elif j.no_unit:
        en = f"{en}; not dispatched: no unit is responsible for it here"
        zh = f"{zh}；未派遣：此处无责任单位"
    return Sentence(f"{en}.", f"{zh}。")


def _trust(j: Judgement, _: tzinfo) -> Sentence:
    if j.verdicts is not None and j.least is not None and j.verdicts < j.least:
        return Sentence(
            f"{j.verdicts} of {j.least} verdicts, trust {j.trust:.2f} < {j.target:.2f}",
            f"研判 {j.verdicts}/{j.least} 次，信任度 {j.trust:.2f} < {j.target:.2f}",
        )
    return Sentence(
        f"trust {j.trust:.2f} < {j.target:.2f} over {j.verdicts} verdicts",
        f"{j.verdicts} 次研判，信任度 {j.trust:.2f} < {j.target:.2f}",
    )


def _window(j: Judgement, zone: tzinfo) -> Sentence:
    until = f"{j.window_until.astimezone(zone):%Y-%m-%d %H:%M}" if j.window_until else "?"
    works = j.window_kind == "works"
    return Sentence(
        f"{'approved works by' if works else 'silenced by'} {j.window_by} until {until}: "
        f"{j.window_reason}",
        f"{'经批准作业，' if works else '静默，'}{j.window_by}，至 {until}：{j.window_reason}",
    )


_TOLD: dict[Why, Callable[[Judgement, tzinfo], Sentence]] = {
    Why.OFF: lambda j, z: Sentence("its category does not", "该类别未启用"),
    Why.DRILL: lambda j, z: Sentence("it is a test", "属于测试"),
    Why.SCORE: lambda j, z: Sentence(
        f"probability {j.probability:.2f} < {j.bar:.2f}", f"概率 {j.probability:.2f} < {j.bar:.2f}"
    ),
    Why.PERSISTENCE: lambda j, z: Sentence(
        f"seen for {j.lasted_s:g} of {j.persist_s:g} s", f"持续 {j.lasted_s:g}/{j.persist_s:g} 秒"
    ),
    Why.DEVICE: lambda j, z: _DEVICES[Device(j.device or "unknown")],
    Why.TRUST: _trust,
    Why.WINDOW: _window,
}
