"""The base registry and the grid."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    ("there is no cell of the district at {place:r}", "位置 {place} 不在辖区的网格内"),
    (
        "registry entry {id:w} was retired on {day:w}: restore it first",
        "台账条目 {id} 已于 {day} 注销，请先恢复",
    ),
    (
        "registry entry {id:w} was changed by {who} meanwhile: it has version {v:w}, you saw "
        "{seen:w}; read it again",
        "台账条目 {id} 已被 {who} 更改（当前版本 {v}，您看到的是 {seen}），请刷新后再试",
    ),
    ("there is no cell {cell:w} in the grid now", "网格 {cell} 目前不存在"),
    ("there is no link of event {number:w} {key:r}", "事件 {number} 没有台账关联 {key}"),
    (
        "cell {cell:w} has the outline of {at:w}: outlines that begin at {from_at:w} would lie "
        "before that; name a later time",
        "网格 {cell} 现有边界自 {at} 起生效，新边界的生效时间 {from_at} 早于此，请填写更晚的时间",
    ),
]
