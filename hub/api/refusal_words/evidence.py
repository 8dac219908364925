"""Evidence and photos."""

from __future__ import annotations

ZH: list[tuple[str, str]] = [
    (
        "evidence {digest:w} is held and cannot be erased: release the hold first",
        "证据 {digest} 已保全，不能删除：请先解除保全",
    ),
    ("the evidence of event {number:w} is held already", "事件 {number} 的证据已经保全"),
    ("no hold stands on the evidence of event {number:w}", "事件 {number} 的证据未被保全"),
    ("evidence {digest:w} is held already", "证据 {digest} 已经保全"),
    ("no hold stands on evidence {digest:w}", "证据 {digest} 未被保全"),
    (
        "evidence {digest:w} was erased by {who} at {at:w}: {why}",
        "证据 {digest} 已由 {who} 于 {at} 删除，原因：{why}",
    ),
    (
        "evidence {digest:w} has not arrived whole yet ({n:w} bytes are announced): ask again "
        "when the topic `evidence` of /api/v1/live names it",
        "证据 {digest} 尚未传完（共 {n} 字节），请稍后再看",
    ),
    (
        "there is no complete evidence {digest:r}: hand the photo in first",
        "照片 {digest} 尚未上传完成，请先上传照片",
    ),
    ("a {role:w} hands in no photos", "{role}不能上传照片"),
    ("media type {type:r} is not taken; taken are {types}", "不支持文件类型 {type}，支持：{types}"),
    (
        "the photo has {n:w} bytes, it must have 1 to {most:w}",
        "照片大小为 {n} 字节，须为 1 至 {most} 字节",
    ),
    ("this is no photo: JPEG, PNG and WebP are taken", "这不是照片：支持 JPEG、PNG 和 WebP"),
    ("the photo cannot be read: {why}", "照片无法读取，可能已损坏或未传完整，请重新拍摄或另选一张"),
    (
        "the picture has more than {n:w} megapixels: send a smaller one",
        "照片超过 {n} 百万像素，请换一张较小的",
    ),
]
