"""Steps of the lifecycle, and whose an event is."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    (
        "{step:w} is not possible on an event that is {state}; it goes from {states}",
        "无法“{step}”：事件当前为“{state}”，仅可在以下状态进行：{states}",
    ),
    (
        "{step:w} is not for the role {role:w}; it is for {roles}",
        "“{step}”不适用于{role}，适用于：{roles}",
    ),
    (
        "{step:w} is open to {who}, who made the last change, not to {you}",
        "“{step}”仅限最近一次更改的操作人 {who}，您是 {you}",
    ),
    (
        "{step:w} is not open to {you} of {unit}: the event is with {whose}",
        "“{step}”不对 {you}（{unit}）开放：事件的责任单位为：{whose}",
    ),
    (
        "{step:w} is not open to {you}, who answers for {yours}: the event lies in cell {cell:w}",
        "“{step}”不对 {you} 开放：您负责 {yours}，事件位于网格 {cell}",
    ),
    (
        "{step:w} is not open to {you}, who answers for {yours}: the event lies in no cell of "
        "the grid",
        "“{step}”不对 {you} 开放：您负责 {yours}，事件位于辖区外",
    ),
    ("undo is not possible: {column:w} has changed since", "无法撤销：此后已有更改"),
    (
        "{step:w} is not possible: the event is at the district's level already",
        "无法“{step}”：事件已在区级",
    ),
    ("{step:w} has no earlier state to go back to", "无法“{step}”：此前没有可返回的状态"),
    (
        "there is no transition or act {step:r}; there are {steps}",
        "没有“{step}”这一步骤，可用的有：{steps}",
    ),
    (
        "the verdict {verdict:w} has no place on an event that is {state}",
        "事件当前为“{state}”，不能判定为“{verdict}”",
    ),
    (
        "{who} did {step:w} at {at:w}: event {number:w} is {state:w} now (version {v:w}, you saw "
        "{seen:w}); nothing of yours was done",
        "事件 {number} 已由 {who} 执行“{step}”，当前为“{state}”；您的操作未执行，请刷新后再试",
    ),
    ("event {number:w} cannot join itself", "事件 {number} 不能并入自身"),
    (
        "event {number:w} was itself merged into {root:w}: name that one",
        "事件 {number} 已并入 {root}，请填写后者",
    ),
    ("{step:w} must say whether it is granted", "“{step}”须说明是否批准"),
    ("satisfaction must be 1 to 5", "满意度须为 1 至 5"),
    (
        "evidence is erased piece by piece: POST /api/v1/evidence/DIGEST/erase",
        "证据须逐件删除：POST /api/v1/evidence/DIGEST/erase",
    ),
    (
        "comments are taken down one by one: POST /api/v1/reports/ID/rating/take-down",
        "评价意见须逐条删除：POST /api/v1/reports/ID/rating/take-down",
    ),
    (
        "{what} lies in cell {cell:w}; you may act and see in {yours} only",
        "{what} 位于网格 {cell}，超出您的范围：{yours}",
    ),
    (
        "{what} lies outside the grid; you may act and see in {yours} only",
        "{what} 位于辖区外，超出您的范围：{yours}",
    ),
    (
        "{what} lies in cell {cell:w}; you may act in {yours} only",
        "{what} 位于网格 {cell}，超出您的操作范围：{yours}",
    ),
    (
        "{what} lies outside the grid, or names no place; you may act in {yours} only",
        "{what} 位于辖区外或未注明位置，超出您的操作范围：{yours}",
    ),
    (
        "{what} is not in the hands of {unit}, for which you act, but of {whose}",
        "{what} 不由您的单位 {unit} 负责，责任单位：{whose}",
    ),
    ("the task is {who}'s, not {you}'s", "该任务属于 {who}，不属于 {you}"),
    (
        "the task is over ({outcome:w}): event {number:w} is {state:w} now",
        "该任务已结束（{outcome}）：事件 {number} 当前为“{state}”",
    ),
    (
        "{answer:r} answers no task to {kind:w}; {answers} do",
        "该任务不能答复“{answer}”，可答复：{answers}",
    ),
    (
        "there is no unit {code:r}, or it was closed; `gridwarden units list` shows them",
        "单位 {code} 不存在或已停用，请另选单位",
    ),
    (
        "there is nobody with the staff number {code:r}; `gridwarden people list` shows them",
        "没有工号为 {code} 的人员，请核对工号",
    ),
    ("{who} has left: choose another", "{who} 已离岗，请另选"),
    (
        "{who} is in training and is given recorded cases only: choose another",
        "{who} 正在培训，仅处理录制案例，请另选",
    ),
]
