"""Meta's webhooks: whether Meta signed them, and what happened according to them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Fields = Mapping[str, Any]

SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})")
METADATA = re.compile(r"outbox:(\d{1,18})")
ATTACHMENTS = frozenset({"image", "audio", "video", "file", "location", "sticker"})
LONGEST_ID = 200  # characters
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
GET_STARTED = "GET_STARTED"


def signature(body: bytes, app_secret: str) -> str:
    """The value of X-Hub-Signature-256 for a raw body."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, given: str, app_secret: str) -> bool:
    """Whether Meta signed exactly these bytes; takes the same time whatever is wrong."""
    found = SIGNATURE.fullmatch(given)
    digest = signature(body, app_secret).removeprefix("sha256=")
    return hmac.compare_digest(digest, found[1].lower() if found else "")


@dataclass(frozen=True)
class CitizenWrote:
    """A message, a tap or the opening of a conversation; `attachments` are `(kind, address)`."""

    citizen_id: str
    message_id: str
    text: str
    attachments: tuple[tuple[str, str], ...]
    token: str | None  # of a tapped button
    greets: bool
    at: datetime


@dataclass(frozen=True)
class PageWrote:
    """An echo: what our application, another one or staff in Page Inbox sent to a citizen."""

    citizen_id: str
    message_id: str
    text: str
    attachments: tuple[tuple[str, str], ...]
    app_id: str | None
    outbox_id: int | None
    at: datetime


@dataclass(frozen=True)
class Delivered:
    citizen_id: str
    message_ids: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class Seen:
    citizen_id: str
    at: datetime


@dataclass(frozen=True)
class Stirred:
    """A reaction or an m.me link: no words, but the citizen may be written to again."""

    citizen_id: str
    at: datetime


@dataclass(frozen=True)
class Commented:
    """A comment under a post of the page, new or edited."""

    comment_id: str
    citizen_id: str
    name: str | None
    text: str
    edited: bool
    at: datetime


@dataclass(frozen=True)
class Ignored:
    """Nothing to do: another page's, the page's own, or a kind of event we do not know."""

    name: str
    at: datetime


Event = CitizenWrote | PageWrote | Delivered | Seen | Stirred | Commented | Ignored


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises ValueError."""
    try:
        parsed = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")
    return parsed


def parse(body: Fields, page_id: str) -> list[Event]:
    """Everything a webhook tells of one page, oldest first; what is not understood is `Ignored`."""
    if body.get("object") != "page":
        return [Ignored("object", EPOCH)]
    found: list[Event] = []
    for entry in _objects(body.get("entry")):
        if _id(entry.get("id")) != page_id:
            found.append(Ignored("other_page", EPOCH))
            continue
        sent_at = _moment(entry.get("time"))
        for key in ("messaging", "standby"):
            found.extend(_messaging(item, page_id, sent_at) for item in _objects(entry.get(key)))
        found.extend(_change(change, page_id, sent_at) for change in _objects(entry.get("changes")))
    return sorted(found, key=lambda event: event.at)


def _messaging(item: Fields, page_id: str, sent_at: datetime) -> Event:
    at = _moment(item.get("timestamp")) if item.get("timestamp") is not None else sent_at
    sender, recipient = _party(item.get("sender")), _party(item.get("recipient"))
    message, postback = _fields(item.get("message")), _fields(item.get("postback"))
    if message and message.get("is_echo"):
        return _echo(message, recipient, at)
    if sender is None or sender == page_id:
        return Ignored("no_sender", at)
    if message:
        return _message(message, sender, at)
    if postback:
        return _postback(postback, sender, at)
    if read := _fields(item.get("read")):
        return Seen(sender, _moment(read.get("watermark")))
    if delivery := _fields(item.get("delivery")):
        mids = delivery.get("mids")
        return Delivered(sender, tuple(m for m in map(_id, mids if isinstance(mids, list) else ()) if m), at)
    if _fields(item.get("reaction")) or _fields(item.get("referral")):
        return Stirred(sender, at)
    known = {"sender", "recipient", "timestamp"}
    return Ignored(str(next((key for key in item if key not in known), "empty"))[:50], at)


def _message(message: Fields, sender: str, at: datetime) -> Event:
    mid = _id(message.get("mid"))
    text, attachments = _text(message.get("text")), _attachments(message)
    tap = _fields(message.get("quick_reply"))
    if mid is None or not (text or attachments or tap):
        return Ignored("message_deleted" if message.get("is_deleted") else "message_empty", at)
    return CitizenWrote(sender, mid, text, attachments, _id((tap or {}).get("payload")), False, at)


def _postback(postback: Fields, sender: str, at: datetime) -> Event:
    payload, title = _id(postback.get("payload")), _text(postback.get("title"))
    # Postbacks of old subscriptions carry no mid; the moment tells two taps apart.
    mid = _id(postback.get("mid")) or f"postback:{sender}:{at.timestamp():.3f}"
    greets = payload == GET_STARTED
    if not (greets or title):
        return Ignored("postback_empty", at)
    return CitizenWrote(sender, mid, title, (), None if greets else payload, greets, at)


def _echo(message: Fields, citizen_id: str | None, at: datetime) -> Event:
    mid = _id(message.get("mid"))
    if mid is None or citizen_id is None:
        return Ignored("echo_incomplete", at)
    metadata = METADATA.fullmatch(_text(message.get("metadata")))
    return PageWrote(
        citizen_id,
        mid,
        _text(message.get("text")),
        _attachments(message),
        _id(message.get("app_id")),
        int(metadata[1]) if metadata else None,
        at,
    )


def _attachments(message: Fields) -> tuple[tuple[str, str], ...]:
    found = []
    for attachment in _objects(message.get("attachments")):
        payload = _fields(attachment.get("payload")) or {}
        kind = attachment.get("type")
        if payload.get("sticker_id"):
            kind = "sticker"
        address = _text(payload.get("url")) or _text(attachment.get("url"))
        if coordinates := _fields(payload.get("coordinates")):
            address = f"{coordinates.get('lat')}, {coordinates.get('long')}"[:50]
        # `fallback` is a shared link; whatever else there is or will be is shown as a file.
        named = kind if kind in ATTACHMENTS else "link" if kind == "fallback" else "file"
        found.append((str(named), "" if named == "sticker" else address))
    return tuple(found)


def _change(change: Fields, page_id: str, sent_at: datetime) -> Event:
    value = _fields(change.get("value")) or {}
    author = _fields(value.get("from")) or {}
    comment_id = _id(value.get("comment_id"))
    if change.get("field") != "feed" or value.get("item") != "comment" or comment_id is None:
        return Ignored(f"change_{_text(change.get('field'))[:30]}", sent_at)
    if _id(author.get("id")) == page_id:
        return Ignored("own_comment", sent_at)
    if value.get("verb") not in ("add", "edited") or not _text(value.get("message")).strip():
        return Ignored("comment_without_words", sent_at)
    created = value.get("created_time")
    return Commented(
        comment_id,
        _id(author.get("id")) or "unknown",
        _text(author.get("name"))[:200] or None,
        _text(value.get("message")),
        value.get("verb") == "edited",
        sent_at if created is None else _moment(created, timedelta(seconds=1)),
    )


def _objects(value: object) -> Iterator[Fields]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _fields(value: object) -> Fields | None:
    return value if isinstance(value, dict) else None


def _party(value: object) -> str | None:
    found = _id((_fields(value) or {}).get("id"))
    return found if found is not None and len(found) <= 100 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object) -> str | None:
    """Ids are kept as strings; Meta sends some as numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    found = str(value) if isinstance(value, str) or abs(value) < 10**30 else ""
    return found if 0 < len(found) <= LONGEST_ID and found.isprintable() else None


def _moment(value: object, unit: timedelta = timedelta(milliseconds=1)) -> datetime:
    """A number of milliseconds (or `unit`s) since 1970; nonsense is the distant past."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**15:
        return EPOCH
    try:
        return min(EPOCH + value * unit, LATEST)
    except OverflowError:
        return LATEST
