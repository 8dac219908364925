"""Detectors, what they see and their parameters in Chinese.

An agent tells of its detectors in English. What is not known here, as a detector of a site's own,
stays as it told it.
"""

from __future__ import annotations

KINDS_ZH: dict[str, str] = {
    "camera_health": "摄像机健康",
    "congestion": "交通拥堵",
    "daily_test": "每日自检",
    "dumping": "遗弃物",
    "flame": "明火",
    "objects": "目标识别",
    "ponding": "道路积水",
    "smoke": "烟雾",
    "stopped_vehicle": "违停车辆",
    "traffic_flow": "交通流量",
    "visibility": "低能见度",
    "wrong_way": "逆行",
    "reading_anomaly": "读数异常",
    "reading_limit": "读数限值",
    "reading_neighbours": "邻域比对",
}

# labels beside the kinds' own
LABELS_ZH: dict[str, str] = {
    "fire": "火情",
    "rubbish": "垃圾",
    "overflow": "满溢",
    "frozen": "画面冻结",
    "dark": "黑屏",
    "covered": "被遮挡",
    "defocused": "失焦",
    "moved": "视角偏移",
    "noisy": "噪声过大",
    "corrupted": "画面花屏",
    "test": "自检",
    "up": "上行",
    "down": "下行",
    "left": "左行",
    "right": "右行",
}

SUMMARIES_ZH: dict[str, str] = {
    "camera_health": "摄像机冻结、黑屏、遮挡、失焦、移位、噪声，以及码流损坏。",
    "congestion": "车道内车辆密集且几乎不动。",
    "dumping": "被留下且无人看管的物品。",
    "flame": "依据颜色、闪烁与自研核验网络识别明火。",
    "objects": "用户自有 YOLO 模型所识别的各类目标。",
    "ponding": "道路标线与路缘被水淹没而消失。",
    "smoke": "依据柔和程度与自研核验网络识别出现并扩大的烟雾。",
    "stopped_vehicle": "车辆驶入后停在禁停处。",
    "traffic_flow": "车辆越线计数，每辆一次：方向、车道、速度。",
    "visibility": "雾、霾或扬尘遮挡通常可见的景物。",
    "wrong_way": "车辆逆车道方向行驶。",
    "reading_anomaly": "数值与自身历史不符：水平、每周时段、变化。",
    "reading_limit": "数值越限、变化过快、卡死、不变、缺失或超出量程。",
    "reading_neighbours": "设备与邻近设备不一致，或整片区域同升同降。",
}

# of several kinds, where the kind has no words of its own
_SHARED_ZH: dict[str, str] = {
    "threshold": "达到该得分即视为有",
    "confirm_s": "须持续多久才告警",
    "confirmation": "得分的确认方式，如 `window_sum n=8 c=4` 或 `gridwarden learn-rule` 的结果；"
    "空：检测器自带规则",
    "off_delay_s": "消失多久后解除告警",
    "lanes": "车道，名称:方向=x,y x,y x,y",
    "zone_x": "监视区左边界，占画面宽度的比例",
    "zone_y": "监视区上边界，占画面高度的比例",
    "zone_w": "监视区宽度",
    "zone_h": "监视区高度",
    "zone_corners": "监视区顶点 x,y x,y x,y，代替矩形",
    "dwell_s": "停留多久得满分",
    "min_size": "最小目标：占画面面积比例的平方根",
    "min_area": "计满分的最小面积，占画面的比例",
    "duration_s": "须持续多久才告警",
}
_OWN_ZH: dict[tuple[str, str], str] = {
    ("camera_health", "confirm_s"): "故障须持续多久才告警；应长于码流的关键帧间隔",
    ("camera_health", "dark_luma"): "黑屏画面最亮二十分之一的亮度上限（0..255）；黑为 16",
    ("camera_health", "covered_share"): "被遮挡画面至多保留的平常边缘比例",
    ("camera_health", "noise_luma"): "画面噪声偏差（0..255），达到时得半分",
    ("congestion", "lanes"): "车道，名称:方向=x,y x,y x,y；空：自动找出有车行驶的车道",
    ("congestion", "occupancy"): "拥堵时车辆占车道的比例",
    ("congestion", "slow_s"): "拥堵时驶过所画车道的时间；未画车道时为驶过画面的时间",
    ("congestion", "confirm_s"): "须持续多久才告警；有信号灯处应长于红灯时间",
    ("congestion", "off_delay_s"): "畅通多久后解除告警",
    ("dumping", "min_size"): "最小物品：占画面面积比例的平方根",
    ("dumping", "max_size"): "最大物品，算法同上：更大的为车辆",
    ("flame", "confirm_s"): "须有五分之四的时间见到明火，持续多久才告警",
    ("flame", "verifier"): "使用自研核验网络；否则仅凭闪烁判断明火",
    ("objects", "model"): "代理机器上的模型路径；空：不告警",
    ("objects", "classes"): "告警内容：类别 as 标签 @ 地点 得分 in x,y x,y x,y; ... "
    "空：模型认识的火与烟，否则为任一类别中最确定的目标",
    ("objects", "veto"): "以逗号分隔的类别：被其覆盖一半以上的目标不告警，如人所携带的包",
    ("objects", "min_score"): "检测框计入的最低得分",
    ("objects", "iou"): "同类检测框重叠超过此值视为同一个",
    ("objects", "confirm_s"): "五帧中有三帧，须持续多久",
    ("objects", "refresh_s"): "画面无变化时，隔多久再看一次",
    ("ponding", "off_delay_s"): "干燥多久后解除告警",
    ("ponding", "gauge"): "水尺或墙面上的点 x,y=米，自下而上，用于测量水位",
    ("smoke", "confirm_s"): "四帧中有三帧见到烟雾，须持续多久才告警",
    ("traffic_flow", "line"): "计数线位置：占高度（水平线）或宽度（垂直线）的比例",
    ("traffic_flow", "axis"): "计数线方向：水平线计上下行，垂直线计左右行",
    ("traffic_flow", "min_travel"): "车辆须行驶多远才计数，以自身长度计",
    ("traffic_flow", "lanes"): "车道，名称:方向=x,y x,y x,y；越线将注明车道，车道以外的不计",
    ("traffic_flow", "calibration"): "路面上四个点 x,y>东,北（米）：越线即可测速",
    ("traffic_flow", "report_s"): "两次占有率上报的间隔",
    ("visibility", "lost_share"): "得满分时须被遮蔽的景物比例",
    ("wrong_way", "lanes"): "车道，名称:方向=x,y x,y x,y；空：不告警",
    ("wrong_way", "min_travel"): "逆行多远得满分，以车辆自身长度计",
    ("wrong_way", "off_delay_s"): "多久无逆行后解除告警",
    ("reading_anomaly", "half"): "得 0.5 分的意外程度之和（十倍罕见度）；11：若六种视角相互独立，"
    "偶然概率为 90 万分之一",
    ("reading_anomaly", "rest"): "得分须超过的读数个数",
    ("reading_anomaly", "clear_after_s"): "平静多久后解除",
    ("reading_anomaly", "time_zone"): "该序列遵循何处的日与时：Asia/Shanghai",
    ("reading_limit", "threshold"): "告警得分；0.5：即限值",
    ("reading_limit", "high_on"): "监视上限",
    ("reading_limit", "high"): "上限",
    ("reading_limit", "low_on"): "监视下限",
    ("reading_limit", "low"): "下限",
    ("reading_limit", "hysteresis"): "数值须回到限值以内多少才解除",
    ("reading_limit", "rate"): "在测量时间内算作过快的变化，升降皆计；0：关闭",
    ("reading_limit", "rate_window_s"): "变化的测量时间",
    ("reading_limit", "stuck_s"): "数值完全不变达此时间；0：关闭",
    ("reading_limit", "flat_s"): "数值波动小于 flat_span 达此时间；0：关闭",
    ("reading_limit", "flat_span"): "算作不变的波动范围",
    ("reading_limit", "gap_s"): "无读数达此时间；0：关闭",
    ("reading_limit", "range_low"): "传感器可显示的最小值",
    ("reading_limit", "range_high"): "传感器可显示的最大值；与最小值相同：关闭",
    ("reading_neighbours", "tolerance"): "与邻近设备中位数之差在此以内视为一致",
    ("reading_neighbours", "share"): "同上，以中位数的比例计",
    ("reading_neighbours", "radius_m"): "更远的设备不算邻近",
    ("reading_neighbours", "least"): "邻近设备少于此数则不作判断",
    ("reading_neighbours", "fresh_s"): "更旧的数值不作数",
    ("reading_neighbours", "change"): "邻域中位数变化达到此值即告警；0：关闭",
    ("reading_neighbours", "change_window_s"): "变化的测量时间",
}


def summary_zh(kind: str, summary: str) -> str:
    """What a detector does, in Chinese where it is known."""
    return SUMMARIES_ZH.get(kind, summary)


def parameter_zh(kind: str, name: str, description: str) -> str:
    """What a parameter of a detector is, in Chinese where it is known."""
    return _OWN_ZH.get((kind, name)) or _SHARED_ZH.get(name, description)
