"""How something was asked: times, versions, pages of lists, what is sent."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    ("there is no {thing} {key:r}", "{thing} {key} 不存在"),
    ("there is nothing at {path:r}", "此地址没有内容：{path}"),
    (
        "there is nothing at {path:r}: see /api/v1/openapi.json",
        "此地址没有内容：{path}，接口见 /api/v1/openapi.json",
    ),
    (
        "{path:r} does not take {method:w}, it takes {methods}",
        "{path} 不支持 {method}，支持 {methods}",
    ),
    ("{field:w} is empty", "“{field}”不能为空"),
    (
        "{field:w} has {n:w} characters, at most {most:w} are kept",
        "“{field}”有 {n} 字，最多 {most} 字",
    ),
    ("{field:w} contains a NUL character, which no text has", "“{field}”含有无法保存的字符"),
    ("{field:w} needs a time zone", "“{field}”缺少时区，例如 +08:00"),
    ("{at:w} needs a time zone, such as +08:00", "时间 {at} 缺少时区，例如 +08:00"),
    ("a custom period needs its first and last day", "自定义时段须填写起止日期"),
    (
        "the {kind:w} of {day:w} is not within the years 1 to 9999",
        "日期 {day} 所在的时段超出可用范围",
    ),
    (
        "a period from {first:w} to {last:w} has no day",
        "时段 {first} 至 {last} 的结束日期早于开始日期",
    ),
    (
        "a period from {first:w} to {last:w} is longer than {n:w} days",
        "时段 {first} 至 {last} 超过 {n} 天，请缩短",
    ),
    (
        "{first:w} to {last:w} is not within the years 1 to 9999",
        "时段 {first} 至 {last} 超出可用范围",
    ),
    ("bulletins are of months: period=month", "通报按月编制，请选择月份（period=month）"),
    ("{subject:r} is no {by:w} with a case in {period}", "{subject} 在 {period} 没有案件"),
    ("there is no figure {name:r} here; there are: {names}", "没有指标 {name}，可用指标：{names}"),
    (
        'If-Match {value:r} is not a version: send the ETag of the event, such as "7"',
        'If-Match {value} 不是版本号，请发送事件的 ETag，例如 "7"',
    ),
    (
        "If-Match says version {v:w} and expected_version {w:w}: send one of them",
        "If-Match 为版本 {v}，expected_version 为 {w}：请只发送一个",
    ),
    (
        "cursor {cursor:r} is not one of ours: send `next` of the page before, unchanged",
        "翻页标识 {cursor} 无效，请原样使用上一页的 next",
    ),
    ("too many assessments are being computed: ask again", "正在计算的考核过多，请稍后再试"),
    (
        "the body is larger than {n:w} bytes: send less; what devices saw does not travel "
        "through this API",
        "提交的内容超过 {n} 字节，请减少后再提交",
    ),
    ("too much is being sent just now: try again soon", "当前提交过多，请稍后再试"),
    ("the body did not come within {n:w} s", "提交的内容未在 {n} 秒内传完，请重试"),
    (
        "this hub is not called {host:r}: use one of {hosts}, or add the name to [http] "
        "allowed_hosts",
        "本系统的名称不是 {host}：请使用 {hosts}，或将该名称加入 [http] allowed_hosts",
    ),
    (
        "this request was sent by a page of another site (Sec-Fetch-Site: {site})",
        "该请求来自其他网站的页面（Sec-Fetch-Site: {site}），已拒绝",
    ),
    (
        "this request was sent by a page of {origin:r}, only pages of {host:r} may",
        "该请求来自 {origin} 的页面，仅接受 {host} 的页面",
    ),
    (
        "the hub failed at {method:w} {path:w}; nothing was changed. Its log tells more under "
        "incident {incident:w}",
        "系统在处理 {method} {path} 时出错，没有任何更改；详情见日志，事故编号 {incident}",
    ),
    (
        "a value cannot be stored: {why}; nothing was changed",
        "有的值无法保存，没有任何更改，请检查后再提交",
    ),
    (
        "the database does not answer; nothing was changed. Try again in a few seconds",
        "数据库无响应，没有任何更改，请稍后再试",
    ),
]
