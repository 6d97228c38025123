"""Part a message with several questions into the questions, keeping each one's story with it."""

import re
import unicodedata

from vietnamese.text import fold

_MOST = 3
_MARKS = " ,;.!?\n…"
_SELF = r"(?:(?:em|e|minh|toi|con|chau|tui)\s+)?"
# A dot inside a number or an abbreviation ends nothing; a dot before a new word does.
_BOUNDARY = re.compile(
    r"(?P<mark>\?[?!.]*|!+(?=\s)|\n|(?<![0-9])\.{2,}|…|(?<!\btp)(?<!\bq)(?<!\bts)(?<!\bbs)(?<!\bp)\."
    r"(?=\s+[^\s0-9]|\s*$)"
    r"|(?<=[a-z])\.(?=\s+[0-9]))\s*|\s*;\s*"
    rf"|[\s,]+va\s+(?=cho\s+{_SELF}hoi(?![a-z]))"
    rf"|[\s,]+(?=(?:cho\s+{_SELF}hoi\s+(?:them|nua|luon)|(?<!cho )(?:em|e|minh|toi)\s+hoi\s+them|"
    rf"(?:tien|san)\s+(?:the\s+|tien\s+)?cho\s+{_SELF}hoi"
    r"|voi\s+lai|vs\s+lai|ngoai\s+ra|con\s+nua|them\s+nua)(?![a-z]))"
)
_QUESTION = re.compile(
    r"\?|(?<![a-z])(?:bao nhieu|bao nhiu|bn|bnhieu|nhieu tien|may|bao lau|bao gio|khi nao|luc nao"
    r"|chung nao|o dau|di dau|"
    r"the nao|ntn|tnao|lam sao|ra sao|tai sao|vi sao|sao|la gi|gi|j|nao|ai|hay khong|phai khong"
    r"|dung khong|duoc khong|dc ko|"
    r"dc k|duoc ko|co duoc|co dc|co can|can gi|chua|huong dan|tu van|tinh giup|tinh gium|tinh dum"
    r"|cho hoi|cho em hoi|"
    r"cho e hoi|xin hoi|muon hoi|hoi them|cho biet)(?![a-z])"
    r"|(?<![a-z])(?:khong|ko|k|hong|hok|hem|khg|a|ha|nhi|vay|v|z)\s*(?:(?:a|ad|ah|vay|z|v|em|anh|chi"
    r"|co chu|shop|ban|nhi|ta)\s*)*[.!,\s]*$"
)
# `và`, `vs` part a message only where each side asks something of its own, plainly.
_JOINED = re.compile(r"[\s,]+(?:va|vs)\s+(?!lai\b)")
_INTERROGATIVE = re.compile(
    r"(?<![a-z])(?:bao nhieu|bao nhiu|bn|nhieu tien|nhieu|may|bao lau|bao gio|khi nao|luc nao|chung nao|dau"
    r"|the nao|ntn|tnao|lam sao|ra sao|la gi|la j|gi|j|nao)(?![a-z])"
    r"|(?<![a-z])(?:co|duoc|dc|phai|can)\s[^,.;?!]*(?<![a-z])(?:khong|ko|k|hong|hok)(?![a-z])"
)
_ENOUGH = 3  # words of a question of its own
_TAG = re.compile(
    r"(?:(?:vay|v|z|thi|co|the|nhu|nhu vay|phai|dung|duoc|dc|khong|ko|k|hok|hong|a|ad|ah|ạ|sao|ha|em|e"
    r"|anh|chi|ban|chu|co chu|roi|chua|lam|nhi)"
    r"(?:[\s?!.,]+|$))+"
)
_POLITE = re.compile(
    r"(?:(?:xin|chao|hello|helo|hi|hey|alo|alooo*|ad|admin|shop|em|e|anh|chi|co|chu|bac|ban|minh|oi|da"
    r"|vang|a|ah|cam on|cam un|thank|thanks|"
    r"tks|thanh you|you|nhieu|nhe|nha|nhen|moi nguoi|quy co quan|co quan|bhxh|bao hiem|truoc|cho|hoi"
    r"|chut|xiu|ty|ti|mot|1|voi|muon|"
    r"buoi|sang|trua|chieu|toi|rat|lam|truoc|qua|nhan|tin|phien|lam phien)(?:[\s.,!?:~]+|$))+"
)


def split_questions(text: str) -> list[str]:
    """At most three questions in order, in the text's own words.

    A sentence that asks nothing stays with the question it tells about; one that only greets or thanks
    is left out unless there is nothing else.
    """
    text = unicodedata.normalize("NFC", text).strip()
    pieces = [
        piece for piece in _pieces(text) if not _POLITE.fullmatch(fold(text[piece[0] : piece[1]]).strip())
    ]
    if not pieces:
        return [text] if text else []
    spans: list[tuple[int, int]] = []
    story: int | None = None
    for start, end in pieces:
        folded = fold(text[start:end])
        if spans and _TAG.fullmatch(folded):
            spans[-1] = (spans[-1][0], end)
        elif _QUESTION.search(folded):
            spans.append((start if story is None else story, end))
            story = None
        elif story is None:
            story = start
    last = pieces[-1][1]
    if not spans:
        return [text[pieces[0][0] : last].strip()]
    if story is not None or len(spans) > _MOST:
        spans = spans[:_MOST]
        spans[-1] = (spans[-1][0], last)
    return [text[start:end].strip() for start, end in spans]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Sentences and clauses, each with its closing mark."""
    pieces = []
    start = 0
    for match in _BOUNDARY.finditer(fold(text)):
        end = match.end("mark") if match["mark"] else match.start()
        if text[start:end].strip(_MARKS):
            pieces += _joined(text, start, end)
            start = match.end()
    if text[start:].strip(_MARKS):
        pieces += _joined(text, start, len(text))
    return pieces


def _joined(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The two questions of `bao nhiêu tiền và mua ở đâu`, or the piece as it is."""
    folded = fold(text[start:end])
    for match in _JOINED.finditer(folded):
        sides = folded[: match.start()], folded[match.end() :]
        asked = [set(_INTERROGATIVE.findall(side)) for side in sides]
        if all(asked) and asked[0] != asked[1] and all(len(side.split()) >= _ENOUGH for side in sides):
            return [(start, start + match.start()), (start + match.end(), end)]
    return [(start, end)]
