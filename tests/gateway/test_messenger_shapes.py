"""Whatever comes as if from Meta is read without an error; long texts keep their figures whole."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channels.messenger_events import CitizenWrote, Event, is_signed, parse, read_object, signature
from gateway.channels.splitting import split_text

PAGE = "100000000000001"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
IDS = st.sampled_from([PAGE, "psid-1", "", 17, None, {}, "x" * 500])
PARTY = st.fixed_dictionaries({}, optional={"id": IDS}) | JSON
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "message": st.fixed_dictionaries(
        {},
        optional={
            "mid": IDS,
            "text": st.text() | JSON,
            "is_echo": st.booleans(),
            "app_id": IDS,
            "metadata": st.sampled_from(["outbox:1", "outbox:", "x"]) | JSON,
            "quick_reply": st.fixed_dictionaries({}, optional={"payload": IDS}) | JSON,
            "attachments": st.lists(
                st.fixed_dictionaries({}, optional={"type": st.just("image") | JSON, "payload": JSON})
            )
            | JSON,
        },
    )
    | JSON,
    "postback": st.fixed_dictionaries({}, optional={"mid": IDS, "title": JSON, "payload": IDS}) | JSON,
    "read": JSON,
    "delivery": st.fixed_dictionaries({}, optional={"mids": st.lists(IDS) | JSON}) | JSON,
    "reaction": JSON,
    "referral": JSON,
}
ITEM = (
    st.fixed_dictionaries(
        {}, optional={"sender": PARTY, "recipient": PARTY, "timestamp": st.integers() | JSON, **PARTS}
    )
    | JSON
)
CHANGE = (
    st.fixed_dictionaries(
        {"field": st.just("feed") | JSON},
        optional={
            "value": st.fixed_dictionaries(
                {"item": st.just("comment")},
                optional={
                    "verb": st.sampled_from(["add", "edited", "remove"]) | JSON,
                    "comment_id": IDS,
                    "from": PARTY,
                    "message": st.text() | JSON,
                    "created_time": st.integers() | JSON,
                },
            )
            | JSON
        },
    )
    | JSON
)
ENTRY = (
    st.fixed_dictionaries(
        {"id": st.just(PAGE) | IDS},
        optional={
            "time": st.integers() | JSON,
            "messaging": st.lists(ITEM, max_size=4) | JSON,
            "standby": st.lists(ITEM, max_size=2) | JSON,
            "changes": st.lists(CHANGE, max_size=3) | JSON,
        },
    )
    | JSON
)
BODY = st.fixed_dictionaries({"object": st.just("page"), "entry": st.lists(ENTRY, max_size=3) | JSON})


@settings(max_examples=300, deadline=None)
@given(body=BODY | st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_shape_is_read_in_the_order_of_time(body: dict[str, Any]) -> None:
    events = parse(read_object(json.dumps(body).encode()), PAGE)
    moments = [event.at for event in events]
    assert moments == sorted(moments)
    for event in events:
        assert isinstance(event, Event)
        if isinstance(event, CitizenWrote):
            assert event.message_id
            assert event.citizen_id not in ("", PAGE)


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200), other=st.binary(max_size=200), given_=st.text(max_size=80))
def test_only_the_signature_of_exactly_these_bytes_counts(body: bytes, other: bytes, given_: str) -> None:
    assert is_signed(body, signature(body, "secret"), "secret")
    assert is_signed(other, signature(body, "secret"), "secret") == (body == other)
    assert not is_signed(body, signature(body, "another"), "secret")
    assert not is_signed(body, given_, "secret")


FIGURE = re.compile(r"\d[\d.,]*")
WORDS = st.sampled_from(
    ["mức", "đóng", "1.500.000", "đồng.", "4,5%", "Điều 3.", "từ", "01/07/2026.", "?", "\n"]
)


@settings(max_examples=300, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=200), longest=st.integers(40, 200))
def test_a_long_text_is_split_into_fitting_parts_that_lose_nothing_and_cut_no_figure(
    words: list[str], longest: int
) -> None:
    text = " ".join(words)
    parts = split_text(text, longest)
    assert all(0 < len(part) <= longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert [figure for part in parts for figure in FIGURE.findall(part)] == FIGURE.findall(text)


@settings(max_examples=100, deadline=None)
@given(text=st.text(min_size=1, max_size=500), longest=st.integers(5, 100))
def test_even_a_text_without_sentences_is_split(text: str, longest: int) -> None:
    parts = split_text(text, longest)
    assert all(0 < len(part) <= longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
