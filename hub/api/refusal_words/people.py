"""People, units, posts, shifts and training."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    (
        "there is no unit that answers for '{category:w} in {cell}'",
        "{cell}没有负责 {category} 的单位",
    ),
    ("{role:w} is no post of a person; there are {roles}", "{role}不是人员岗位，可选：{roles}"),
    (
        "the post of {role:w} needs the code of a {level:w} grid ({n:w} digits), got {cell}",
        "{role}岗位须填写{level}代码（{n} 位），当前为：{cell}",
    ),
    ("a post in a department names its unit", "部门岗位须填写所属单位"),
    ("unit {code:w} would be a part of itself: {ring}", "单位 {code} 不能隶属于自身：{ring}"),
    ("there is no unit {code:r} to belong to", "上级单位 {code} 不存在"),
    (
        "unit {code:w} answers for {n:w} entries of the responsibility matrix, such as "
        "{category:w} in {cell:w}: give them to another one first",
        "单位 {code} 仍负责责任清单中的 {n} 个条目，例如 {cell} 的 {category}：请先移交其他单位",
    ),
    ("unit {code:w} was closed on {day:w}", "单位 {code} 已于 {day} 停用"),
    (
        "a shift ends after it begins and within {h:w} h, got {begin:w} to {end:w}",
        "班次结束须晚于开始且不超过 {h} 小时，当前为 {begin} 至 {end}",
    ),
    (
        "{who} does not say where {code:w} is: they do, or the desk",
        "{who} 不能上报 {code} 的位置：由其本人或值班上报",
    ),
    ("{code:w} left on {day:w}", "{code} 已于 {day} 离岗"),
    (
        "{at:w} lies in the future: set the clock of the telephone",
        "时间 {at} 在将来，请校准手机时钟",
    ),
    (
        "the post of supervisor is given and taken by supervisors, not by {role:w}",
        "督查岗位只能由督查授予和收回，{role}不能办理",
    ),
    ("send both lon and lat, or neither", "经度和纬度须同时填写，或都不填"),
    (
        "no detection was judged yet: name detections with their answers",
        "尚无已判定的检测，请指定检测记录及其答案",
    ),
    ("a detection stands in the set twice", "同一检测在题集中出现两次"),
    ("there is no detection {id:w}", "检测记录 {id} 不存在"),
    ("there is a training set {name:r} already", "培训题集 {name} 已存在，请另取名称"),
    (
        "training set {name:r} was retired on {day:w}: choose another",
        "培训题集 {name} 已于 {day} 停用，请另选",
    ),
    ("there is no item {n:w} in this set", "该题集没有第 {n} 题"),
    (
        "attempt {id:w} was finished at {at:w}: begin another",
        "培训记录 {id} 已于 {at} 完成，请重新开始",
    ),
    (
        "this is the training of {who}: for them and who teaches, not for {you}",
        "这是 {who} 的培训，仅限本人和培训人员，{you} 不能查看或作答",
    ),
]
