"""Zalo's webhooks: whether Zalo signed them, and what happened according to them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from vietnamese.text import normalise

Fields = Mapping[str, Any]
TimestampSource = Literal["header", "body"]

# How the transcript names what is not text; the sentences are in texts.yaml.
ATTACHMENTS = ("image", "gif", "sticker", "audio", "video", "file", "link", "location", "business_card")
ANONYMOUS = "anonymous_send_"
FROM_CITIZEN = "user_send_"
FROM_OFFICE = "oa_send_"
LONGEST_ID = 128  # characters; Zalo's have about 20
LONGEST_LINE = 1_000
LATEST_MS = 4_102_444_800_000  # the year 2100
PREFIX = "mac="
DIGEST = re.compile(r"[0-9a-f]{64}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --- signature ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignedBy:
    """Which of the documented forms a valid signature had; sources disagree about which Zalo uses."""

    timestamp: TimestampSource
    prefixed: bool

    def __str__(self) -> str:
        return f"{self.timestamp} timestamp, {'with' if self.prefixed else 'without'} mac="


def signature(app_id: str, body: bytes, timestamp: str, secret: str) -> str:
    """Hexadecimal SHA-256 (not an HMAC) of app id, raw body, timestamp and Official Account secret key."""
    return hashlib.sha256(app_id.encode() + body + timestamp.encode() + secret.encode()).hexdigest()


def signed_by(
    body: bytes, given: str, header_timestamp: str | None, app_id: str, secret: str
) -> SignedBy | None:
    """How Zalo signed this body; None when it did not.

    Old timestamps are not refused: Zalo itself repeats a delivery for more than an hour. What is
    replayed is recognised by its message id instead.
    """
    prefixed = given.startswith(PREFIX)
    digest = given.removeprefix(PREFIX).lower()
    if not DIGEST.fullmatch(digest):
        return None
    stamps: list[tuple[TimestampSource, str | None]] = [
        ("header", header_timestamp),
        ("body", _body_timestamp(body)),
    ]
    for source, timestamp in stamps:
        if timestamp is not None and hmac.compare_digest(signature(app_id, body, timestamp, secret), digest):
            return SignedBy(source, prefixed)
    return None


def _body_timestamp(body: bytes) -> str | None:
    try:
        return _identity(read_object(body).get("timestamp"))
    except ValueError:
        return None


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises ValueError."""
    try:
        parsed = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")
    return parsed


# --- events ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CitizenWrote:
    """A message from a citizen; `attachments` are `(kind, address or description)`."""

    account: str
    citizen_id: str
    key: str  # unique within the account
    text: str
    attachments: tuple[tuple[str, str], ...]
    at: datetime | None


@dataclass(frozen=True)
class CitizenShared:
    """Contact data a citizen filled in on request."""

    account: str
    citizen_id: str
    key: str
    name: str | None
    phone: str | None
    address: str | None
    at: datetime | None


@dataclass(frozen=True)
class Followed:
    """A citizen follows the Official Account, or no longer does."""

    account: str
    citizen_id: str
    follows: bool


@dataclass(frozen=True)
class OfficeWrote:
    """An echo: what the API or a member of staff in the OA app sent to a citizen."""

    account: str
    citizen_id: str
    message_id: str | None
    text: str
    attachments: tuple[tuple[str, str], ...]
    key: str
    at: datetime | None


@dataclass(frozen=True)
class Receipt:
    """Messages that arrived on a citizen's telephone, or were read."""

    account: str
    citizen_id: str
    message_ids: tuple[str, ...]
    seen: bool
    at: datetime | None


@dataclass(frozen=True)
class Ignored:
    """Nothing for us to do: an event of a group or another account, a click, or one not known."""

    name: str
    known: bool


Understood = CitizenWrote | CitizenShared | Followed | OfficeWrote | Receipt
Event = Understood | Ignored

KNOWN_AND_IGNORED = frozenset({"user_click_chatnow", "user_feedback", "oa_send_consent"})


def parse(body: Fields, account: str) -> Event:
    """What happened to an Official Account, from a webhook's JSON; what is not understood is `Ignored`."""
    name = body.get("event_name")
    if not isinstance(name, str):
        return Ignored("", known=False)
    event: Understood | None = None
    if "_group_" in name or name in KNOWN_AND_IGNORED:
        return Ignored(name[:64], known=True)
    if name.startswith((FROM_CITIZEN, ANONYMOUS)):
        event = _citizen_wrote(name, body)
    elif name.startswith(FROM_OFFICE):
        event = _office_wrote(name, body)
    elif name in ("follow", "unfollow"):
        event = _followed(body, follows=name == "follow")
    elif name == "user_submit_info":
        event = _citizen_shared(name, body, account)
    elif name in ("user_received_message", "user_seen_message"):
        event = _receipt(body, account, seen=name == "user_seen_message")
    return event if event is not None and event.account == account else Ignored(name[:64], known=False)


def _citizen_wrote(name: str, body: Fields) -> CitizenWrote | None:
    account, citizen_id = _inner(body, "recipient", "id"), _inner(body, "sender", "id")
    if account is None or citizen_id is None:
        return None
    message = _mapping(body.get("message"))
    attachments = _attachments(message)
    kind = name.removeprefix(FROM_CITIZEN).removeprefix(ANONYMOUS)
    if kind in ATTACHMENTS and not attachments:
        attachments = ((kind, ""),)
    return CitizenWrote(
        account, citizen_id, _key(name, message, body), _text(message), attachments, _moment(body)
    )


def _office_wrote(name: str, body: Fields) -> OfficeWrote | None:
    account, citizen_id = _inner(body, "sender", "id"), _inner(body, "recipient", "id")
    if account is None or citizen_id is None:
        return None
    message = _mapping(body.get("message"))
    return OfficeWrote(
        account,
        citizen_id,
        _identity(message.get("msg_id")),
        _text(message),
        _attachments(message),
        _key(name, message, body),
        _moment(body),
    )


def _followed(body: Fields, *, follows: bool) -> Followed | None:
    account = _identity(body.get("oa_id")) or _inner(body, "recipient", "id")
    citizen_id = _inner(body, "follower", "id") or _inner(body, "sender", "id")
    return Followed(account, citizen_id, follows) if account and citizen_id else None


def _citizen_shared(name: str, body: Fields, account: str) -> CitizenShared | None:
    """Sources disagree whether the data stand in `info` or as JSON in the text, and who is the sender."""
    message = _mapping(body.get("message"))
    info = _mapping(body.get("info"))
    if not info:
        try:
            info = read_object(_text(message).encode())
        except ValueError:
            return None
        info = _mapping(info.get("info")) or info
    citizen_id = _other_party(body, account)
    if citizen_id is None:
        return None
    address = ", ".join(
        part for field in ("address", "ward", "district", "city") if (part := _line(info.get(field)))
    )
    return CitizenShared(
        account,
        citizen_id,
        _key(name, message, body, timed=False),
        _line(info.get("name")),
        _phone(info.get("phone")),
        address or None,
        _moment(body),
    )


def _receipt(body: Fields, account: str, *, seen: bool) -> Receipt | None:
    message = _mapping(body.get("message"))
    many = message.get("msg_ids")
    given = many if isinstance(many, list) else [message.get("msg_id")]
    ids = tuple(found for one in given if (found := _identity(one)))
    citizen_id = _other_party(body, account)
    return Receipt(account, citizen_id, ids, seen, _moment(body)) if ids and citizen_id else None


def _other_party(body: Fields, account: str) -> str | None:
    """The citizen, where sources disagree whether that is the sender or the recipient; None if neither."""
    sender, recipient = _inner(body, "sender", "id"), _inner(body, "recipient", "id")
    if account not in (sender, recipient, _identity(body.get("oa_id"))):
        return None
    return recipient if sender == account else sender


def _attachments(message: Fields) -> tuple[tuple[str, str], ...]:
    found = []
    given = message.get("attachments")
    for attachment in given if isinstance(given, list) else []:
        fields = _mapping(attachment)
        kind = fields.get("type")
        payload = _mapping(fields.get("payload"))
        if not isinstance(kind, str):
            continue
        if kind == "location":
            what = _coordinates(_mapping(payload.get("coordinates")) or payload)
        else:
            what = _line(payload.get("url")) or _line(payload.get("name")) or ""
        found.append((kind if kind in ATTACHMENTS else "file", what))
    location = _mapping(message.get("location"))
    if location and not any(kind == "location" for kind, _ in found):
        found.append(("location", _coordinates(location)))
    return tuple(found)


def _coordinates(fields: Fields) -> str:
    pair = [_line(fields.get(name)) or "" for name in ("latitude", "longitude")]
    return ",".join(pair) if all(pair) else ""


def _key(name: str, message: Fields, body: Fields, *, timed: bool = True) -> str:
    """What a repeated delivery has in common with the first: event and message id, else its content.

    A delivery repeated may be signed anew with another timestamp, so `timed=False` leaves that out
    where saying the same thing twice means nothing.
    """
    message_id = _identity(message.get("msg_id"))
    if message_id is not None:
        return f"{name[:64]}:{message_id}"
    content = dict(body) if timed else {field: value for field, value in body.items() if field != "timestamp"}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{name[:64]}:{digest}"


def _moment(body: Fields) -> datetime | None:
    stamp = _identity(body.get("timestamp"))
    if stamp is None or not (stamp.isascii() and stamp.isdecimal()):
        return None
    milliseconds = int(stamp)
    return EPOCH + timedelta(milliseconds=milliseconds) if milliseconds < LATEST_MS else None


def _inner(body: Fields, outer: str, inner: str) -> str | None:
    return _identity(_mapping(body.get(outer)).get(inner))


def _mapping(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _identity(value: object) -> str | None:
    """An id as text: numbers of Zalo are longer than a float keeps exactly."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST_ID:
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        return None
    return value if value.isascii() and value.isprintable() else None


def _text(message: Fields) -> str:
    text = message.get("text")
    return text if isinstance(text, str) else ""


def _line(value: object) -> str | None:
    """One line of text, from text or a number."""
    if isinstance(value, str):
        return normalise(" ".join(value.split()), LONGEST_LINE) or None
    return str(value) if isinstance(value, float) else _identity(value)


def _phone(value: object) -> str | None:
    """A telephone number as people write it: 84912345678 becomes 0912345678."""
    digits = (_line(value) or "").lstrip("+")
    return f"0{digits[2:]}" if digits.startswith("84") and len(digits) == 11 else digits or None
