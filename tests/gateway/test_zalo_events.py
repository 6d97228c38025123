"""Zalo's webhooks: golden signatures, each byte that matters, and every shape an event may have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.zalo_events import (
    ATTACHMENTS,
    CitizenShared,
    CitizenWrote,
    Followed,
    Ignored,
    OfficeWrote,
    Receipt,
    parse,
    read_object,
    signature,
    signed_by,
)

APP = "2553012345678901234"
SECRET = "oa-secret-key"
STAMP = "1699003881354"
OA, CITIZEN = "3141592653589793238", "6142857142857142857"
BODY = (
    '{"app_id":"2553012345678901234","event_name":"user_send_text","timestamp":"1699003881354",'
    '"sender":{"id":"6142857142857142857"},"recipient":{"id":"3141592653589793238"},'
    '"message":{"msg_id":"cb31","text":"Chào, đóng bao nhiêu?"}}'
).encode()
# sha256sum over app id, body, timestamp and secret written one after the other.
GOLDEN = "b650185c212cf8970f3d3a805ddea70a11b8e891089a2c0a69bd4dbc1575008f"


def envelope(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "app_id": APP,
        "event_name": name,
        "timestamp": STAMP,
        "sender": {"id": CITIZEN},
        "recipient": {"id": OA},
        **fields,
    }


# --- signature ---------------------------------------------------------------------------------


def test_the_golden_signature() -> None:
    assert signature(APP, BODY, STAMP, SECRET) == GOLDEN


@pytest.mark.parametrize("prefix", ["mac=", ""])
@pytest.mark.parametrize("digest", [GOLDEN, GOLDEN.upper()])
@pytest.mark.parametrize(("header", "source"), [(STAMP, "header"), (None, "body"), ("1", "body")])
def test_every_documented_form_is_accepted_and_named(
    prefix: str, digest: str, header: str | None, source: str
) -> None:
    found = signed_by(BODY, prefix + digest, header, APP, SECRET)
    assert found is not None
    assert (found.timestamp, found.prefixed) == (source, bool(prefix))


def test_the_header_timestamp_counts_where_it_differs_from_the_body() -> None:
    later = str(int(STAMP) + 900_000)
    found = signed_by(BODY, "mac=" + signature(APP, BODY, later, SECRET), later, APP, SECRET)
    assert found is not None and str(found) == "header timestamp, with mac="


def test_a_number_as_body_timestamp_is_accepted() -> None:
    body = BODY.replace(b'"1699003881354"', b"1699003881354")
    assert signed_by(body, signature(APP, body, STAMP, SECRET), None, APP, SECRET) is not None


def test_each_changed_byte_of_the_body_is_noticed() -> None:
    for index in range(len(BODY)):
        changed = BODY[:index] + bytes([BODY[index] ^ 1]) + BODY[index + 1 :]
        assert signed_by(changed, GOLDEN, STAMP, APP, SECRET) is None, index


def test_each_changed_digit_of_the_signature_is_noticed() -> None:
    for index, digit in enumerate(GOLDEN):
        changed = GOLDEN[:index] + ("0" if digit != "0" else "1") + GOLDEN[index + 1 :]
        assert signed_by(BODY, "mac=" + changed, STAMP, APP, SECRET) is None, index


@pytest.mark.parametrize(
    "given_signature",
    ["", "mac=", "mac=" + GOLDEN[:-1], GOLDEN + "0", "sha256=" + GOLDEN, "mac=mac=" + GOLDEN, "é" * 64],
)
def test_what_is_no_signature_is_refused(given_signature: str) -> None:
    assert signed_by(BODY, given_signature, STAMP, APP, SECRET) is None


def test_truncation_another_secret_and_another_application_are_refused() -> None:
    assert signed_by(BODY[:-1], GOLDEN, STAMP, APP, SECRET) is None
    assert signed_by(BODY, GOLDEN, STAMP, APP, "another") is None
    assert signed_by(BODY, GOLDEN, STAMP, "1", SECRET) is None


@given(st.binary(max_size=200), st.text(max_size=80), st.none() | st.text(max_size=20))
def test_a_forger_gets_nothing(body: bytes, given_signature: str, header: str | None) -> None:
    assert signed_by(body, given_signature, header, APP, SECRET) is None


# --- events ------------------------------------------------------------------------------------


def wrote(body: dict[str, Any]) -> CitizenWrote:
    event = parse(body, OA)
    assert isinstance(event, CitizenWrote)
    return event


def test_a_text() -> None:
    event = wrote(read_object(BODY))
    assert (event.account, event.citizen_id, event.text) == (OA, CITIZEN, "Chào, đóng bao nhiêu?")
    assert event.key == "user_send_text:cb31"
    assert event.attachments == ()
    assert event.at is not None and event.at.isoformat() == "2023-11-03T09:31:21.354000+00:00"


@pytest.mark.parametrize("kind", ATTACHMENTS)
def test_every_kind_of_attachment(kind: str) -> None:
    attachment = {"type": kind, "payload": {"url": "https://cdn.example/x", "thumbnail": "t"}}
    event = wrote(envelope(f"user_send_{kind}", message={"msg_id": "1", "attachments": [attachment]}))
    what = "" if kind == "location" else "https://cdn.example/x"
    assert event.attachments == ((kind, what),)
    assert event.text == ""


@pytest.mark.parametrize("kind", ATTACHMENTS)
def test_an_attachment_described_by_its_event_alone(kind: str) -> None:
    assert wrote(envelope(f"user_send_{kind}", message={"msg_id": "1"})).attachments == ((kind, ""),)


@pytest.mark.parametrize(
    "message",
    [
        {
            "attachments": [
                {"type": "location", "payload": {"coordinates": {"latitude": 10.7, "longitude": 106.6}}}
            ]
        },
        {"attachments": [{"type": "location", "payload": {"latitude": "10.7", "longitude": "106.6"}}]},
        {"location": {"latitude": 10.7, "longitude": 106.6}},
    ],
)
def test_a_location_wherever_it_stands(message: dict[str, Any]) -> None:
    event = wrote(envelope("user_send_location", message={"msg_id": "1", **message}))
    assert event.attachments == (("location", "10.7,106.6"),)


def test_an_anonymous_citizen_is_a_citizen() -> None:
    assert wrote(envelope("anonymous_send_text", message={"msg_id": "1", "text": "a"})).text == "a"
    assert wrote(envelope("anonymous_send_image", message={"msg_id": "1"})).attachments == (("image", ""),)


def test_ids_stay_exact_however_they_are_written() -> None:
    text = json.dumps(envelope("user_send_text", message={"msg_id": "1", "text": "a"}))
    as_numbers = text.replace(f'"{OA}"', OA).replace(f'"{CITIZEN}"', CITIZEN)
    assert wrote(json.loads(as_numbers)) == wrote(json.loads(text))


def test_a_repeated_delivery_has_the_same_key_and_another_message_another() -> None:
    first = wrote(envelope("user_send_text", message={"msg_id": "1", "text": "a"}))
    again = wrote(envelope("user_send_text", timestamp="1700000000000", message={"msg_id": "1", "text": "a"}))
    other = wrote(envelope("user_send_text", message={"msg_id": "2", "text": "a"}))
    assert first.key == again.key != other.key


def test_without_a_message_id_the_content_is_the_key() -> None:
    first = wrote(envelope("user_send_text", message={"text": "a"}))
    assert first.key == wrote(envelope("user_send_text", message={"text": "a"})).key
    assert first.key != wrote(envelope("user_send_text", message={"text": "b"})).key
    assert first.key != wrote(envelope("user_send_text", message={"text": "a"}, timestamp="1")).key


@pytest.mark.parametrize(
    "body",
    [
        {"event_name": "follow", "oa_id": OA, "follower": {"id": CITIZEN}},
        envelope("follow"),
    ],
)
def test_following(body: dict[str, Any]) -> None:
    assert parse(body, OA) == Followed(OA, CITIZEN, follows=True)
    assert parse({**body, "event_name": "unfollow"}, OA) == Followed(OA, CITIZEN, follows=False)


INFO = {"name": "Nguyễn Văn  A", "phone": 84912345678, "address": "Số 1", "city": "Hoa Sen"}


@pytest.mark.parametrize(
    "body",
    [
        envelope("user_submit_info", info=INFO),
        envelope("user_submit_info", info={**INFO, "phone": "+84912345678"}),
        envelope("user_submit_info", info={**INFO, "phone": "0912345678"}),
        envelope("user_submit_info", message={"text": json.dumps(INFO)}),
        envelope("user_submit_info", message={"text": json.dumps({"info": INFO})}),
        envelope("user_submit_info", info=INFO, oa_id=OA, sender={"id": OA}, recipient={"id": CITIZEN}),
    ],
)
def test_contact_data_in_every_shape(body: dict[str, Any]) -> None:
    event = parse(body, OA)
    assert isinstance(event, CitizenShared)
    assert (event.account, event.citizen_id) == (OA, CITIZEN)
    assert (event.name, event.phone, event.address) == ("Nguyễn Văn A", "0912345678", "Số 1, Hoa Sen")


def test_an_echo_names_the_citizen_as_its_recipient() -> None:
    body = envelope("oa_send_text", message={"msg_id": "7", "text": "Dạ"})
    body["sender"], body["recipient"] = {"id": OA, "admin_id": "1"}, {"id": CITIZEN}
    event = parse(body, OA)
    assert isinstance(event, OfficeWrote)
    assert (event.account, event.citizen_id, event.message_id, event.text) == (OA, CITIZEN, "7", "Dạ")


def test_receipts() -> None:
    seen = parse(envelope("user_seen_message", message={"msg_ids": ["1", 2]}), OA)
    assert isinstance(seen, Receipt) and seen.message_ids == ("1", "2") and seen.seen
    received = parse(envelope("user_received_message", message={"msg_id": "1"}), OA)
    assert isinstance(received, Receipt) and received.message_ids == ("1",) and not received.seen


@pytest.mark.parametrize(
    ("body", "known"),
    [
        ({}, False),
        ({"event_name": 7}, False),
        ({"event_name": "brand_new_event"}, False),
        ({"event_name": "user_send_text"}, False),
        (envelope("user_send_group_text", message={"text": "a"}), True),
        (envelope("oa_send_group_text"), True),
        (envelope("user_click_chatnow"), True),
        (envelope("oa_send_consent"), True),
        (envelope("user_submit_info", message={"text": "not JSON"}), False),
        (envelope("user_seen_message", message={}), False),
        (envelope("user_send_text", recipient={"id": "another account"}), False),
        (envelope("user_submit_info", info={"name": "A"}, recipient={"id": "another account"}), False),
    ],
)
def test_what_is_not_for_us_is_ignored(body: dict[str, Any], known: bool) -> None:
    event = parse(body, OA)
    assert isinstance(event, Ignored) and event.known is known


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([OA, CITIZEN])
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELD = SCALARS | JSON_VALUES
NAMES = st.sampled_from(
    [
        *(f"user_send_{kind}" for kind in ("text", *ATTACHMENTS)),
        "anonymous_send_text",
        "oa_send_text",
        "oa_send_image",
        "follow",
        "unfollow",
        "user_submit_info",
        "user_received_message",
        "user_seen_message",
        "user_send_group_text",
    ]
)


def mapping(*names: str) -> st.SearchStrategy[Any]:
    return FIELD | st.fixed_dictionaries({}, optional=dict.fromkeys(names, FIELD))


ATTACHMENT = FIELD | st.fixed_dictionaries(
    {}, optional={"type": FIELD, "payload": mapping("url", "name", "coordinates", "latitude", "longitude")}
)
EVENTS = st.fixed_dictionaries(
    {"event_name": NAMES | FIELD},
    optional={
        "oa_id": FIELD,
        "timestamp": FIELD,
        "sender": mapping("id"),
        "recipient": mapping("id"),
        "follower": mapping("id"),
        "info": mapping("name", "phone", "address"),
        "message": FIELD
        | st.fixed_dictionaries(
            {},
            optional={
                "msg_id": FIELD,
                "msg_ids": FIELD,
                "text": FIELD,
                "location": mapping("latitude", "longitude"),
                "attachments": FIELD | st.lists(ATTACHMENT, max_size=3),
            },
        ),
    },
)


@given(EVENTS)
def test_no_shape_raises_and_what_is_understood_can_be_stored(body: dict[str, Any]) -> None:
    event = parse(body, OA)
    for name, value in vars(event).items():
        if isinstance(value, str) and name != "text":  # the inbox makes texts safe
            value.encode()
    if isinstance(event, CitizenWrote | OfficeWrote | CitizenShared):
        assert event.account and event.citizen_id
        assert 0 < len(event.key) <= 255
    if isinstance(event, Receipt):
        assert event.message_ids


@given(
    st.binary(max_size=100) | st.recursive(st.just(b"1"), lambda inner: inner.map(lambda x: b"[" + x + b"]"))
)
def test_a_body_is_an_object_or_refused(body: bytes) -> None:
    try:
        assert isinstance(read_object(body), dict)
    except ValueError:
        return


def test_a_body_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="deep"):
        read_object(b'{"a":' * 100_000)
