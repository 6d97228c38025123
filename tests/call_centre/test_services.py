"""The rules of the queue, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from call_centre import repository
from call_centre.model import (
    AnotherCaseOpen,
    CaseAlreadyClaimed,
    CaseClosed,
    CaseNotClosed,
    CaseNotFound,
    CaseNotYours,
    InvalidInput,
    Reason,
    Role,
)
from call_centre.services import CaseService
from call_centre.tables import Case, CaseEvent, Team

from .conftest import Sessions, add_agent, escalation, open_case
from .fakes import Clock, FakeGateway


async def kinds(sessions: Sessions, case_id: int) -> list[str]:
    async with sessions() as session:
        found = await session.execute(
            select(CaseEvent.kind).where(CaseEvent.case_id == case_id).order_by(CaseEvent.id)
        )
        return list(found.scalars())


async def read(sessions: Sessions, case_id: int) -> Case:
    async with sessions() as session:
        case = await repository.case(session, case_id)
    assert case is not None
    return case


async def test_opening_promises_a_time_and_a_number(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    opened = await open_case(sessions, service)
    assert opened.is_new
    assert opened.number == "HS-000001"
    assert opened.promise == (
        "Em đã chuyển câu hỏi của anh/chị cho nhân viên. Mã hồ sơ: HS-000001. "
        "Nhân viên sẽ trả lời trước 10:15 ngày 23/11/2026. Anh/chị có thể nhắn thêm thông tin vào đây."
    )
    assert gateway.owners == {"talk": "waiting"}
    case = await read(sessions, opened.case_id)
    assert case.subject == "voluntary"
    assert case.due_at == datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
    assert await kinds(sessions, opened.case_id) == ["opened"]


async def test_outside_hours_the_next_opening_is_told(
    sessions: Sessions, service: CaseService, clock: Clock
) -> None:
    clock.moment = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)  # Friday 20:00
    opened = await open_case(sessions, service)
    assert "làm việc lại lúc 07:30 ngày 30/11/2026" in opened.promise
    assert "trước 09:30 ngày 30/11/2026" in opened.promise


async def test_no_hour_is_promised_while_the_days_off_at_tet_are_not_known(
    sessions: Sessions, service: CaseService, clock: Clock
) -> None:
    clock.moment = datetime(2027, 2, 3, 1, 15, tzinfo=UTC)
    promise = (await open_case(sessions, service)).promise
    assert "sớm nhất có thể; khi gấp, anh/chị gọi 1900 9068" in promise
    assert "2027" not in promise


async def test_second_citizen_hears_how_many_wait_before(sessions: Sessions, service: CaseService) -> None:
    await open_case(sessions, service, "first")
    assert "còn 1 người đang chờ" in (await open_case(sessions, service, "second")).promise


async def test_opening_twice_gives_one_case(sessions: Sessions, service: CaseService) -> None:
    first = await open_case(sessions, service)
    second = await open_case(sessions, service)
    assert (second.case_id, second.is_new) == (first.case_id, False)
    assert "HS-000001" in second.promise


async def test_opening_at_the_same_moment_gives_one_case(sessions: Sessions, service: CaseService) -> None:
    opened = await asyncio.gather(*(open_case(sessions, service) for _ in range(10)))
    assert len({case.case_id for case in opened}) == 1
    assert sum(case.is_new for case in opened) == 1


async def test_fifty_simultaneous_claims_have_one_winner(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    agents = [await add_agent(sessions, f"agent{number}") for number in range(50)]
    opened = await open_case(sessions, service)
    ready = asyncio.Barrier(50)

    async def claim(agent_id: str) -> str | CaseAlreadyClaimed:
        await ready.wait()
        try:
            async with sessions.begin() as session:
                await service.claim(session, opened.case_id, agent_id)
        except CaseAlreadyClaimed as error:
            return error
        return agent_id

    results = await asyncio.gather(*(claim(agent.id) for agent in agents))
    winners = [result for result in results if isinstance(result, str)]
    losers = [result for result in results if isinstance(result, CaseAlreadyClaimed)]
    assert len(winners) == 1
    winner = next(agent for agent in agents if agent.id == winners[0])
    assert {error.holder for error in losers} == {winner.display_name}
    assert gateway.owners["talk"] == winner.id
    assert (await kinds(sessions, opened.case_id)).count("claimed") == 1


async def test_answer_is_queued_for_the_citizen(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        reply = await service.answer(session, opened.case_id, lan.id, "  Chào anh/chị.  ")
    assert reply.sent
    assert gateway.sent("talk") == ["Chào anh/chị."]
    case = await read(sessions, opened.case_id)
    assert (case.state, case.answered_by) == ("answered", lan.id)
    assert case.first_answered_at == service.clock()
    assert await kinds(sessions, opened.case_id) == ["opened", "claimed", "answered"]


async def test_answer_after_losing_the_claim_is_kept_as_a_draft(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh", Role.SUPERVISOR)
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
    async with sessions.begin() as session:
        await service.take_over(session, opened.case_id, minh.id, lan.id)
    async with sessions.begin() as session:
        reply = await service.answer(session, opened.case_id, lan.id, "đang gõ dở")
    assert (reply.sent, reply.holder) == (False, "Minh")
    assert gateway.sent("talk") == []
    async with sessions() as session:
        [draft] = await repository.drafts_of(session, opened.case_id)
    assert (draft.agent_id, draft.text, draft.lost_claim) == (lan.id, "đang gõ dở", True)
    assert (await kinds(sessions, opened.case_id))[-1] == "answer_kept"


@pytest.mark.parametrize("text", ["", "   \n", "a" * 2001])
async def test_answer_that_cannot_be_sent_is_refused(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, text: str
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        with pytest.raises(InvalidInput):
            await service.answer(session, opened.case_id, lan.id, text)
    assert gateway.sent("talk") == []


async def test_closing_gives_the_conversation_back_and_asks_about_satisfaction(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.close(session, opened.case_id, lan.id, "answered")
    assert gateway.owners["talk"] == "bot"
    assert "từ 1 (rất không hài lòng) đến 5" in gateway.sent("talk", "system")[0]
    async with sessions.begin() as session:
        assert await service.take_rating(session, "talk", "mức đóng 5 triệu") is None
        assert await service.take_rating(session, "talk", " 4 điểm ") == "Cảm ơn anh/chị đã góp ý."
        assert await service.take_rating(session, "talk", "5") is None
    assert (await read(sessions, opened.case_id)).satisfaction == 4


async def test_rating_long_after_closing_is_an_ordinary_message(
    sessions: Sessions, service: CaseService, clock: Clock
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.close(session, opened.case_id, lan.id, "answered")
    clock.advance(days=3)
    async with sessions.begin() as session:
        assert await service.take_rating(session, "talk", "5") is None


async def test_closed_case_accepts_nothing(sessions: Sessions, service: CaseService) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.close(session, opened.case_id, lan.id, "no_reply_needed")
    async with sessions.begin() as session:
        with pytest.raises(CaseClosed):
            await service.claim(session, opened.case_id, lan.id)
        with pytest.raises(CaseClosed):
            await service.close(session, opened.case_id, lan.id, "answered")
        with pytest.raises(CaseNotFound):
            await service.claim(session, 999, lan.id)


async def test_only_the_holder_closes_releases_and_transfers(
    sessions: Sessions, service: CaseService
) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        with pytest.raises(CaseNotYours):
            await service.close(session, opened.case_id, minh.id, "answered")
        with pytest.raises(CaseNotYours):
            await service.release(session, opened.case_id, minh.id)
        with pytest.raises(CaseNotYours):
            await service.transfer(session, opened.case_id, minh.id, to_agent=lan.id)


async def test_released_case_waits_again(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.release(session, opened.case_id, lan.id)
    case = await read(sessions, opened.case_id)
    assert (case.state, case.claimed_by) == ("waiting", None)
    assert gateway.owners["talk"] == "waiting"


async def test_transfer_to_a_colleague_and_to_a_team(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        team = Team(name="Tổ thai sản")
        session.add(team)
        await service.claim(session, opened.case_id, lan.id)
        await service.transfer(session, opened.case_id, lan.id, to_agent=minh.id)
        assert gateway.owners["talk"] == minh.id
        await service.transfer(session, opened.case_id, minh.id, to_team=team.id)
    case = await read(sessions, opened.case_id)
    assert (case.state, case.claimed_by, case.team_id) == ("waiting", None, team.id)
    assert gateway.owners["talk"] == "waiting"
    async with sessions.begin() as session:
        with pytest.raises(InvalidInput):
            await service.transfer(session, opened.case_id, lan.id, to_agent="nobody")


async def test_citizen_writing_makes_an_answered_case_due_again(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.answer(session, opened.case_id, lan.id, "Chào anh/chị.")
    clock.advance(hours=1)
    gateway.windows["talk"] = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
    async with sessions.begin() as session:
        assert await service.citizen_wrote(session, "talk") == opened.number
        assert await service.citizen_wrote(session, "another") is None
    case = await read(sessions, opened.case_id)
    assert (case.state, case.unread, case.claimed_by) == ("claimed", 1, lan.id)
    assert case.due_at == datetime(2026, 11, 23, 4, 15, tzinfo=UTC)
    assert case.window_closes_at == gateway.windows["talk"]


async def test_citizen_writing_does_not_move_a_promise_not_yet_kept(
    sessions: Sessions, service: CaseService, clock: Clock
) -> None:
    opened = await open_case(sessions, service)
    clock.advance(minutes=30)
    async with sessions.begin() as session:
        await service.citizen_wrote(session, "talk")
    case = await read(sessions, opened.case_id)
    assert (case.state, case.due_at) == ("waiting", datetime(2026, 11, 23, 3, 15, tzinfo=UTC))


async def test_reopening(sessions: Sessions, service: CaseService, gateway: FakeGateway) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    first = await open_case(sessions, service)
    async with sessions.begin() as session:
        with pytest.raises(CaseNotClosed):
            await service.reopen(session, first.case_id, minh.id)
        await service.claim(session, first.case_id, lan.id)
        await service.close(session, first.case_id, lan.id, "answered")
        await service.reopen(session, first.case_id, minh.id)
    assert gateway.owners["talk"] == minh.id
    async with sessions.begin() as session:
        await service.close(session, first.case_id, minh.id, "answered")
    await open_case(sessions, service)
    async with sessions.begin() as session:
        with pytest.raises(AnotherCaseOpen):
            await service.reopen(session, first.case_id, lan.id)


async def test_handing_back_leaves_a_summary_and_tells_the_citizen(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.hand_back(session, opened.case_id, lan.id, "Đã giải thích mức đóng.")
    assert gateway.owners["talk"] == "bot"
    assert "trợ lý tự động" in gateway.sent("talk", "system")[0]
    async with sessions() as session:
        [note] = await repository.notes_of(session, opened.case_id)
    assert note.text == "Đã giải thích mức đóng."


async def test_answer_outside_the_console_is_filed_without_a_promise(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    async with sessions.begin() as session:
        opened = await service.open_case(session, "talk", "zalo", escalation(Reason.ANSWERED_OUTSIDE_CONSOLE))
    assert (opened.is_new, opened.promise) == (True, "")
    assert gateway.owners == {}
    assert (await read(sessions, opened.case_id)).state == "answered"


async def test_retry_needs_the_claim_and_a_message_that_failed(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        reply = await service.answer(session, opened.case_id, lan.id, "Chào anh/chị.")
    assert reply.outbox_id is not None
    async with sessions.begin() as session:
        with pytest.raises(CaseNotFound):
            await service.retry(session, opened.case_id, lan.id, reply.outbox_id)
    gateway.deliver("talk", reply.outbox_id, "failed", "người dân đã chặn trang")
    async with sessions.begin() as session:
        with pytest.raises(CaseNotYours):
            await service.retry(session, opened.case_id, minh.id, reply.outbox_id)
        await service.retry(session, opened.case_id, lan.id, reply.outbox_id)
    assert gateway.retried == [reply.outbox_id]


async def test_agents_see_their_team_and_supervisors_see_all(
    sessions: Sessions, service: CaseService
) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    boss = await add_agent(sessions, "boss", Role.SUPERVISOR)
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        team = Team(name="Tổ BHYT")
        session.add(team)
        await service.claim(session, opened.case_id, lan.id)
        await session.flush()
        await service.transfer(session, opened.case_id, lan.id, to_team=team.id)
        with pytest.raises(CaseNotFound):
            await service.seen_by(session, opened.case_id, minh)
        assert (await service.seen_by(session, opened.case_id, boss)).id == opened.case_id
