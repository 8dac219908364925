"""What the console and the bulletin call indicators, latencies and periods."""

from __future__ import annotations

from hub.api.words import Both

INDICATORS: dict[str, Both] = {
    "filing_rate": Both("Filed", "立案率"),
    "on_time_filing": Both("Filed in time", "按时立案率"),
    "valid_report_rate": Both("Valid reports of assistants", "网格员有效上报率"),
    "miss_rate": Both("Found by others in the cell", "漏报率"),
    "proactive_rate": Both("Found by ourselves", "主动发现率"),
    "accurate_dispatch": Both("Dispatched to the right unit", "准确派遣率"),
    "on_time_dispatch": Both("Dispatched in time", "按时派遣率"),
    "return_rate": Both("Returned by the unit", "退回率"),
    "disposal_rate": Both("Handled", "处置率"),
    "on_time_disposal": Both("Handled in time", "按时处置率"),
    "rework_rate": Both("Failed at the check", "返工率"),
    "delay_rate": Both("Extended", "延期率"),
    "on_time_check": Both("Checked in time", "按时核查率"),
    "closing_rate": Both("Closed", "结案率"),
    "on_time_closing": Both("Closed in time", "按期结案率"),
    "recurrence_rate": Both("Came back", "复发率"),
    "satisfaction": Both("Reporters satisfied", "满意率"),
    "share_at_level_2": Both("At the secondary grid", "二级网格办理占比"),
    "share_at_level_3": Both("At the district", "区级办理占比"),
    "false_alarm_rate": Both("False alarms", "误报率"),
    "precision": Both("Machine precision", "机器准确率"),
    "lapse_rate": Both("Lapsed undecided", "未研判自动消除率"),
}
SMALL_IS_GOOD = frozenset(
    {
        "miss_rate",
        "return_rate",
        "rework_rate",
        "delay_rate",
        "recurrence_rate",
        "false_alarm_rate",
        "lapse_rate",
    }
)
GROUPS: tuple[tuple[Both, tuple[str, ...]], ...] = (
    (Both("Finding", "发现"), ("proactive_rate", "valid_report_rate", "miss_rate")),
    (Both("Filing", "立案"), ("filing_rate", "on_time_filing")),
    (Both("Dispatch", "派遣"), ("accurate_dispatch", "on_time_dispatch", "return_rate")),
    (
        Both("Handling", "处置"),
        ("disposal_rate", "on_time_disposal", "rework_rate", "delay_rate"),
    ),
    (
        Both("Check and closing", "核查结案"),
        (
            "on_time_check",
            "closing_rate",
            "on_time_closing",
            "recurrence_rate",
            "satisfaction",
            "share_at_level_2",
            "share_at_level_3",
        ),
    ),
    (Both("Machines", "机器"), ("precision", "false_alarm_rate", "lapse_rate")),
)
LATENCIES: dict[str, Both] = {
    "detect": Both("First sight to desk", "发现时延"),
    "confirm": Both("Desk to verdict", "研判时延"),
    "dispose": Both("Dispatch to handled", "处置时延"),
    "feedback": Both("Handled to check", "反馈时延"),
    "close": Both("Reported to closed", "结案时延"),
    "machine_lead": Both("Machine before people", "机器领先时间"),
}
LISTS: dict[str, Both] = {
    "reported": Both("Reported", "上报"),
    "exempt": Both("Exempt, appeal granted", "申诉成立免责"),
    "hung": Both("Hung", "挂账"),
}
WHICH: dict[str, Both] = {
    "counted": Both("counted", "计入"),
    "among": Both("counted among", "基数"),
    "left_out": Both("left out", "不计入"),
    "not_counted": Both("not counted", "未达成"),
}
DIMENSIONS: dict[str, Both] = {
    "district": Both("District", "全区"),
    "area": Both("Secondary grids", "二级网格"),
    "cell": Both("Basic grids", "基础网格"),
    "department": Both("Units", "责任单位"),
    "post": Both("Posts", "岗位"),
    "person": Both("People", "人员"),
}
PERIODS: dict[str, Both] = {
    "day": Both("Day", "日"),
    "week": Both("Week", "周"),
    "month": Both("Month", "月"),
    "quarter": Both("Quarter", "季度"),
    "year": Both("Year", "年"),
    "custom": Both("Other days", "自定义"),
}


def name_of(of: str) -> Both:
    """What a figure, latency or list is called."""
    return INDICATORS.get(of) or LATENCIES.get(of) or LISTS.get(of) or Both(of, of)
