"""Cameras, sensors, their parameters and readings, and the quarantine."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    ("there is no manifest of agent {agent:r}", "代理 {agent} 尚无运行清单"),
    ("no parameter is changed", "没有更改任何参数"),
    (
        "tuning is not for the role {role:w}; it is for {roles}",
        "{role}无权调整参数，仅限：{roles}",
    ),
    (
        "{detector:w} of stream {stream:w} has no parameter {name:r} (it has: {names})",
        "{stream} 的检测器“{detector}”没有参数 {name}，可调参数：{names}",
    ),
    (
        "{detector:w} of stream {stream:w}: {parameter:w}: {why_not} (it takes {low:w} to {high})",
        "{stream} 的检测器“{detector}”：{parameter} {why_not}，取值范围为 {low} 至 {high}",
    ),
    (
        "{detector:w} of stream {stream:w}: {parameter:w}: {why_not}",
        "{stream} 的检测器“{detector}”：{parameter} {why_not}，请参照该参数的说明",
    ),
    ("there is no detector '{detector:w} on {stream:w}'", "{stream} 没有检测器“{detector}”"),
    (
        "from {begin:w} to {end:w} is no time of the past of 31 days or less: ask for a shorter "
        "one",
        "{begin} 至 {end} 须为 31 天以内的过去时段，请缩短",
    ),
    ("{at:w} is outside the times there are", "时间 {at} 超出可用范围"),
    ("since {begin:w} is not before until {end:w}", "开始时间 {begin} 须早于截止时间 {end}"),
    (
        "{name:w} {at:w} has no time zone: write {at2:w} or +08:00",
        "{name} {at} 缺少时区，请写成 {at2} 或加 +08:00",
    ),
    (
        "{n:w} days are more than can be asked for at once ({most:w}): ask for a shorter time, "
        "or for wider periods",
        "一次最多查询 {most} 天，当前为 {n} 天：请缩短时间，或加大统计间隔",
    ),
    (
        "quarantine entry {id:w} was cut to {n:w} bytes, it cannot be replayed: give it up",
        "隔离记录 {id} 已截断为 {n} 字节，不能重新接收，请放弃该记录",
    ),
    ("say why the entry is given up", "请说明放弃该记录的原因"),
    ("only a record with a sequence number has times", "仅带序号的记录才有时间"),
]
