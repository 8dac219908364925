"""Verdicts, reports by hand, and control windows."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    ("there is no report of yours {id:r}", "您没有编号为 {id} 的上报"),
    (
        "event {number:w} was reported by a person: there is no detection to judge; file or "
        "refuse it",
        "事件 {number} 由人员上报，没有可判定的检测，请立案或不予受理",
    ),
    (
        "other_kind needs the sub-category it is, another than {sub:w}",
        "判定为“其他类别”须另选小类，不能是原小类 {sub}",
    ),
    ("{sub:r} is no sub-category of {category}", "{sub} 不是 {category} 的小类"),
    ("{sub:r} is no sub-category", "小类 {sub} 不存在"),
    (
        "devices do not report by hand: their detections come through ingestion",
        "设备不能人工上报：其检测记录经数据接入",
    ),
    ("occurred_at {at:w} lies in the future", "发生时间 {at} 在将来，请核对"),
    ("until_at must lie after from_at", "结束时间须晚于开始时间"),
    ("until_at {at:w} is past: it would never hold", "结束时间 {at} 已过，该时段不会生效"),
    (
        "a window lasts {days:w} days at most: make it anew when it is over",
        "管控时段最长 {days} 天，到期请重新登记",
    ),
    (
        "control window {id:w} is over since {at:w}, ended by {who}; nothing was done",
        "管控时段 {id} 已于 {at} 结束（{who}），未执行任何操作",
    ),
    (
        "control windows are not for the role {role:w}; they are for {roles}",
        "{role}无权登记管控时段，仅限：{roles}",
    ),
    (
        "name either cells (the district's code for all of it) or one device by agent and stream",
        "请填写网格（全区填区代码），或填写代理和摄像机指定一台设备，二者选一",
    ),
    (
        "{n:w} cells, at most {most:w}: name the cell above them",
        "共 {n} 个网格，最多 {most} 个：请填写其上级网格",
    ),
    (
        "no agent {agent:r} has a camera or sensor {stream:r}",
        "代理 {agent} 没有摄像机或传感器 {stream}",
    ),
    (
        "{who} makes and ends windows in {yours}, not in {cell:w}",
        "{who} 只能登记和结束 {yours} 的管控时段，不含 {cell}",
    ),
    (
        "{who} makes and ends windows in {yours}, not in a place outside the grid",
        "{who} 只能登记和结束 {yours} 的管控时段，不含辖区外",
    ),
]
