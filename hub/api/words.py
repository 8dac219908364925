"""What the console calls things, in English and Chinese."""

from __future__ import annotations

from typing import NamedTuple

from hub.services.dispatch.look_again import GONE_REASON, SEEN_REASON


class Both(NamedTuple):
    """A word in both languages."""

    en: str
    zh: str


STATES: dict[str, str] = {
    "suspected": "Suspected",
    "reported": "Reported",
    "verifying": "Being verified",
    "filed": "Filed",
    "dispatched": "Dispatched",
    "disposing": "Being handled",
    "suspended": "Suspended",
    "disposed": "Handled",
    "checking": "Being checked",
    "closed": "Closed",
    "rejected": "Rejected",
    "merged": "Merged",
    "lapsed": "Lapsed",
    "voided": "Voided",
}

STAGES: dict[str, Both] = {
    "discovery": Both("Discovery", "发现"),
    "filing": Both("Filing", "立案"),
    "dispatch": Both("Dispatch", "派遣处置"),
    "closing": Both("Closing", "结案"),
}

# what acts by itself, as histories name it
RULES: dict[str, Both] = {
    "alertmanager": Both("Alertmanager", "Alertmanager 告警"),
    "camera-check": Both("the cameras' second look", "摄像机复核"),
    "clock": Both("the clock", "时限规则"),
    "corroboration": Both("another sense", "多源印证"),
    "daily-test": Both("the daily test", "每日自检"),
    "dispatch-rule": Both("the dispatch rule", "自动派遣规则"),
    "filing-by-itself": Both("filing by itself", "自动立案规则"),
    "ladder": Both("the ladder of limits", "超时升级规则"),
    "recurrence": Both("recurrence", "复发规则"),
    "retention": Both("retention", "到期清理"),
    "scene-clear": Both("the clear scene", "画面消除"),
}

# what is wrong, by the status of a problem that people see as a page
PROBLEMS: dict[int, Both] = {
    403: Both("Not yours to do", "无权操作"),
    404: Both("There is nothing here", "页面或内容不存在"),
    405: Both("Not in this way", "不支持该操作"),
    409: Both("It is not possible now", "当前无法操作"),
    410: Both("Erased", "已删除"),
    422: Both("This address does not fit", "地址或参数有误"),
    429: Both("Too many tries", "尝试次数过多"),
    500: Both("The hub failed", "系统出错"),
    503: Both("Not available just now", "系统暂不可用"),
}

# what an operator said of a machine's find
VERDICTS: dict[str, Both] = {
    "confirmed": Both("confirmed", "属实"),
    "false_alarm": Both("false alarm", "误报"),
    "real_but_not_actionable": Both("real, not actionable", "属实，无需处置"),
    "real_but_authorised": Both("real, authorised", "属实，已获批准"),
    "duplicate": Both("duplicate", "重复"),
    "unclear": Both("unclear", "无法判断"),
    "other_kind": Both("of another kind", "其他类别"),
}

SEVERITIES: dict[str, Both] = {
    "S1": Both("emergency", "紧急"),
    "S2": Both("urgent", "急"),
    "S3": Both("ordinary", "一般"),
    "S4": Both("slow", "较缓"),
}

# transitions and acts, as an entry of the history tells them
STEPS: dict[str, Both] = {
    "ingest_detection": Both("Found by a device", "设备发现"),
    "report": Both("Reported", "上报"),
    "auto_file": Both("Filed by itself", "自动立案"),
    "confirm": Both("Confirmed and filed", "确认立案"),
    "endorse": Both("Endorsed", "认可"),
    "reject": Both("Rejected", "不予立案"),
    "lapse": Both("Lapsed, the scene is clear", "自动消除"),
    "attach": Both("Attached to another event", "并入"),
    "send_verify": Both("Sent to be verified", "派人核实"),
    "verified_exists": Both("Verified: it exists", "核实属实"),
    "verified_absent": Both("Verified: nothing there", "核实不属实"),
    "verify_expired": Both("Verification not answered", "核实超时"),
    "file": Both("Filed", "立案"),
    "refuse": Both("Refused", "不予受理"),
    "self_handle": Both("Settled on the spot", "自处置"),
    "dispatch": Both("Dispatched", "派遣"),
    "return_to_filing": Both("Returned to filing", "退回受理"),
    "accept": Both("Accepted by the unit", "接收"),
    "return_unit": Both("Returned by the unit", "退回"),
    "escalate": Both("Escalated", "升级"),
    "suspend": Both("Suspended", "挂账"),
    "resume": Both("Resumed", "恢复"),
    "feedback": Both("Handled", "处置反馈"),
    "start_check": Both("Check begun", "开始核查"),
    "check_pass": Both("Check passed, closed", "核查通过，结案"),
    "check_fail": Both("Check failed", "核查不通过"),
    "force_close": Both("Closed by force", "强制结案"),
    "recall": Both("Recalled", "撤回作废"),
    "merge": Both("Merged", "并案"),
    "unmerge": Both("Split again", "拆分"),
    "reopen": Both("Reopened", "重新立案"),
    "recur": Both("Came back", "复发"),
    "undo": Both("Taken back", "撤销"),
    "join_report": Both("A report joined", "并入上报"),
    "raise_severity": Both("Severity raised", "提高等级"),
    "corroborate": Both("Confirmed by another sense", "多源印证"),
    "take_in": Both("Another event was merged into it", "并入其他事件"),
    "let_go": Both("An event was split from it", "拆出事件"),
    "request_extension": Both("Extension asked for", "申请延期"),
    "decide_extension": Both("Extension decided", "延期审批"),
    "request_hang": Both("Suspension asked for", "申请挂账"),
    "appeal": Both("Appealed", "申诉"),
    "review_appeal": Both("Appeal reviewed", "申诉初审"),
    "decide_appeal": Both("Appeal decided", "申诉审议"),
    "propose_close": Both("Closing by force proposed", "提请强制结案"),
    "supervise": Both("Put under supervision", "督办"),
    "remind": Both("Reminded of the time left", "时限提醒"),
    "raise_level": Both("Level raised, overdue", "超时升级"),
    "add_cohandler": Both("Co-handler added", "增加协办"),
    "finish_part": Both("A co-handler has done its part", "协办完成"),
    "look_again": Both("The cameras looked again", "摄像机复核"),
    "comment": Both("Comment", "备注"),
    "hold_evidence": Both("Evidence held", "证据保全"),
    "release_evidence": Both("Hold released", "解除保全"),
    "erase_evidence": Both("Evidence erased", "证据删除"),
    "rate": Both("Rated", "评价"),
    "take_down_comment": Both("A reporter's comment taken down", "删除评价意见"),
}

# what became of a task
TASK_OUTCOMES: dict[str, Both] = {
    "exists": Both("it is so", "属实"),
    "absent": Both("nothing there", "不属实"),
    "passed": Both("done", "已办结"),
    "failed": Both("not done", "未办结"),
    "expired": Both("not answered in time", "超时未反馈"),
    "overtaken": Both("no longer needed", "已不需要"),
}

# why a camera says what it says of a case that was dealt with
CAMERA_WORDS: dict[str, Both] = {
    "gone": Both("it sees the place without it", "画面中已不存在"),
    "seen": Both("it still sees it", "画面中仍存在"),
    "not_seeing": Both("it cannot see now, or is not heard of", "当前无法观测或失联"),
    "moved": Both("it was turned, and looks somewhere else", "摄像机被转动，画面已改变"),
    "lost_sight": Both("it began anew since, and lost sight of it", "设备重启，已失去观测"),
    "no_picture": Both("its picture of the place is not here", "尚无现场画面"),
    "too_soon": Both("it is gone, not yet for long enough", "刚刚消除，仍在观察"),
    "asked": Both("it was asked to look again", "已请求重新查看，等待回应"),
    "no_answer": Both(
        "it was asked to look again and did not answer", "已请求重新查看，未按时回应"
    ),
    "cannot_look": Both(
        "it was asked to look again and says it cannot", "已请求重新查看，设备无法判断"
    ),
}

ROLES: dict[str, Both] = {
    "assistant": Both("grid assistant", "网格员"),
    "leader": Both("grid leader", "网格长"),
    "master": Both("station master", "站长"),
    "dispatcher": Both("dispatcher", "值班"),
    "dept": Both("department", "责任部门"),
    "supervisor": Both("supervisor", "督查"),
    "citizen": Both("citizens' reports", "市民上报"),
    "monitor": Both("monitoring", "监控"),
    "device": Both("device", "设备"),
    "rule": Both("rule", "规则"),
}

# how satisfied a reporter is, the best first
RATINGS: dict[int, Both] = {
    5: Both("Very satisfied", "非常满意"),
    4: Both("Satisfied", "满意"),
    3: Both("Neither nor", "一般"),
    2: Both("Dissatisfied", "不满意"),
    1: Both("Very dissatisfied", "非常不满意"),
}

# where a reporter's rating stands
STANDINGS: dict[str, Both] = {
    "open": Both("Not rated yet.", "尚未评价。"),
    "rated": Both("Rated.", "已评价。"),
    "settled": Both(
        "You have rated it. It can no longer be changed: its month was assessed.",
        "您已评价。该月考核已结束，评价不可再修改。",
    ),
    "expired": Both(
        "The time for rating it is over. Thank you for reporting.",
        "评价期限已过。感谢您的上报。",
    ),
    "waiting": Both(
        "It is still being dealt with. Once it is closed you can rate it here.",
        "正在处理中。结案后可在此评价。",
    ),
    "reopened": Both(
        "It was opened again and is being dealt with. Once it is closed you can rate it here.",
        "该事件已重新打开，正在处理。再次结案后可在此评价。",
    ),
    "no_case": Both(
        "It was not taken as a case, so there is nothing to rate.",
        "该上报未予立案，无需评价。",
    ),
}

# why nothing is filed by itself for a while
WINDOW_KINDS: dict[str, Both] = {
    "works": Both("Approved works", "经批准作业"),
    "silence": Both("Silence", "静默"),
}

CAMERA_STATES: dict[str, Both] = {
    "connecting": Both("connecting", "连接中"),
    "online": Both("online", "在线"),
    "stale": Both("stale", "无新画面"),
    "frozen": Both("frozen", "画面冻结"),
    "dark": Both("dark", "黑屏"),
    "covered": Both("covered", "被遮挡"),
    "moved": Both("moved", "视角偏移"),
    "defocused": Both("out of focus", "失焦"),
    "noisy": Both("noisy", "噪声过大"),
    "corrupted": Both("corrupted", "画面花屏"),
    "lost": Both("lost", "失联"),
    "ended": Both("played to its end", "播放结束"),
    "unheard": Both("not heard of", "无心跳"),  # the hub's word, of an agent that is silent
}

LANES: dict[str, Both] = {
    "detection": Both("Detection", "检测"),
    "evidence": Both("Evidence", "证据"),
    "reading": Both("Reading", "读数"),
    "score": Both("Score", "得分"),
    "health": Both("Health", "健康"),
}

FAULTS: dict[str, Both] = {
    "sender": Both("what was sent", "消息本身"),
    "hub": Both("the hub itself", "中心自身故障"),
}

UNIT_KINDS: dict[str, Both] = {
    "department": Both("department", "部门"),
    "station": Both("station", "工作站"),
    "grid": Both("grid team", "网格队"),
}

# what a cell needs for work
NEEDS: dict[str, Both] = {
    "leader": Both("leader", "网格长"),
    "assistant": Both("assistant", "网格员"),
    "terminal": Both("terminal", "终端"),
    "account": Both("account", "账户"),
    "budget_line": Both("budget line", "经费"),
    "polygon": Both("polygon", "边界"),
}

# the five kinds of the base registry, and what an event has to do with an entry
ENTRY_KINDS: dict[str, Both] = {
    "person": Both("person", "人"),
    "place": Both("place", "地"),
    "thing": Both("thing", "物"),
    "matter": Both("matter", "事"),
    "organisation": Both("organisation", "组织"),
}
RELATIONS: dict[str, Both] = {
    "concerns": Both("Concerns", "涉及"),
    "at": Both("At", "位于"),
    "caused_by": Both("Caused by", "责任方"),
    "reported_by": Both("Reported by", "上报方"),
    "owned_by": Both("Owned by", "所属方"),
}

# what came of an entry of the quarantine; "": nothing yet
OUTCOMES: dict[str, Both] = {
    "": Both("waiting", "待处理"),
    "stored": Both("taken after all", "已重新接收"),
    "here_already": Both("was here already", "已存在"),
    "given_up": Both("given up", "已放弃"),
}

# why an operator rejects: the digit, the verdict, what becomes the label, and what they read
# why a rule did something, as the history keeps it
RULE_REASONS: dict[str, Both] = {
    GONE_REASON: Both("the cameras that saw it see the place without it", "摄像机复核：已消除"),
    SEEN_REASON: Both(
        "a camera that was asked to look again still sees it", "摄像机重新查看：仍可见"
    ),
}

REASONS: tuple[tuple[str, str, Both], ...] = (
    ("false_alarm", "sun, lamp or reflection", Both("Sun, lamp or reflection", "日光、灯光或反光")),
    ("false_alarm", "steam, dust or fog", Both("Steam, dust or fog", "蒸汽、扬尘或雾")),
    ("false_alarm", "vehicle lights", Both("Vehicle lights", "车灯")),
    ("real_but_authorised", "authorised", Both("Real, authorised", "属实，已获批准")),
    ("real_but_not_actionable", "not actionable", Both("Real, not actionable", "属实，无需处置")),
    ("false_alarm", "something else", Both("Something else", "其他误报")),
)
REFUSALS: tuple[Both, ...] = (
    Both("Nothing to be found", "查无此事"),
    Both("Not in this district", "不属本辖区"),
    Both("Reported before", "重复上报"),
    Both("Cannot be understood", "描述不清"),
)
