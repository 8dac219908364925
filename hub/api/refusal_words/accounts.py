"""Signing in, accounts, and what is for whom."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    (
        "this is for {roles}; you are signed in as {who}, {role:w}",
        "仅限：{roles}；您以 {who}（{role}）登录",
    ),
    ("the session has ended: sign in again", "登录已失效，请重新登录"),
    (
        "nobody is signed in: sign in at /sign-in, or send Authorization: Bearer TOKEN",
        "尚未登录，请先登录",
    ),
    (
        "this token is none of ours, was revoked, or is too old: send Authorization: Bearer "
        "TOKEN with one of `gridwarden tokens create`",
        "令牌无效、已吊销或已过期，请更换令牌",
    ),
    ("login or password is wrong, or the account is disabled", "账号或密码错误，或账户已停用"),
    (
        "this link was used already, or is too old: sign in with your password",
        "该链接已使用或已过期，请用密码登录",
    ),
    (
        "too many sign-ins failed: try again in {n:w} minute",
        "登录失败次数过多，请在 {n} 分钟后再试",
    ),
    (
        "too many sign-ins failed: try again in {n:w} minutes",
        "登录失败次数过多，请在 {n} 分钟后再试",
    ),
    ("the present password is another", "当前密码不正确"),
    ("the two new passwords differ", "两次输入的新密码不一致"),
    (
        "a password has {least:w} to {most:w} characters, this one has {n:w}",
        "密码须为 {least} 至 {most} 个字符，当前为 {n} 个",
    ),
    ("a password must not be the login", "密码不能与账号相同"),
    ("a password has at least 4 different characters", "密码至少须包含 4 个不同的字符"),
    (
        "a login has 1 to {most:w} characters and no space around it, got {login:r}",
        "账号须为 1 至 {most} 个字符，首尾不能有空格，当前为 {login}",
    ),
    ("login {login:r} has characters nobody can see", "账号 {login} 含有不可见字符"),
    ("{who} is no {role:w}: {posts}", "{who} 没有{role}岗位，现有岗位：{posts}"),
    (
        "{who} is no {role:w} of {unit:w}: {posts}",
        "{who} 没有 {unit} 的{role}岗位，现有岗位：{posts}",
    ),
]
