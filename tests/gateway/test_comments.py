"""Comments under the posts: one private reply, a short pointer, no loops, no numbers left in public."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from call_centre.tables import Case
from gateway.channels.facebook_comments import CommentPolicy
from gateway.tables import InboxMessage, OutboxMessage
from tests.gateway.fakes import FakeRasa, Gateway, handover, turn
from tests.gateway.fanpage import ACCOUNT, Fanpage, fanpage


@pytest.fixture
async def page(idle_gateway: Gateway) -> AsyncIterator[Fanpage]:
    async with fanpage(idle_gateway) as made:
        yield made


def private(page: Fanpage) -> list[str]:
    return [one["text"] for one in page.meta.sent if "citizen" in one]


def public(page: Fanpage) -> list[str]:
    return [one["text"] for one in page.meta.sent if "public" in one]


async def test_a_question_gets_one_private_reply_and_one_public_pointer(
    page: Fanpage, rasa: FakeRasa
) -> None:
    page.meta.controls.change({"deliveries": 5, "shuffle": 1})
    comment = page.meta.comment("fb-1", "BHYT 4 người bao nhiêu?")
    rows = await page.settled(2)
    assert private(page) == ["Đáp: BHYT 4 người bao nhiêu?"]
    assert public(page) == [page.gateway.texts["comment_pointer"]]
    assert page.meta.sent[0]["comment"] == comment
    assert [row.status for row in rows] == ["sent", "sent"]
    assert rasa.questions == ["BHYT 4 người bao nhiêu?"]
    assert (await page.gateway.conversation()).citizen_name == "Người dân 1"


async def test_several_answers_make_one_private_reply_within_the_limit(page: Fanpage, rasa: FakeRasa) -> None:
    rasa.behave = lambda _body: [{"text": "Một. " * 300}, {"text": "Hai. " * 300}, turn()]
    page.meta.comment("fb-1", "hỏi hai câu")
    await page.settled(2)
    (text,) = private(page)
    assert len(text) <= 2_000
    assert text.endswith(page.gateway.texts["comment_more"])


async def test_the_pointer_can_be_switched_off(idle_gateway: Gateway) -> None:
    async with fanpage(idle_gateway, CommentPolicy(point_to_reply=False)) as page:
        page.meta.comment("fb-1", "BHYT bao nhiêu?")
        await page.settled(1)
        assert public(page) == []


@pytest.mark.parametrize("outcome", ["chitchat", "declined"])
async def test_what_is_no_question_of_ours_gets_nothing(page: Fanpage, rasa: FakeRasa, outcome: str) -> None:
    rasa.behave = lambda _body: [{"text": "Vâng ạ"}, turn(outcome)]
    page.meta.comment("fb-1", "hay quá")
    await page.settled()
    assert page.meta.sent == []


async def test_own_edited_and_removed_comments_never_loop(page: Fanpage, rasa: FakeRasa) -> None:
    comment = page.meta.comment("fb-1", "BHYT bao nhiêu?")
    await page.settled(2)
    page.meta.edit(comment, "BHYT hộ gia đình bao nhiêu?")
    page.meta.edit(comment, "BHYT hộ gia đình 4 người bao nhiêu?")
    for verb in ("remove", "hide", "unhide"):
        value = {"item": "comment", "verb": verb, "comment_id": comment, "from": {"id": "fb-1"}}
        change = {"field": "feed", "value": value}
        body = {"object": "page", "entry": [{"id": ACCOUNT.page_id, "time": 1, "changes": [change]}]}
        assert await page.post(json.dumps(body).encode()) == 200
    await page.settled(2)
    assert rasa.questions == ["BHYT bao nhiêu?"]
    assert len(page.meta.sent) == 2
    assert len(await page.gateway.all(InboxMessage)) == 1


async def test_where_a_person_is_needed_the_private_reply_is_kept_for_the_person(
    page: Fanpage, rasa: FakeRasa
) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển nhân viên"}, handover("personal_record")]
    page.meta.comment("fb-1", "sổ của tôi sao rồi")
    await page.settled(1)
    assert (private(page), public(page)) == ([], [page.gateway.texts["comment_to_person"]])
    await agent_says(page, "Chào chị, sổ của chị đã chốt.")
    await page.settled(2)
    assert private(page) == ["Chào chị, sổ của chị đã chốt."]
    await agent_says(page, "Còn nữa ạ")
    row = await page.status(-1, "failed")
    assert row.error == page.gateway.texts["comment_answered"]


async def agent_says(page: Fanpage, text: str) -> None:
    conversation = await page.gateway.conversation()
    async with page.gateway.database.sessions.begin() as session:
        await page.gateway.outbox.enqueue_agent_reply(session, conversation.id, text, "agent-1")


@pytest.mark.parametrize(
    "text",
    [
        "CCCD 038199001234 của em",
        "mã sổ 0123456789 sao chưa có",
        "gọi em 0912 345 678",
        "thẻ HS4797912345678",
    ],
)
async def test_a_personal_number_in_public_is_flagged_hidden_and_masked_for_rasa(
    idle_gateway: Gateway, rasa: FakeRasa, text: str
) -> None:
    async with fanpage(idle_gateway, CommentPolicy(hide_personal=True)) as page:
        comment = page.meta.comment("fb-1", text)
        await page.settled(2)
        assert page.meta.comments[comment].line.hidden
        assert (await page.gateway.case()).reason == "needs_human"
        assert "•••" in rasa.questions[0]
        assert len(private(page)) == 1


async def test_a_personal_number_is_hidden_only_where_the_office_wants_it(page: Fanpage) -> None:
    comment = page.meta.comment("fb-1", "CCCD 038199001234 của em")
    await page.settled(2)
    assert not page.meta.comments[comment].line.hidden
    assert (await page.gateway.case()).reason == "needs_human"


async def test_a_personal_number_written_in_later_is_flagged_once_and_not_answered(
    page: Fanpage, rasa: FakeRasa
) -> None:
    comment = page.meta.comment("fb-1", "BHYT bao nhiêu?")
    await page.settled(2)
    page.meta.edit(comment, "BHYT bao nhiêu? Gọi 0912345678")
    page.meta.edit(comment, "BHYT bao nhiêu? Gọi em 0912345678 nhé")
    await page.settled(2)
    assert len(rasa.questions) == 1
    assert len(await page.gateway.all(Case)) == 1


async def test_a_comment_older_than_a_week_goes_to_an_agent(page: Fanpage, rasa: FakeRasa) -> None:
    old = page.meta._clock() - timedelta(days=8)
    page.meta._clock = lambda: old
    page.meta.comment("fb-1", "BHYT bao nhiêu?")
    row = await page.status(0, "failed")
    assert row.error == page.gateway.texts["bot_window_closed"]
    pointer = await page.status(1, "failed")
    assert pointer.error == page.gateway.texts["comment_pointer_moot"]
    assert page.meta.sent == []


async def test_a_private_reply_cut_after_acceptance_is_settled_by_its_echo(page: Fanpage) -> None:
    page.meta.controls.change({"cut": 1})
    page.meta.comment("fb-1", "BHYT bao nhiêu?")
    row = await page.status(0, "sent")
    assert row.platform_message_id == page.meta.sent[0]["id"]
    await page.settled(2)
    assert len(private(page)) == 1


async def test_a_tap_under_a_private_reply_goes_on_in_messenger(page: Fanpage, rasa: FakeRasa) -> None:
    button = {"title": "3 tháng", "payload": "BHYT 3 tháng bao nhiêu?"}
    rasa.behave = lambda _body: [{"text": "Mấy tháng?", "buttons": [button]}, turn("asked")]
    page.meta.comment("fb-1", "BHYT bao nhiêu?")
    await page.settled(2)
    page.meta.tap("fb-1", page.meta.sent[0]["buttons"][0]["payload"])
    await page.settled(3)
    assert rasa.questions[-1] == button["payload"]


def shown(rows: list[OutboxMessage]) -> list[tuple[str, Any]]:
    return [(row.kind, row.status) for row in rows]


async def test_hiding_is_tried_again_until_it_works(idle_gateway: Gateway) -> None:
    async with fanpage(idle_gateway, CommentPolicy(hide_personal=True)) as page:
        page.meta.controls.change({"fail": 1})
        comment = page.meta.comment("fb-1", "gọi em 0912345678")
        rows = await page.settled(2)
        assert page.meta.comments[comment].line.hidden
        assert shown(rows) == [("hide_comment", "sent"), ("message", "sent"), ("public_reply", "sent")]
