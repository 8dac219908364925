"""What clocks, limits and rules are called, and lengths of time in words, in both languages."""

from __future__ import annotations

from datetime import timedelta

from hub.api.words import Both
from hub.domain.clock_spans import Rule, Span, SpanState
from hub.domain.deadline import Kind, Limit
from hub.domain.ladder import Rung
from hub.domain.stages import Stage

CLOCKS: dict[Stage, Both] = {
    Stage.ACCEPT: Both("Decide", "受理"),
    Stage.DISPATCH: Both("Dispatch", "派遣"),
    Stage.DISPOSE: Both("Handle", "处置"),
    Stage.CHECK: Both("Check", "核查"),
    Stage.TOTAL: Both("Whole case", "全流程"),
}
DOES: dict[SpanState, Both] = {
    SpanState.RUNNING: Both("running", "计时中"),
    SpanState.PAUSED: Both("paused", "已暂停"),
    SpanState.OFF_HOURS: Both("off hours", "非工作时段"),
}
RULES: dict[Rule, Both] = {
    Rule.EVERY_HOUR: Both("every hour counts, day and night", "全天连续计时"),
    Rule.WORK_HOURS: Both("work hours", "工作时间"),
    Rule.MAKE_UP_DAY: Both("work hours of a make-up day", "调休上班日工作时间"),
    Rule.OUTSIDE_WORK_HOURS: Both("outside work hours", "非工作时间"),
    Rule.WEEKEND: Both("weekend", "周末"),
    Rule.HOLIDAY: Both("public holiday", "法定节假日"),
    Rule.PAUSE: Both("paused", "暂停计时"),
}
RUNGS: dict[Rung, Both] = {
    Rung.HANDLER: Both("the handler is told", "提醒处置人"),
    Rung.LEADER: Both("the leader is told", "提醒网格长"),
    Rung.OVERDUE: Both("overdue, put under supervision", "超时督办"),
    Rung.LEVEL_2: Both("level 2, the secondary grid", "升级至二级网格"),
    Rung.LEVEL_3: Both("level 3, the district", "升级至区级"),
}
_KINDS: dict[Kind, tuple[str, str]] = {
    Kind.URGENT_HOUR: ("urgent hour", "紧急工作时"),
    Kind.WORK_HOUR: ("work hour", "工作时"),
    Kind.WORK_DAY: ("work day", "工作日"),
    Kind.NATURAL_DAY: ("natural day", "自然日"),
}
# what the clock itself says of a pause; other reasons are a person's own words
_PAUSES: dict[str, str] = {
    "hung": "挂账",
    "at the check": "核查期间",
    "merged into another event": "并案期间",
    "extension granted": "获准延期",
}


def limit_words(limit: Limit) -> Both:
    """The limit as people say it: "2 work hours"; below an hour in minutes."""
    if limit.kind is Kind.URGENT_HOUR and limit.amount < 1:
        minutes = f"{limit.amount * 60:g}"
        return Both(f"{minutes} minute{'' if minutes == '1' else 's'}", f"{minutes}分钟")
    en, zh = _KINDS[limit.kind]
    amount = f"{limit.amount:g}"
    return Both(f"{amount} {en}{'' if amount == '1' else 's'}", f"{amount}个{zh}")


def length_words(length: timedelta) -> Both:
    """A length of time in its two largest units; its sign is left out."""
    seconds = int(abs(length).total_seconds())
    parts = (
        (seconds // 86_400, "d", "天"),
        (seconds // 3600 % 24, "h", "小时"),
        (seconds // 60 % 60, "min", "分钟"),
        (seconds % 60, "s", "秒"),
    )
    first = next((i for i, (n, _, _) in enumerate(parts) if n), 3)
    said = [p for p in parts[first : first + 2] if p[0] or p is parts[first]]
    return Both(
        " ".join(f"{n} {en}" for n, en, _ in said), "".join(f"{n}{zh}" for n, _, zh in said)
    )


def left_words(left: timedelta, kind: Kind) -> Both:
    """What is left of a limit, or by how much it is exceeded, as its own clock counts."""
    length = length_words(left)
    counted = "" if kind.continuous else " of work time"
    counted_zh = "" if kind.continuous else "工作时间"
    if left < timedelta(0):
        return Both(f"overdue by {length.en}{counted}", f"已超时{counted_zh}{length.zh}")
    return Both(f"{length.en}{counted} left", f"剩余{counted_zh}{length.zh}")


def rule_words(span: Span) -> Both:
    """The rule of a span with the holiday, or the reason of the pause."""
    rule = RULES[span.rule]
    if not span.note:
        return rule
    return Both(f"{rule.en}: {span.note}", f"{rule.zh}：{_PAUSES.get(span.note, span.note)}")
