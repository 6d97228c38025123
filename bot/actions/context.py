"""What the words of a message say of its place in the conversation. All texts are folded."""

from __future__ import annotations

import re

SHORT = 8  # words of a follow-up that leaves the rest unsaid
# Words that fit any subject: a message of nothing else is about what was just discussed.
_FITS_ANY_SUBJECT = re.compile(
    r"(?:(?:da|a|ad|em|e|anh|chi|minh|toi|t|vay|v|z|the|con|thi|la|va|roi|nua|luon|ha|nhi|nhe|voi|cho|nop|lam"
    r"|dang ky|ho so|hs|giay to|giay|thu tuc|o|dau|tai|noi nao|cho nao|den|ra|can|phai|mang|theo|nhung|gi|j"
    r"|bao lau|lau|mat|khi nao|bao gio|trong|gia bao nhieu|han|thoi han|may ngay|may thang|may nam|co|duoc|dc"
    r"|nhan|tien|dieu kien|nhu|nao|sao|ai|xong)(?:[\s?!.,]+|$))+"
)
# How a message names its subject; one that names another subject is not about what was just discussed.
_NAMES = {
    subject: re.compile(rf"(?<![a-z])(?:{words})(?![a-z])")
    for subject, words in {
        "voluntary": r"tu nguyen|tn|bhxhtn|tu dong|tu mua",
        "health": r"bhyt|y te|the|kham|vien|vien phi",
        "maternity": r"thai san|ts|sinh|sanh|de|bau|thai",
        "unemployment": r"that nghiep|bhtn|tctn",
        "pension": r"huu|nghi huu|huu tri",
        "one_off": r"mot lan|1 lan|rut",
        "lookup": r"vssid|vneid|otp|mat khau",
    }.items()
}
# What only asks for attention, and what a subject is called: together they ask for an overview.
_ATTENTION = re.compile(
    r"(?<![a-z])(?:da|a|ad|admin|shop|oi|cho|em|e|anh|chi|co|chu|bac|minh|toi|t|con|chau|(?<!xa )hoi|xin|muon"
    r"|can|biet|tim hieu|ve|tu van|giup|gium|dum|thong tin|the|thi|nao|sao|vay|voi|nhe|nha|them|muc|phan|vu"
    r"|nhu|che do|quy dinh|chinh sach|loai|cai|goi|chut|ti|xiu|viec|huong dan)(?![a-z])"
)
_OVERVIEWS = {
    "voluntary.benefits": r"(?:bhxh|bao hiem(?: xa hoi)?|bh) (?:tu nguyen|tn)|bhxhtn",
    "health.household_premium": r"(?:bhyt|bao hiem y te|bh y te|bao hiem)(?: (?:ho gia dinh|ho gd|hgd))|bhyt"
    r"|bao hiem y te|bh y te",
    "health.student_premium": r"(?:bhyt|bao hiem y te) (?:hoc sinh|sinh vien|hssv|hoc sinh sinh vien)",
    "maternity.overview": r"(?:nghi )?(?:(?:(?:bhxh|bao hiem|bh) )?thai san|sinh(?: de| be)?|de)"
    r"(?: duoc| dc)?(?: huong| nhan)?(?: nhung| cac)?(?: khoan| quyen loi)?(?: gi| j)?",
    "unemployment.conditions": r"(?:(?:bao hiem|bh|tro cap) )?that nghiep|bhtn|tctn",
    "pension.conditions": r"huu tri|luong huu|nghi huu",
    "one_off.conditions": r"(?:rut )?(?:bhxh|bao hiem xa hoi) (?:mot|1) lan"
    r"|rut (?:bhxh|bao hiem(?: xa hoi)?)",
    "related.what_is": r"bhxh|bao hiem(?: xa hoi)?",
    "related.sickness": r"(?:bhxh )?om dau|nghi om",
}
_A_PARENT = re.compile(r"\b(?:vo|vk|ba xa|me|chong|ck|ong xa|bo|cha)\b")
_LOOK_UP = re.compile(
    r"\b(?:tra|tra cuu|kiem tra|ktra|check|xem|coi|tim|do)\b[^,.;?!]{0,12}\b(?:giup|gium|dum|giom|ho)\b"
)


def fits_any_subject(text: str) -> bool:
    """Whether a short message says nothing of its subject: `nộp hồ sơ ở đâu`, `cần giấy tờ gì ạ?`."""
    text = text.strip()
    return 1 < len(text.split()) <= SHORT and bool(_FITS_ANY_SUBJECT.fullmatch(text))


def names(text: str, subject: str) -> bool:
    """Whether a message names this subject; the rest of the law (`related`) has no name of its own."""
    pattern = _NAMES.get(subject)
    return bool(pattern and pattern.search(text))


def overview(text: str) -> str | None:
    """The topic that answers a message which names a subject and asks nothing of it: `tư vấn em bhyt với`."""
    bare = " ".join(_ATTENTION.sub(" ", re.sub(r"[?!.,;:]+", " ", text)).split())
    return next((topic for topic, called in _OVERVIEWS.items() if re.fullmatch(called, bare)), None)


def names_another_subject(text: str, subject: str) -> bool:
    """Whether a message names a subject, and not this one."""
    return any(names(text, other) for other in _NAMES) and not names(text, subject)


def names_a_parent(text: str) -> bool:
    """Whether it is said whose benefit is meant: the mother's or the father's."""
    return bool(_A_PARENT.search(text))


def asks_to_look_up(text: str) -> bool:
    """`kiểm tra giùm em`: the citizen wants somebody to look at the own record."""
    return bool(_LOOK_UP.search(text))
