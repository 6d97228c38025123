"""Messenger, against a simulated Meta: what comes in, what goes out, and the promises in between."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from call_centre.tables import Case
from gateway import repository
from gateway.channels.platform import MAX_WEBHOOK
from gateway.outbox import Held, MaybeSent, NotSent, Rejected
from gateway.tables import ChannelAccount, Conversation, InboxMessage, OutboxMessage
from tests.gateway.fakes import FakeRasa, Gateway, eventually, handover, said, turn
from tests.gateway.fakes import Held as HeldRasa
from tests.gateway.fanpage import ACCOUNT, Fanpage, fanpage


@pytest.fixture
async def page(idle_gateway: Gateway) -> AsyncIterator[Fanpage]:
    async with fanpage(idle_gateway) as made:
        yield made


def webhook(*items: dict[str, Any], key: str = "messaging") -> bytes:
    """One webhook with an entry for each item."""
    entries = [{"id": ACCOUNT.page_id, "time": 1, key: [item]} for item in items]
    return json.dumps({"object": "page", "entry": entries}).encode()


def wrote(mid: str, text: str, at: int = 1_000, citizen: str = "psid-1") -> dict[str, Any]:
    parties = {"sender": {"id": citizen}, "recipient": {"id": ACCOUNT.page_id}}
    return {**parties, "timestamp": at, "message": {"mid": mid, "text": text}}


# --- who may call ---


async def test_the_challenge_is_answered_only_to_whoever_knows_the_token(page: Fanpage) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": ACCOUNT.verify_token}
    async with page.http.get(page.url, params=asked) as response:
        assert (response.status, await response.text()) == (200, "42")
    for wrong in ({"hub.verify_token": "other"}, {"hub.mode": "other"}):
        async with page.http.get(page.url, params={**asked, **wrong}) as response:
            assert response.status == 403
    async with page.http.get(page.url) as response:
        assert response.status == 403


async def test_forged_truncated_mutated_or_oversized_webhooks_change_nothing(page: Fanpage) -> None:
    body = webhook(wrote("m1", "chào"))
    good = page.meta.sign(body)["X-Hub-Signature-256"]
    refused = ["", "sha256=", "sha1=" + good[7:], good[7:], good[:-1], good[:-1] + "é", "sha256=" + "0" * 64]
    assert [await page.post(body, given) for given in refused] == [401] * len(refused)
    assert await page.post(body[:-1], good) == 401
    chosen = random.Random(1).sample(range(len(body)), 40)
    for place in chosen:
        mutated = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert await page.post(mutated, good) == 401
    for unreadable in (b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000):
        assert await page.post(unreadable) == 400
    assert await page.post(b" " * (MAX_WEBHOOK + 1)) == 413
    assert await page.gateway.all(InboxMessage) == []
    assert await page.post(body) == 200
    print(f"\nrefused: {len(refused)} signatures, {len(chosen) + 1} changed bodies, 6 unreadable, 1 too long")


# --- what comes in ---


async def test_every_message_of_a_batch_is_answered_in_the_order_of_its_time(page: Fanpage) -> None:
    page.meta.citizen("psid-1")
    page.meta.citizens["psid-1"].last_wrote_at = page.meta._clock()
    now = page.meta._now_ms()
    body = webhook(wrote("m2", "hai", now + 2), wrote("m1", "một", now + 1), wrote("m3", "ba", now + 3))
    assert await page.post(body) == 200
    assert await page.told(3) == ["Đáp: một", "Đáp: hai", "Đáp: ba"]


async def test_each_webhook_five_times_and_shuffled_is_answered_once_and_in_order(
    page: Fanpage, rasa: FakeRasa
) -> None:
    page.meta.controls.change({"deliveries": 5, "shuffle": 1})
    expected: dict[str, list[str]] = {}
    for number in range(3):
        page.meta.controls.change({"hold": 1})
        for citizen in ("a", "b"):
            page.meta.write(citizen, f"câu {number} của {citizen}")
            expected.setdefault(citizen, []).append(f"Đáp: câu {number} của {citizen}")
        page.meta.controls.change({"hold": 0})
        page.meta.deliverer.wake()
        await page.settled((number + 1) * 2)
    for citizen, texts in expected.items():
        assert [one["text"] for one in page.meta.sent if one["citizen"] == citizen] == texts
    assert len(rasa.questions) == 6
    deliveries = len(page.meta.deliverer.delivered)
    assert {one.status for one in page.meta.deliverer.delivered} == {200}
    print(f"\n{deliveries} deliveries of 6 messages and their echoes: {len(page.meta.sent)} answers")


async def test_webhooks_replayed_later_change_nothing(page: Fanpage, rasa: FakeRasa) -> None:
    page.meta.write("psid-1", "một")
    page.meta.react("psid-1")
    await page.settled(1)
    page.meta.staff("psid-1", "em trả lời đây")
    await page.settled(1)
    before = [(row.text, row.status) for row in await page.gateway.all(OutboxMessage)]
    page.meta.controls.change({"replay": 100})
    page.meta.deliverer.wake()
    count = len(page.meta.deliverer.delivered)

    async def replayed() -> bool:
        return len(page.meta.deliverer.delivered) == 2 * count

    await eventually(replayed, page.gateway.signals, "outbox")
    assert [(row.text, row.status) for row in await page.gateway.all(OutboxMessage)] == before
    assert rasa.questions == ["một"]


async def test_two_messages_in_a_row_are_answered_in_order(page: Fanpage) -> None:
    page.meta.write("psid-1", "một")
    page.meta.write("psid-1", "hai")
    assert await page.told(2) == ["Đáp: một", "Đáp: hai"]
    assert [row.status for row in await page.gateway.all(OutboxMessage)] == ["sent", "sent"]


async def test_a_tapped_quick_reply_says_its_sentence(page: Fanpage, rasa: FakeRasa) -> None:
    button = {"title": "Mức đóng", "payload": "Mức đóng BHXH tự nguyện là bao nhiêu?"}
    rasa.behave = lambda _body: [{"text": "Chọn giúp em", "buttons": [button]}, turn("asked")]
    page.meta.write("psid-1", "bhxh")
    await page.settled(1)
    (offered,) = page.meta.sent[0]["buttons"]
    assert offered["title"] == "Mức đóng"
    assert offered["payload"] not in (button["payload"], "")
    rasa.behave = said
    page.meta.tap("psid-1", offered["payload"])
    assert (await page.told(2))[1] == f"Đáp: {button['payload']}"


async def test_a_quick_reply_nobody_remembers_counts_as_its_title_typed(
    page: Fanpage, rasa: FakeRasa
) -> None:
    tap = wrote("m1", "Mức đóng")
    tap["message"]["quick_reply"] = {"payload": "/restart"}
    assert await page.post(webhook(tap)) == 200
    await page.settled()
    assert rasa.questions == ["Mức đóng"]


async def test_the_start_button_greets_without_asking_rasa(page: Fanpage, rasa: FakeRasa) -> None:
    page.meta.start("psid-1")
    assert await page.told(1) == [page.gateway.texts["greeting"]]
    assert rasa.questions == []


@pytest.mark.parametrize("kind", ["image", "sticker", "location", "file"])
async def test_what_is_not_text_is_recorded_and_answered_kindly(page: Fanpage, kind: str) -> None:
    page.meta.attach("psid-1", kind)
    assert await page.told(1) == [page.gateway.texts["attachment"]]
    (message,) = await page.gateway.inbox_rows()
    assert message.text.startswith(page.gateway.texts[f"attached_{kind}"])


async def test_a_reaction_opens_the_window_anew_and_is_not_answered(page: Fanpage) -> None:
    page.meta.write("psid-1", "chào")
    await page.settled(1)
    await page.silent_for(timedelta(hours=30))
    before = (await page.gateway.conversation()).last_citizen_at
    page.meta.react("psid-1")
    await page.settled()
    assert (await page.gateway.conversation()).last_citizen_at > before + timedelta(hours=29)
    assert len(await page.gateway.inbox_rows()) == 1


async def test_delivered_and_seen_are_recorded(page: Fanpage) -> None:
    page.meta.write("psid-1", "chào")
    await page.settled(1)
    (row,) = await page.gateway.all(OutboxMessage)
    delivery = {"sender": {"id": "psid-1"}, "timestamp": 1, "delivery": {"mids": [row.platform_message_id]}}
    await page.post(webhook(delivery))
    await page.status(0, "delivered")
    page.meta.read("psid-1")
    await page.status(0, "seen")
    await page.post(webhook(delivery))
    await page.status(0, "seen")


async def test_unknown_events_are_acknowledged_and_change_nothing(page: Fanpage) -> None:
    party = {"sender": {"id": "psid-1"}, "recipient": {"id": ACCOUNT.page_id}, "timestamp": 5}
    bodies = [
        b"{}",
        b'{"object": "instagram", "entry": [{}]}',
        b'{"object": "page"}',
        b'{"object": "page", "entry": 7}',
        webhook({**party, "from_the_future": {"x": 1}}),
        webhook({**party, "message": {"mid": "m1"}}),
        webhook({**party, "message": {"text": "no mid"}}),
        webhook({**party, "optin": {"ref": "x"}}),
        webhook({"field": "ratings", "value": {}}, key="changes"),
        webhook({"field": "feed", "value": {"item": "like"}}, key="changes"),
        json.dumps({"object": "page", "entry": [{"id": "other", "messaging": [wrote("m1", "x")]}]}).encode(),
    ]
    assert [await page.post(body) for body in bodies] == [200] * len(bodies)
    assert await page.gateway.all(InboxMessage) == []
    print(f"\n{len(bodies)} unknown events acknowledged")


async def test_standby_messages_are_answered_too(page: Fanpage, rasa: FakeRasa) -> None:
    await page.post(webhook(wrote("m1", "chào"), key="standby"))
    await page.settled()
    assert rasa.questions == ["chào"]


# --- echoes ---


async def test_staff_answering_in_page_inbox_silence_the_bot_and_stand_in_the_transcript(
    page: Fanpage, rasa: FakeRasa
) -> None:
    page.meta.write("psid-1", "chào")
    await page.settled(1)
    page.meta.controls.change({"deliveries": 3})
    page.meta.staff("psid-1", "Chào chị, em là Lan")
    await page.status(1, "sent")
    await page.settled(1)
    conversation = await page.gateway.conversation()
    assert conversation.owner == "agent"
    page.meta.write("psid-1", "vâng em hỏi chút")
    await page.settled(1)
    assert rasa.questions == ["chào"]
    async with page.gateway.database.readers() as session:
        lines = await page.gateway.conversations.transcript(session, conversation.id)
    assert [(line.author, line.text) for line in lines] == [
        ("citizen", "chào"),
        ("bot", "Đáp: chào"),
        ("agent", "Chào chị, em là Lan"),
        ("citizen", "vâng em hỏi chút"),
    ]
    assert (await page.gateway.case()).reason == "answered_outside_console"


async def test_staff_answering_while_rasa_thinks_keep_the_bot_from_talking_over_them(
    page: Fanpage, rasa: FakeRasa
) -> None:
    held = HeldRasa()
    rasa.behave = held
    page.meta.write("psid-1", "chào")
    await rasa.arrived.wait()
    page.meta.staff("psid-1", "Em đây")
    await page.status(0, "sent")
    held.release.set()
    await page.settled()
    assert page.meta.sent == []


async def test_an_echo_with_metadata_of_no_message_of_ours_means_staff(page: Fanpage) -> None:
    page.meta.write("psid-1", "chào")
    await page.settled(1)
    message = {"mid": "m_x", "text": "khác", "is_echo": True, "metadata": "outbox:999"}
    echo = {"sender": {"id": ACCOUNT.page_id}, "recipient": {"id": "psid-1"}, "timestamp": 1}
    await page.post(webhook({**echo, "message": message}))
    assert (await page.gateway.conversation()).owner == "agent"


# --- what goes out ---


async def test_a_cut_after_acceptance_is_settled_by_the_echo_and_never_sent_twice(page: Fanpage) -> None:
    page.meta.controls.change({"cut": 1})
    page.meta.write("psid-1", "một")
    row = await page.status(0, "sent")
    assert row.platform_message_id == page.meta.sent[0]["id"]
    page.meta.write("psid-1", "hai")
    assert await page.told(2) == ["Đáp: một", "Đáp: hai"]
    assert await page.gateway.all(Case) == []


async def test_a_cut_without_an_echo_is_shown_to_an_agent_and_never_sent_twice(page: Fanpage) -> None:
    page.meta.controls.change({"cut": 1, "echoes": 0})
    page.meta.write("psid-1", "một")
    row = await page.status(0, "ambiguous")
    assert row.review_at is not None
    await due(page, row)
    case = await eventually(lambda: only_case(page), page.gateway.signals, row.conversation_id)
    assert (case.reason, case.question) == ("technical_failure", "một")
    assert (await page.gateway.conversation()).owner == "waiting"
    assert len(page.meta.sent) == 1


async def due(page: Fanpage, row: OutboxMessage) -> None:
    """Let the time for an echo be over."""
    async with page.gateway.database.sessions.begin() as session:
        stored = await repository.outbox_row(session, row.id)
        assert stored is not None
        stored.review_at = row.created_at
    page.gateway.signals.wake("review")


async def only_case(page: Fanpage) -> Case | None:
    cases = await page.gateway.all(Case)
    return cases[0] if cases else None


async def test_an_expired_window_goes_to_the_agent_with_the_reason_in_words(
    page: Fanpage, rasa: FakeRasa
) -> None:
    held = HeldRasa()
    rasa.behave = held
    page.meta.write("psid-1", "một")
    await rasa.arrived.wait()
    await page.silent_for(timedelta(hours=25))
    held.release.set()
    row = await page.status(0, "failed")
    assert row.error == page.gateway.texts["bot_window_closed"]
    case = await eventually(lambda: only_case(page), page.gateway.signals, row.conversation_id)
    assert case.window_closes_at is not None
    assert page.meta.sent == []


async def test_an_agent_answers_after_a_day_with_the_tag_for_people(page: Fanpage) -> None:
    page.meta.write("psid-1", "một")
    await page.settled(1)
    await page.silent_for(timedelta(days=3))
    await agent_says(page, "Em xin trả lời")
    await page.settled(2)
    assert page.meta.sent[0]["tag"] is None
    assert page.meta.sent[1]["tag"] == "HUMAN_AGENT"
    await page.silent_for(timedelta(days=5))
    await agent_says(page, "Còn nữa")
    row = await page.status(2, "failed")
    assert row.error == page.gateway.texts["window_closed"]


async def agent_says(page: Fanpage, text: str) -> None:
    conversation = await page.gateway.conversation()
    async with page.gateway.database.sessions.begin() as session:
        await page.gateway.outbox.enqueue_agent_reply(session, conversation.id, text, "agent-1")


async def test_a_long_answer_leaves_in_parts_that_meta_takes(page: Fanpage, rasa: FakeRasa) -> None:
    sentences = [f"Câu {number} nói về mức 1.500.000 đồng." for number in range(120)]
    rasa.behave = lambda _body: [{"text": " ".join(sentences)}, turn()]
    page.meta.write("psid-1", "dài")
    parts = await page.told(3)
    assert " ".join(parts) == " ".join(sentences)
    assert all(part.endswith("đồng.") for part in parts)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (2, NotSent),
        (1200, NotSent),
        (4, Held),
        (32, Held),
        (613, Held),
        (10, Held),
        (190, Held),
        (200, Held),
        (368, Held),
        (100, Rejected),
        (551, Rejected),
        (10900, Rejected),
        (99_999, Rejected),
    ],
)
async def test_each_error_of_meta_means_one_thing(
    page: Fanpage, code: int, expected: type[Exception]
) -> None:
    conversation, row = await a_message(page)
    page.meta.controls.change({"refuse": 1, "refuse_code": code})
    with pytest.raises(expected):
        await page.messenger.send(conversation, row)


async def a_message(page: Fanpage) -> tuple[Conversation, OutboxMessage]:
    page.meta.write("psid-1", "một")
    (row, *_) = await page.settled(1)
    return await page.gateway.conversation(), row


async def test_a_window_or_person_that_meta_refuses_is_refused_for_good(page: Fanpage) -> None:
    conversation, row = await a_message(page)
    page.meta.citizens["psid-1"].unavailable = True
    with pytest.raises(Rejected, match="chặn trang"):
        await page.messenger.send(conversation, row)
    page.meta.citizens["psid-1"].unavailable = False
    page.meta.citizens["psid-1"].last_wrote_at = None
    with pytest.raises(Rejected, match="quá thời hạn"):
        await page.messenger.send(conversation, row)
    del page.meta.citizens["psid-1"]
    with pytest.raises(Rejected, match="không tìm thấy"):
        await page.messenger.send(conversation, row)


async def test_a_server_that_breaks_off_leaves_doubt_and_one_that_is_away_does_not(page: Fanpage) -> None:
    conversation, row = await a_message(page)
    page.meta.controls.change({"fail": 1})
    with pytest.raises(MaybeSent):
        await page.messenger.send(conversation, row)
    page.messenger._graph._base = "http://127.0.0.1:1/v23.0"
    with pytest.raises(NotSent):
        await page.messenger.send(conversation, row)


async def test_a_held_account_keeps_its_messages_in_order_and_is_free_again_at_the_first_success(
    page: Fanpage,
) -> None:
    page.meta.controls.change({"refuse": 1, "refuse_code": 190})
    page.meta.write("psid-1", "một")
    page.meta.write("psid-1", "hai")

    async def held() -> ChannelAccount | None:
        found = [one for one in await page.gateway.all(ChannelAccount) if one.held_until is not None]
        return found[0] if found else None

    account = await eventually(held, page.gateway.signals, "outbox")
    assert (account.problem, account.needs_administrator) == (page.gateway.texts["meta_token"], True)
    assert page.meta.sent == []
    async with page.gateway.database.sessions.begin() as session:
        stored = await session.get(ChannelAccount, (account.channel, account.account))
        assert stored is not None
        stored.held_until = account.problem_at
        for row in await page.gateway.all(OutboxMessage):
            again = await repository.outbox_row(session, row.id)
            assert again is not None
            again.not_before = None
    page.gateway.signals.wake("outbox")
    assert await page.told(2) == ["Đáp: một", "Đáp: hai"]
    (account,) = [one for one in await page.gateway.all(ChannelAccount) if one.channel == "messenger"]
    assert (account.problem, account.held_until, account.needs_administrator) == (None, None, False)


async def test_an_agents_answer_reaches_the_citizen_who_asked_for_a_person(
    page: Fanpage, rasa: FakeRasa
) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển nhân viên"}, handover()]
    page.meta.write("psid-1", "gặp nhân viên")
    await page.settled(2)
    await agent_says(page, "Em nghe đây")
    assert (await page.told(3))[2] == "Em nghe đây"


# --- things away for a while ---


async def test_rasa_and_meta_away_for_a_while_lose_nothing_and_answer_late_in_order(
    idle_gateway: Gateway, rasa: FakeRasa
) -> None:
    idle_gateway.rasa._retry_seconds = 20
    port = rasa.port
    await rasa.stop()
    async with fanpage(idle_gateway) as page:
        page.meta.controls.change({"refuse": 3, "refuse_code": 2})
        for number in range(3):
            page.meta.write("psid-1", f"câu {number}")

        async def stored() -> bool:
            return len(await page.gateway.inbox_rows()) == 3

        await eventually(stored, page.gateway.signals, "inbox")
        await rasa.start(port)
        assert await page.told(3) == [f"Đáp: câu {number}" for number in range(3)]


async def test_a_database_away_while_a_webhook_comes_is_made_good_by_metas_repetition(
    page: Fanpage, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, failures = page.gateway.inbox.accept, iter([True, True])

    async def away(incoming: Any) -> Any:
        if next(failures, False):
            raise ConnectionRefusedError
        return await accept(incoming)

    monkeypatch.setattr(page.gateway.inbox, "accept", away)
    page.meta.write("psid-1", "một")
    assert await page.told(1) == ["Đáp: một"]
    statuses = [one.status for one in page.meta.deliverer.delivered]
    assert statuses[:3] == [500, 500, 200]
