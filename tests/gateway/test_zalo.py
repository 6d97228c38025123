"""Zalo end to end against the simulated platform: what comes in, what goes out, and whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.model import Role, State
from call_centre.tables import Agent, Case
from gateway import repository
from gateway.channels.platform import MAX_WEBHOOK, Core
from gateway.channels.rules import ZALO
from gateway.channels.zalo import ERRORS, MAX_BUTTONS, WEBHOOK, Zalo, message_body, read_answer
from gateway.channels.zalo_events import signature
from gateway.database import utc_now
from gateway.echoes import Echoes
from gateway.outbox import MaybeSent, Sender
from gateway.requests import log_request
from gateway.settings import ZaloSettings
from gateway.signals import OUTBOX
from gateway.tables import Conversation, InboxMessage, OutboxMessage
from simulators.zalo import Account, ZaloSimulator
from tests.gateway.fakes import FakeRasa, Gateway, eventually, handover, said, turn
from vietnamese.masking import mask

ACCOUNT = Account()
SECRET_KEY = "k" * 32
HOUR = timedelta(hours=1)


class Stage:
    """A gateway at work with Zalo, and the simulated Zalo it talks to."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.simulator = ZaloSimulator("http://127.0.0.1:1/", pauses=(0.05, 0.1, 0.2, 0.5, 1.0))
        self.server = TestServer(self.simulator.app(), host="127.0.0.1")
        self.echoes = Echoes(
            database=gateway.database,
            signals=gateway.signals,
            cases=gateway.cases,
            ownership=gateway.ownership,
            texts=gateway.texts,
        )
        self.zalo: Zalo
        self.client: TestClient[web.Request, web.Application]

    async def start(self) -> None:
        await self.server.start_server()
        url = str(self.server.make_url("")).rstrip("/")
        settings = ZaloSettings(
            oa_id=ACCOUNT.oa_id,
            oa_secret_key=ACCOUNT.oa_secret_key,
            app_id=ACCOUNT.app_id,
            app_secret=ACCOUNT.app_secret,
            refresh_token=self.simulator.first_refresh_token,
            api_url=url,
            oauth_url=url,
        )
        core = Core(
            self.gateway.database,
            self.gateway.signals,
            self.gateway.inbox,
            self.echoes,
            self.gateway.texts,
            SECRET_KEY,
        )
        self.zalo = Zalo(core, settings)
        app = web.Application(middlewares=[log_request])
        self.zalo.add_routes(app)
        app.cleanup_ctx.append(self.zalo.run)
        self.client = TestClient(TestServer(app, host="127.0.0.1"))
        await self.client.start_server()
        self.simulator.deliverer.url = str(self.client.make_url(WEBHOOK))
        self.sender = Sender(
            self.gateway.database, self.gateway.signals, dict(self.zalo.senders), self.gateway.texts
        )
        self.sender.pump.start()
        await self.until(self._has_token)

    async def _has_token(self) -> bool:
        """Whether the first token was fetched, so that what tests let go wrong does not hit that."""
        async with self.gateway.database.readers() as session:
            row = await repository.channel_token(session, ZALO, ACCOUNT.oa_id)
        return row is not None and row.renewing_until is None and row.access_expires_at > utc_now()

    async def stop(self) -> None:
        await self.sender.pump.stop(0)
        await self.client.close()
        await self.server.close()

    async def until(self, check: Callable[[], Awaitable[Any]]) -> Any:
        """What `check` returns once it is true."""
        return await eventually(check, self.gateway.signals, OUTBOX)

    async def rows(self, *statuses: str) -> list[OutboxMessage]:
        """The outbox once its rows have these statuses."""

        async def settled() -> list[OutboxMessage] | None:
            rows: list[OutboxMessage] = await self.gateway.all(OutboxMessage)
            return rows if [row.status for row in rows] == list(statuses) else None

        found: list[OutboxMessage] = await self.until(settled)
        return found

    async def quiet(self) -> None:
        """Until every webhook was delivered and every message answered."""

        async def done() -> bool:
            rows: list[InboxMessage] = await self.gateway.inbox_rows()
            return self.simulator.deliverer.idle and all(row.status == "done" for row in rows)

        await self.until(done)

    async def post(self, body: bytes, **headers: str) -> int:
        """Call the webhook; the status."""
        async with self.client.post(WEBHOOK, data=body, headers=headers) as response:
            return response.status

    def texts(self, citizen: str = "a") -> list[str]:
        """What a citizen's telephone shows from the office."""
        return [line.text for line in self.simulator.citizen(citizen).lines if line.author == "office"]

    async def agent_writes(self, *texts: str, citizen: str = "a") -> str:
        """An agent's answers to a citizen who wrote before; the conversation."""
        self.simulator.citizen(citizen).last_wrote_at = utc_now()
        accepted = await self.gateway.accept(
            "hỏi", citizen=citizen, channel=ZALO, account=ACCOUNT.oa_id, kind="note"
        )
        for text in texts:
            async with self.gateway.database.sessions.begin() as session:
                await self.gateway.outbox.enqueue_agent_reply(
                    session, accepted.conversation_id, text, "agent-1"
                )
        return accepted.conversation_id


@pytest.fixture
async def stage(gateway: Gateway) -> AsyncIterator[Stage]:
    made = Stage(gateway)
    await made.start()
    yield made
    await made.stop()


def signed(event: dict[str, Any], simulator: ZaloSimulator) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event).encode()
    return body, simulator.sign(body)


def text_event(text: str = "hỏi", **fields: Any) -> dict[str, Any]:
    return {
        "app_id": ACCOUNT.app_id,
        "event_name": "user_send_text",
        "timestamp": "1699003881354",
        "sender": {"id": "a"},
        "recipient": {"id": ACCOUNT.oa_id},
        "message": {"msg_id": "1", "text": text},
        **fields,
    }


# --- what comes in -----------------------------------------------------------------------------


async def test_a_question_is_answered_on_the_citizens_telephone(stage: Stage) -> None:
    stage.simulator.write("a", "đóng bao nhiêu")
    (row,) = await stage.rows("sent")
    assert stage.texts() == ["Đáp: đóng bao nhiêu"]
    assert row.platform_message_id == stage.simulator.sent[0]["id"]
    conversation = await stage.gateway.conversation()
    assert (conversation.channel, conversation.account, conversation.citizen_id) == (
        ZALO,
        ACCOUNT.oa_id,
        "a",
    )


async def test_two_in_a_row_are_answered_in_order(stage: Stage) -> None:
    for text in ("một", "hai", "ba"):
        stage.simulator.write("a", text)
    await stage.rows("sent", "sent", "sent")
    assert stage.texts() == ["Đáp: một", "Đáp: hai", "Đáp: ba"]


async def test_five_shuffled_deliveries_of_each_give_one_answer_each(stage: Stage) -> None:
    stage.simulator.controls.change({"deliveries": 5, "shuffle": 1, "hold": 1})
    for number in range(6):
        stage.simulator.write(f"citizen-{number}", f"câu {number}")
    stage.simulator.controls.change({"hold": 0})
    stage.simulator.deliverer.wake()
    await stage.rows(*["sent"] * 6)
    await stage.quiet()
    assert sorted(message["text"] for message in stage.simulator.sent) == [f"Đáp: câu {n}" for n in range(6)]
    conversations: list[Conversation] = await stage.gateway.all(Conversation)
    assert {conversation.owner for conversation in conversations} == {"bot"}


async def test_a_delivery_that_failed_comes_again_signed_anew(stage: Stage) -> None:
    where, stage.simulator.deliverer.url = stage.simulator.deliverer.url, "http://127.0.0.1:1/"
    stage.simulator.write("a", "hỏi")

    async def failed_once() -> bool:
        return bool(stage.simulator.deliverer.delivered)

    await stage.until(failed_once)
    stage.simulator.deliverer.url = where
    await stage.rows("sent")
    assert stage.texts() == ["Đáp: hỏi"]


@pytest.mark.parametrize("kind", ["image", "gif", "sticker", "audio", "video", "file", "location"])
async def test_what_is_not_text_is_acknowledged_and_kept_for_agents(stage: Stage, kind: str) -> None:
    stage.simulator.attach("a", kind)
    await stage.rows("sent")
    assert stage.texts() == [stage.gateway.texts["attachment"]]
    (row,) = await stage.gateway.inbox_rows()
    assert row.kind == "attachment"
    assert row.text.startswith(stage.gateway.texts[f"attached_{kind}"])


async def test_a_link_is_read_as_the_text_it_came_with(stage: Stage) -> None:
    stage.simulator.attach("a", "link", "trang này đúng không https://x.example")
    await stage.rows("sent")
    assert stage.texts() == ["Đáp: trang này đúng không https://x.example"]


async def test_a_tap_is_the_sentence_of_its_button_and_an_unknown_token_is_text(
    stage: Stage, rasa: FakeRasa
) -> None:
    def offer(body: dict[str, Any]) -> list[dict[str, Any]]:
        buttons = [{"title": "Hộ nghèo", "payload": "tôi thuộc hộ nghèo"}]
        return [{"text": "Nhóm nào ạ?", "buttons": buttons}, turn("asked")]

    rasa.behave = offer
    stage.simulator.write("a", "đóng bao nhiêu")
    await stage.rows("sent")
    (button,) = stage.simulator.sent[0]["buttons"]
    assert button["title"] == "Hộ nghèo"
    assert button["type"] == "oa.query.hide"
    assert "nghèo" not in button["payload"] and button["payload"].startswith("#")
    rasa.behave = said
    stage.simulator.tap("a", button["payload"])
    stage.simulator.write("a", "#khongphainut")
    await stage.rows("sent", "sent", "sent")
    assert stage.texts()[1:] == ["Đáp: tôi thuộc hộ nghèo", "Đáp: #khongphainut"]


async def test_a_message_to_another_account_is_not_ours(stage: Stage) -> None:
    event = text_event(recipient={"id": "another account"})
    body, headers = signed(event, stage.simulator)
    assert await stage.post(body, **headers) == 200
    assert await stage.gateway.inbox_rows() == []


async def test_a_follower_is_greeted_once(stage: Stage) -> None:
    for follows in (True, False, True):
        stage.simulator.follow("a", follows)
    await stage.quiet()
    await stage.rows("sent")
    assert stage.texts() == [stage.gateway.texts["greeting"]]


async def test_who_wrote_before_following_is_not_greeted(stage: Stage) -> None:
    stage.simulator.write("a", "hỏi")
    await stage.rows("sent")
    stage.simulator.follow("a", True)
    await stage.quiet()
    assert stage.texts() == ["Đáp: hỏi"]


async def test_contact_data_are_kept_for_agents_and_shown_masked(stage: Stage) -> None:
    stage.simulator.share("a", "Nguyễn Văn A", "0912345678")
    await stage.quiet()
    (row,) = await stage.gateway.inbox_rows()
    assert row.kind == "note"
    assert "Nguyễn Văn A" in row.text and "0912345678" in row.text
    assert "0912345678" not in mask(row.text)
    assert (await stage.gateway.conversation()).citizen_name == "Nguyễn Văn A"
    assert stage.texts() == []


async def test_receipts_move_the_status_forward(stage: Stage) -> None:
    stage.simulator.write("a", "hỏi")
    (row,) = await stage.rows("sent")
    await stage.quiet()
    stage.simulator.deliver(
        "user_received_message",
        sender={"id": "a"},
        recipient={"id": ACCOUNT.oa_id},
        message={"msg_id": row.platform_message_id},
    )
    await stage.rows("delivered")
    stage.simulator.read("a")
    await stage.rows("seen")


@pytest.mark.parametrize(
    "event",
    [
        {"event_name": "brand_new"},
        {},
        {"event_name": "user_send_group_text", "message": {"text": "a"}},
        {"event_name": "user_send_text", "sender": "x", "message": []},
        {"event_name": "oa_send_consent"},
    ],
)
async def test_unknown_and_malformed_events_are_acknowledged_and_change_nothing(
    stage: Stage, event: dict[str, Any]
) -> None:
    body, headers = signed({"timestamp": "1", **event}, stage.simulator)
    assert await stage.post(body, **headers) == 200
    assert await stage.gateway.inbox_rows() == []
    assert await stage.gateway.all(Conversation) == []


async def test_forged_truncated_and_oversized_requests_change_nothing(stage: Stage) -> None:
    body, headers = signed(text_event(), stage.simulator)
    assert await stage.post(body) == 401
    assert await stage.post(body[:-1], **headers) == 401
    assert await stage.post(body + b" ", **headers) == 401
    forged = {**headers, "X-ZEvent-Signature": "mac=" + "0" * 64}
    assert await stage.post(body, **forged) == 401
    assert await stage.post(b"x" * (MAX_WEBHOOK + 1), **headers) == 413
    digest = signature(ACCOUNT.app_id, b"[1]", "1", ACCOUNT.oa_secret_key)
    assert await stage.post(b"[1]", **{"X-ZEvent-Signature": digest, "X-ZEvent-Timestamp": "1"}) == 400
    assert await stage.gateway.inbox_rows() == []


async def test_the_address_can_be_opened_in_a_browser(stage: Stage) -> None:
    async with stage.client.get(WEBHOOK) as response:
        assert response.status == 200


async def test_a_database_that_hangs_gives_503_so_that_zalo_repeats(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def hang(_event: object) -> None:
        await never.wait()

    monkeypatch.setattr("gateway.channels.zalo.ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(stage.zalo, "apply", hang)
    body, headers = signed(text_event(), stage.simulator)
    assert await stage.post(body, **headers) == 503


# --- staff in the OA application, and our own echoes -------------------------------------------


async def test_an_answer_from_the_oa_app_silences_the_bot_and_stands_in_the_transcript(stage: Stage) -> None:
    stage.simulator.write("a", "hỏi")
    await stage.rows("sent")
    await stage.quiet()
    stage.simulator.staff("a", "Chị gửi em số sổ nhé")
    rows = await stage.rows("sent", "sent")
    assert (rows[1].author, rows[1].text) == ("agent", "Chị gửi em số sổ nhé")
    assert (await stage.gateway.conversation()).owner == "agent"
    assert (await stage.gateway.case()).state == State.ANSWERED
    stage.simulator.write("a", "dạ đây")
    await stage.quiet()
    await stage.rows("sent", "sent")


async def test_our_own_echoes_change_nothing_whenever_they_come(stage: Stage) -> None:
    stage.simulator.controls.change({"deliveries": 3})
    for number in range(4):
        stage.simulator.write("a", f"câu {number}")
    await stage.rows(*["sent"] * 4)
    await stage.quiet()
    assert (await stage.gateway.conversation()).owner == "bot"
    assert await stage.gateway.all(Case) == []
    assert len(await stage.gateway.all(OutboxMessage)) == 4


async def test_an_echo_read_while_our_own_answer_is_written_down_is_ours(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender settles the message between the echo's look by id and its look by text."""

    async def settled_meanwhile(session: AsyncSession, *_given: object) -> None:
        settled = update(OutboxMessage).values(status="sent", platform_message_id="sent-2")
        await session.execute(settled.where(OutboxMessage.status == "sending"))

    monkeypatch.setattr(repository, "unconfirmed", settled_meanwhile)
    stage.simulator.write("a", "hỏi")
    await stage.rows("sent")
    await stage.quiet()
    await stage.rows("sent")
    assert (await stage.gateway.conversation()).owner == "bot"


async def test_a_wordless_echo_that_overtakes_the_answer_is_ours(stage: Stage) -> None:
    """The simulator answers late; the echo of a message with buttons may carry no text."""
    await stage.agent_writes("một")
    await stage.rows("sent")
    stage.simulator.controls.change({"delay_ms": 400, "echoes": 0})
    await stage.agent_writes("hai")
    await stage.rows("sent", "sending")
    stage.simulator.deliver(
        "oa_send_template",
        sender={"id": ACCOUNT.oa_id},
        recipient={"id": "a"},
        message={"msg_id": f"sent-{stage.simulator._count + 1}"},
    )
    await stage.quiet()
    await stage.rows("sent", "sent")


async def test_a_cut_after_accepting_is_settled_by_the_echo_and_not_sent_twice(stage: Stage) -> None:
    stage.simulator.controls.change({"cut": 1})
    stage.simulator.write("a", "hỏi")
    (row,) = await stage.rows("sent")
    assert row.platform_message_id == stage.simulator.sent[0]["id"]
    assert len(stage.simulator.sent) == 1
    assert (await stage.gateway.conversation()).owner == "bot"


async def test_a_cut_after_a_long_wait_is_settled_by_the_echo_too(stage: Stage) -> None:
    stage.simulator.controls.change({"hold": 1, "cut": 1})
    await stage.agent_writes("một")
    await stage.rows("ambiguous")
    async with stage.gateway.database.sessions.begin() as session:
        await session.execute(update(OutboxMessage).values(created_at=utc_now() - HOUR))
    stage.simulator.controls.change({"hold": 0})
    stage.simulator.deliverer.wake()
    await stage.rows("sent")


async def test_a_cut_without_an_echo_is_shown_to_an_agent_and_not_sent_again(stage: Stage) -> None:
    stage.simulator.controls.change({"cut": 1, "echoes": 0})
    stage.simulator.write("a", "hỏi")
    (row,) = await stage.rows("ambiguous")
    assert row.error == stage.gateway.texts["maybe_sent"]
    assert row.review_at is not None
    assert len(stage.simulator.sent) == 1


# --- what goes out -----------------------------------------------------------------------------


def test_the_request_has_the_documented_shape() -> None:
    buttons = [{"title": "Mức đóng", "say": "mức đóng", "token": "Ab3-xYz12_Q9"}]
    assert message_body("614", "Chào", buttons) == {
        "recipient": {"user_id": "614"},
        "message": {
            "text": "Chào",
            "attachment": {
                "type": "template",
                "payload": {
                    "buttons": [{"title": "Mức đóng", "type": "oa.query.hide", "payload": "#Ab3-xYz12_Q9"}]
                },
            },
        },
    }
    assert message_body("614", "Chào", []) == {"recipient": {"user_id": "614"}, "message": {"text": "Chào"}}


def test_buttons_stay_within_zalos_limits() -> None:
    buttons = [{"title": "x" * 200, "say": "x", "token": f"token-{n:06}"} for n in range(9)]
    sent = message_body("614", "Chào", buttons)["message"]["attachment"]["payload"]["buttons"]
    assert len(sent) == MAX_BUTTONS
    assert {len(button["title"]) for button in sent} == {100}


@pytest.mark.parametrize("body", [None, [], {}, {"error": "0"}, {"error": None}, {"error": True}, "ok"])
def test_what_is_no_answer_of_zalo_leaves_the_message_in_doubt(body: object) -> None:
    with pytest.raises(MaybeSent):
        read_answer(body)


async def test_a_long_answer_leaves_in_parts_zalo_accepts(stage: Stage) -> None:
    sentence = "Mức đóng là 1.500.000 đồng mỗi tháng. "
    await stage.agent_writes(sentence * 120)
    rows = await stage.until(lambda: _all_sent(stage))
    assert len(rows) == len(stage.texts()) > 1
    assert all(len(text) <= 2_000 and text.endswith("tháng.") for text in stage.texts())


async def _all_sent(stage: Stage) -> list[OutboxMessage] | None:
    rows: list[OutboxMessage] = await stage.gateway.all(OutboxMessage)
    return rows if rows and all(row.status == "sent" for row in rows) else None


@pytest.mark.parametrize("code", [code for code, (do, _) in ERRORS.items() if do == "refuse"] + [-9999])
async def test_a_refusal_fails_once_with_its_reason_and_lets_the_next_one_through(
    stage: Stage, code: int
) -> None:
    stage.simulator.controls.change({"refuse": 1, "refuse_code": code})
    await stage.agent_writes("một", "hai")
    failed, _ = await stage.rows("failed", "sent")
    key = ERRORS[code][1] if code in ERRORS else "zalo_refused"
    assert failed.error == f"{stage.gateway.texts[key]} (Zalo {code})"
    assert stage.texts() == ["hai"]


@pytest.mark.parametrize(
    "code", [code for code, (do, _) in ERRORS.items() if do in ("wait", "administrator")]
)
async def test_a_closed_account_holds_everything_in_order_and_says_why(stage: Stage, code: int) -> None:
    stage.simulator.controls.change({"refuse": 1, "refuse_code": code})
    await stage.agent_writes("một", "hai")

    async def held() -> Any:
        async with stage.gateway.database.readers() as session:
            found = await repository.accounts(session)
        return [account for account in found if account.held_until is not None]

    (account,) = await stage.until(held)
    do, key = ERRORS[code]
    assert account.problem == f"{stage.gateway.texts[key]} (Zalo {code})"
    assert account.needs_administrator is (do == "administrator")
    assert account.held_until > utc_now()
    assert stage.texts() == []
    async with stage.gateway.database.sessions.begin() as session:
        account = (await repository.accounts(session))[0]
        account.held_until = None
        await session.execute(update(OutboxMessage).values(not_before=None))
    await stage.rows("sent", "sent")
    assert stage.texts() == ["một", "hai"]
    async with stage.gateway.database.readers() as session:
        assert (await repository.accounts(session))[0].problem is None


async def test_a_citizens_own_quota_holds_that_citizen_only(stage: Stage) -> None:
    stage.simulator.controls.change({"refuse": 1, "refuse_code": -218})
    await stage.agent_writes("một", citizen="a")

    async def waiting() -> bool:
        rows: list[OutboxMessage] = await stage.gateway.all(OutboxMessage)
        return rows[0].status == "queued" and rows[0].not_before is not None

    await stage.until(waiting)
    await stage.agent_writes("hai", citizen="b")
    await stage.rows("queued", "sent")
    assert stage.texts("b") == ["hai"]


async def test_zalo_away_for_a_while_loses_nothing_and_answers_late_in_order(stage: Stage) -> None:
    stage.simulator.controls.change({"fail": 2})
    await stage.agent_writes("một", "hai")
    await stage.rows("sent", "sent")
    assert stage.texts() == ["một", "hai"]


async def test_a_refused_connection_is_tried_again(stage: Stage) -> None:
    settings = stage.zalo._settings
    stage.zalo._settings = replace(settings, api_url="http://127.0.0.1:1")
    await stage.agent_writes("một")

    async def tried() -> bool:
        rows: list[OutboxMessage] = await stage.gateway.all(OutboxMessage)
        return rows[0].attempts > 0 and rows[0].status == "queued"

    await stage.until(tried)
    stage.zalo._settings = settings
    await stage.rows("sent")
    assert stage.texts() == ["một"]


async def test_a_token_refused_is_renewed_once_and_the_message_tried_once_more(stage: Stage) -> None:
    await stage.agent_writes("một")
    await stage.rows("sent")
    stage.simulator.revoke()
    before = stage.simulator.refreshes
    await stage.agent_writes("hai")
    await stage.rows("sent", "sent")
    assert stage.texts() == ["một", "hai"]
    assert stage.simulator.refreshes == before + 1


@pytest.mark.parametrize("code", [-216, -220])
async def test_a_new_token_refused_too_calls_an_administrator(stage: Stage, code: int) -> None:
    stage.simulator.controls.change({"refuse": 2, "refuse_code": code})
    await stage.agent_writes("một")

    async def held() -> bool:
        async with stage.gateway.database.readers() as session:
            return any(account.needs_administrator for account in await repository.accounts(session))

    await stage.until(held)
    assert stage.texts() == []


async def test_after_seven_days_nobody_writes_and_after_two_days_only_people(stage: Stage) -> None:
    async def ago(days: float) -> None:
        async with stage.gateway.database.sessions.begin() as session:
            await session.execute(
                update(Conversation).values(last_citizen_at=utc_now() - timedelta(days=days))
            )

    await stage.sender.pump.stop(0)
    conversation_id = await stage.agent_writes("người")
    async with stage.gateway.database.sessions.begin() as session:
        await stage.gateway.outbox.enqueue_system_note(session, conversation_id, "máy")
    await ago(3)
    second = Sender(
        stage.gateway.database, stage.gateway.signals, dict(stage.zalo.senders), stage.gateway.texts
    )
    second.pump.start()
    await stage.rows("sent", "failed")
    await ago(7.1)
    async with stage.gateway.database.sessions.begin() as session:
        await stage.gateway.outbox.enqueue_agent_reply(session, conversation_id, "muộn", "agent-1")
    rows = await stage.rows("sent", "failed", "failed")
    await second.pump.stop(0)
    assert stage.texts() == ["người"]
    assert rows[2].error is not None and "7 ngày" in rows[2].error


async def test_the_simulated_window_refuses_what_ours_let_through(stage: Stage) -> None:
    await stage.sender.pump.stop(0)
    await stage.agent_writes("muộn")
    stage.simulator.citizen("a").last_wrote_at = utc_now() - timedelta(days=8)
    second = Sender(
        stage.gateway.database, stage.gateway.signals, dict(stage.zalo.senders), stage.gateway.texts
    )
    second.pump.start()
    (row,) = await stage.rows("failed")
    await second.pump.stop(0)
    assert row.error == f"{stage.gateway.texts['zalo_window_closed']} (Zalo -230)"


async def test_a_page_instead_of_an_answer_calls_an_administrator(stage: Stage) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=403, text="<html>no</html>", content_type="text/html")

    app = web.Application()
    app.router.add_post("/v3.0/oa/message/cs", refuse)
    async with TestServer(app, host="127.0.0.1") as wall:
        stage.zalo._settings = replace(stage.zalo._settings, api_url=str(wall.make_url("")).rstrip("/"))
        await stage.agent_writes("một")

        async def held() -> bool:
            async with stage.gateway.database.readers() as session:
                return any(account.needs_administrator for account in await repository.accounts(session))

        await stage.until(held)
    (row,) = await stage.gateway.all(OutboxMessage)
    assert row.status == "queued"


async def test_a_person_asked_for_answers_over_zalo(stage: Stage, rasa: FakeRasa) -> None:
    rasa.behave = lambda body: [{"text": "Em chuyển nhân viên ạ."}, handover()]
    stage.simulator.write("a", "cho gặp nhân viên")
    await stage.rows("sent", "sent")
    case = await stage.gateway.case()
    async with stage.gateway.database.sessions.begin() as session:
        session.add(
            Agent(
                id="agent-1",
                username="an",
                display_name="An",
                password_hash="x",
                role=Role.AGENT,
                created_at=utc_now(),
            )
        )
        await session.flush()
        await stage.gateway.cases.claim(session, case.id, "agent-1")
        await stage.gateway.cases.answer(session, case.id, "agent-1", "Dạ em nghe ạ")
    await stage.rows("sent", "sent", "sent")
    assert stage.texts()[-1] == "Dạ em nghe ạ"
