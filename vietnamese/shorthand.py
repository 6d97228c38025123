"""Writes out the shorthand people type: `bhxh tn` as `bao hiem xa hoi tu nguyen` (accents already folded)."""

from __future__ import annotations

import re

from vietnamese.text import fold

# One word, whatever stands around it.
_WORDS = {
    "bhxh": "bao hiem xa hoi",
    "bhyt": "bao hiem y te",
    "bhtn": "bao hiem that nghiep",
    "bhxhtn": "bao hiem xa hoi tu nguyen",
    "bhxhbb": "bao hiem xa hoi bat buoc",
    "xhtn": "xa hoi tu nguyen",
    "tctn": "tro cap that nghiep",
    "bh": "bao hiem",
    "yt": "y te",
    "ts": "thai san",
    "hgd": "ho gia dinh",
    "gd": "gia dinh",
    "dtts": "dan toc thieu so",
    "hssv": "hoc sinh sinh vien",
    "hs": "ho so",
    "sv": "sinh vien",
    "kcb": "kham chua benh",
    "bv": "benh vien",
    "cccd": "can cuoc cong dan",
    "tnld": "tai nan lao dong",
    "nld": "nguoi lao dong",
    "nsdld": "nguoi su dung lao dong",
    "hdld": "hop dong lao dong",
    "dn": "doanh nghiep",
    "cty": "cong ty",
    "cti": "cong ty",
    "ctty": "cong ty",
    "dvc": "dich vu cong",
    "tk": "tai khoan",
    "sdt": "so dien thoai",
    "ko": "khong",
    "k": "khong",
    "kh": "khong",
    "kg": "khong",
    "hk": "khong",
    "hok": "khong",
    "hong": "khong",
    "hem": "khong",
    "khum": "khong",
    "dc": "duoc",
    "dx": "duoc",
    "bn": "bao nhieu",
    "bnh": "bao nhieu",
    "bnhieu": "bao nhieu",
    "bnhiu": "bao nhieu",
    "nhiu": "nhieu",
    "ntn": "nhu the nao",
    "tnao": "the nao",
    "j": "gi",
    "v": "vay",
    "z": "vay",
    "vs": "voi",
    "vk": "vo",
    "ck": "chong",
    "ng": "nguoi",
    "r": "roi",
    "rui": "roi",
    "cx": "cung",
    "mng": "moi nguoi",
    "mn": "moi nguoi",
    "ms": "moi",
    "trc": "truoc",
    "bt": "biet",
    "bit": "biet",
    "lm": "lam",
    "lg": "luong",
    "th": "thang",
    "thg": "thang",
    "thag": "thang",
    "nv": "nhan vien",
    "dt": "dien thoai",
    "mk": "mat khau",
    "pass": "mat khau",
    "1l": "mot lan",
    "mun": "muon",
    "man": "lam",
    "hum": "hom",
    "hnay": "hom nay",
    "xiu": "chut",
    "tr": "trieu",
    "cu": "trieu",
}
# Two words that mean something together.
_PAIRS = [
    (re.compile(r"\b(xa hoi|dong|muc|tham gia|bao hiem xa hoi) tn\b"), r"\1 tu nguyen"),
    (re.compile(r"\b(tro cap|bao hiem|huong) tn\b"), r"\1 that nghiep"),
    (re.compile(r"\btn\b"), "tu nguyen"),
    (re.compile(r"\b1 lan\b"), "mot lan"),
    (re.compile(r"\bbao hiem ho gia dinh\b"), "bao hiem y te ho gia dinh"),
    (re.compile(r"\bthe y te\b"), "the bao hiem y te"),
]
_TOKEN = re.compile(r"[^\W_]+(?:[.,/]\d+)*%?|[?!]")
_ATTACHED = re.compile(r"\b(\d+)(tr|trieu|cu|k|th|thang|t|nam|ng|nguoi|ngay|tuoi|tuan|can|con)(\d*)\b")


def expand(text: str) -> str:
    """`text` folded to plain letters with its shorthand written out, words parted by one space."""
    spaced = _ATTACHED.sub(lambda m: f"{m[1]} {m[2]} {m[3]}".rstrip(), fold(text))
    words = [_WORDS.get(word, word) for word in _TOKEN.findall(spaced)]
    expanded = " ".join(words)
    for pattern, replacement in _PAIRS:
        expanded = pattern.sub(replacement, expanded)
    return expanded
