"""What a cell lacks for work: no refusals, sentences that its page shows."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    ("nobody is {role:w} of {cell:w}", "{cell} 无{role}"),
    ("{who} is in training for {role:w} of {cell:w}", "{who} 正在接受 {cell} 的{role}培训"),
    ("nobody as {role:w} has no terminal", "无{role}，故无终端"),
    ("nobody as {role:w} has no account", "无{role}，故无账户"),
    ("{who} has no terminal", "{who} 无终端"),
    ("{who} has no account", "{who} 无账户"),
    ("no budget line of this year names it", "本年度经费未列入"),
    ("nobody surveyed it yet", "尚未测绘"),
]
