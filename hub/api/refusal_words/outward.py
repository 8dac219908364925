"""Webhooks, ratings, and who else is told."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    ("there is no rating of report {id:r}", "上报 {id} 尚无评价"),
    ("there is no report of that link {key:r}", "链接无效，没有对应的上报，请完整复制网址"),
    ("{url} is no address: {why}", "{url} 不是有效地址"),
    (
        "the address must have at most {n:w} printable ASCII characters and no spaces",
        "地址最多 {n} 个可打印的 ASCII 字符，且不能有空格",
    ),
    (
        "{url:w} is http: what is sent could be read on the way. Use https, or set "
        "allow_plain_http of [webhooks]",
        "{url} 使用 http，内容可能在传输中被读取：请改用 https，或设置 [webhooks] 的 "
        "allow_plain_http",
    ),
    (
        "{url:r} is no address such as https://receiver.example/path",
        "{url} 不是有效地址，示例：https://receiver.example/path",
    ),
    (
        "the address must hold no user name or password: messages are signed",
        "地址中不能含用户名或密码：消息已带签名",
    ),
    ("{url:r} has port 0", "{url} 的端口不能为 0"),
    (
        "{address:w} is not a public address: name its network in allowed_networks of [webhooks] "
        "if it is meant",
        "{address} 不是公网地址：如确需使用，请将其网段列入 [webhooks] 的 allowed_networks",
    ),
    ("{step:r} is no step; there are {steps}", "没有“{step}”这一步骤，可选：{steps}"),
    ("{severity:r} is no severity", "紧急程度 {severity} 不存在，可选：S1、S2、S3、S4"),
    ("{cell:r} begins no grid code", "{cell} 不是网格代码的开头"),
    (
        "there are {n:w} webhooks, which is the most: remove one",
        "推送地址已达上限 {n} 个，请先删除一个",
    ),
    (
        "webhooks are not for the role {role:w}; they are for {roles}",
        "{role}无权管理推送地址，仅限：{roles}",
    ),
    (
        "a webhook for cell {cell:w} tells of more than {yours}, where you may act: name one of "
        "these as its cell",
        "网格 {cell} 的推送超出您的范围：{yours}，请填写其中一个网格",
    ),
    (
        "a webhook for every cell tells of more than {yours}, where you may act: name one of "
        "these as its cell",
        "全区推送超出您的范围：{yours}，请填写其中一个网格",
    ),
    (
        "{who} had a hand in event {number:w}: nobody rates their own work",
        "{who} 参与了事件 {number} 的处理，不得评价本人的工作",
    ),
    ("score must be {low:w} to {high:w}, got {n:w}", "评分须为 {low} 至 {high}，当前为 {n}"),
    (
        "event {number:w} cannot be rated ({standing:w}): it is {state:w}",
        "事件 {number} 不能评价（{standing}）：当前为“{state}”",
    ),
    (
        "the comment of report {id:w} was taken down: its score can be changed, but no comment "
        "is taken any more",
        "上报 {id} 的意见已被删除：可修改评分，不再接收意见",
    ),
    ("nothing is written beside the rating of report {id:w}", "上报 {id} 的评价没有文字意见"),
]
