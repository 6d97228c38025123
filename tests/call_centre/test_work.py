"""What makes the console a tool: search, labels, merging, suggestions, drafts, undo, warnings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from call_centre import repository, suggestions
from call_centre.chores import Chores
from call_centre.model import CaseClosed, CaseNotYours, InvalidInput, Reason, Role, Understood
from call_centre.repository import CaseFilter
from call_centre.services import UNDO_FOR, CaseService, search_for
from call_centre.tables import Case, Team

from .conftest import OpenBrowser, Sessions, add_agent, escalation, open_case
from .fakes import Clock, FakeGateway
from .test_console import signed_in


async def numbers(sessions: Sessions, wanted: CaseFilter, supervisor_name: str = "ha") -> list[str]:
    async with sessions() as session:
        agent = await repository.agent_named(session, supervisor_name)
        assert agent is not None
        return [case.number for case in (await repository.list_cases(session, wanted, agent)).cases]


def words(typed: str) -> CaseFilter:
    return CaseFilter("found", search=search_for(typed))


async def read(sessions: Sessions, case_id: int) -> Case:
    async with sessions() as session:
        case = await repository.case(session, case_id)
    assert case is not None
    return case


async def test_search_with_and_without_accents(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    await add_agent(sessions, "ha", Role.SUPERVISOR)
    gateway.say("one", "citizen", "Thẻ bảo hiểm của con tôi bị mất, số 0912345678")
    await open_case(sessions, service, "one", "mất thẻ")
    gateway.say("two", "citizen", "the bao hiem het han")
    await open_case(sessions, service, "two", "hết hạn 100%")
    assert await numbers(sessions, words("the bao hiem")) == [
        "HS-000002",
        "HS-000001",
    ]
    assert await numbers(sessions, words('"thẻ bảo hiểm"')) == ["HS-000001"]
    assert await numbers(sessions, words("HIỂM mất thẻ")) == ["HS-000001"]
    assert await numbers(sessions, words('"bảo hiểm thẻ"')) == []
    assert await numbers(sessions, words('"the bao hiem"')) == ["HS-000002"]
    assert await numbers(sessions, words("hs-000002")) == ["HS-000002"]
    # No sign is a command to the index; personal numbers are not kept for searching.
    assert await numbers(sessions, words("100%")) == ["HS-000002"]
    assert await numbers(sessions, words("the* OR NOT (hiem' -bao")) == []
    assert await numbers(sessions, words("0912345678")) == []


async def test_later_words_are_found_too(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    await add_agent(sessions, "ha", Role.SUPERVISOR)
    await open_case(sessions, service)
    gateway.say("talk", "citizen", "thực ra em hỏi về tử tuất")
    async with sessions.begin() as session:
        await service.citizen_wrote(session, "talk")
    assert await numbers(sessions, words("tu tuat")) == ["HS-000001"]


async def test_waiting_is_sorted_by_promise_then_by_closing_window(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    await add_agent(sessions, "ha", Role.SUPERVISOR)
    clock.moment = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # Sunday: all are promised Monday 09:30
    for talk, hours in (("late", 20), ("soon", 2), ("never", 0)):
        if hours:
            gateway.windows[talk] = clock.moment + timedelta(hours=hours)
        await open_case(sessions, service, talk)
    assert await numbers(sessions, CaseFilter("waiting")) == ["HS-000002", "HS-000001", "HS-000003"]


async def test_labels_filter_the_list_and_are_recorded(sessions: Sessions, service: CaseService) -> None:
    lan = await add_agent(sessions, "lan")
    await add_agent(sessions, "ha", Role.SUPERVISOR)
    first = await open_case(sessions, service, "one")
    await open_case(sessions, service, "two")
    async with sessions.begin() as session:
        await service.label(session, first.case_id, lan.id, "  Gấp ")
        await service.label(session, first.case_id, lan.id, "Gấp")
        [label] = await repository.labels(session)
    assert label.name == "Gấp"
    assert await numbers(sessions, CaseFilter("waiting", label=label.id)) == ["HS-000001"]
    async with sessions.begin() as session:
        await service.unlabel(session, first.case_id, lan.id, label.id)
        kinds = [event.kind for event in await repository.events_of(session, first.case_id)]
    assert kinds == ["unlabelled", "labelled", "opened"]
    assert await numbers(sessions, CaseFilter("waiting", label=label.id)) == []


async def test_repeated_cases_of_one_citizen_are_merged(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    gateway.citizens.update(one="hoa", two="hoa", three="someone else")
    main, repeated, other = [await open_case(sessions, service, talk) for talk in ("one", "two", "three")]
    async with sessions.begin() as session:
        await service.claim(session, main.case_id, lan.id)
    async with sessions.begin() as session:
        with pytest.raises(InvalidInput):
            await service.merge(session, other.case_id, lan.id, main.case_id)
        with pytest.raises(CaseNotYours):
            await service.merge(session, repeated.case_id, minh.id, main.case_id)
        await service.merge(session, repeated.case_id, lan.id, main.case_id)
        with pytest.raises(CaseClosed):
            await service.merge(session, repeated.case_id, lan.id, main.case_id)
    merged = await read(sessions, repeated.case_id)
    assert (merged.state, merged.outcome, merged.merged_into) == ("closed", "merged", main.case_id)
    assert gateway.owners["two"] == "bot"
    assert main.number in gateway.sent("two", "system")[-1]


async def test_answer_can_be_undone_for_ten_seconds_and_then_leaves(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    chores = Chores(service, sessions, sessions)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.answer_soon(session, opened.case_id, lan.id, "nhầm rồi")
    await chores.send_due_replies()
    assert gateway.sent("talk") == []
    async with sessions.begin() as session:
        assert await service.undo(session, opened.case_id, lan.id)
        [draft] = await repository.drafts_of(session, opened.case_id)
        assert (draft.text, draft.lost_claim) == ("nhầm rồi", False)
        await service.answer_soon(session, opened.case_id, lan.id, "đúng rồi ạ")
    clock.advance(seconds=UNDO_FOR.total_seconds())
    await chores.send_due_replies()
    await chores.send_due_replies()
    assert gateway.sent("talk") == ["đúng rồi ạ"]
    async with sessions.begin() as session:
        assert not await service.undo(session, opened.case_id, lan.id)


async def test_claim_lost_during_the_undo_time_keeps_the_answer_as_a_draft(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    lan, ha = await add_agent(sessions, "lan"), await add_agent(sessions, "ha", Role.SUPERVISOR)
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.answer_soon(session, opened.case_id, lan.id, "sắp gửi")
        await service.take_over(session, opened.case_id, ha.id, lan.id)
    clock.advance(seconds=11)
    await Chores(service, sessions, sessions).send_due_replies()
    assert gateway.sent("talk") == []
    async with sessions() as session:
        [draft] = await repository.drafts_of(session, opened.case_id)
    assert (draft.text, draft.lost_claim) == ("sắp gửi", True)


async def test_closing_sends_what_still_waits_to_be_undone(
    sessions: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    lan = await add_agent(sessions, "lan")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.answer_soon(session, opened.case_id, lan.id, "Dạ xong rồi ạ.")
        await service.close(session, opened.case_id, lan.id, "answered")
    assert gateway.sent("talk") == ["Dạ xong rồi ạ."]


async def test_team_is_warned_once_before_a_window_closes(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    gateway.windows["talk"] = clock.moment + timedelta(hours=2)
    opened = await open_case(sessions, service)
    chores = Chores(service, sessions, sessions)

    async def warnings() -> int:
        await chores.warn()
        async with sessions() as session:
            events = await repository.events_of(session, opened.case_id)
        return sum(event.kind == "window_closing" for event in events)

    assert await warnings() == 0
    clock.advance(minutes=61)
    assert await warnings() == 1
    assert await warnings() == 1


async def test_colleagues_see_who_is_typing(sessions: Sessions, service: CaseService, clock: Clock) -> None:
    lan, minh = await add_agent(sessions, "lan"), await add_agent(sessions, "minh")
    opened = await open_case(sessions, service)
    async with sessions.begin() as session:
        await service.save_draft(session, opened.case_id, lan.id, "Dạ anh")
        assert await service.typing(session, opened.case_id, minh.id) == [lan.id]
        assert await service.typing(session, opened.case_id, lan.id) == []
    clock.advance(seconds=16)
    async with sessions.begin() as session:
        assert await service.typing(session, opened.case_id, minh.id) == []


def test_suggestion_is_todays_wording_with_its_citation() -> None:
    found = suggestions.suggest("health.benefit_rate", date(2026, 11, 22))
    assert "80%" in found.text
    assert "Căn cứ:" in found.text
    assert suggestions.suggest("no.such_topic", date(2026, 11, 22)).problem
    assert suggestions.suggest("health.benefit_rate", date(1990, 1, 1)).problem


def test_canned_answer_with_an_unknown_variable_is_refused() -> None:
    suggestions.check_canned("chao", "Chào {nguoi_dan}, em là {nhan_vien}.")
    with pytest.raises(InvalidInput):
        suggestions.check_canned("chao", "Chào {ten}.")
    with pytest.raises(InvalidInput):
        suggestions.check_canned("Chào", "Chào.")


async def test_case_page_offers_what_the_agent_needs(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    gateway.citizens.update(one="hoa", two="hoa")
    await open_case(sqlite, service, "one")
    await open_case(sqlite, service, "two")
    browser = await signed_in(browser_for, sqlite)
    await browser.get("/?q=hs-2")
    assert browser.url.path == "/cases/2"
    await browser.post("/cases/1/claim")
    await browser.get("/cases/1?topic=health.benefit_rate")
    assert "Mức hưởng BHYT khi đi khám" in browser.text
    assert "HS-000002" in browser.text
    await browser.get("/cases/1/timeline")
    assert "HS-000002" in browser.text
    await browser.get("/?q=GẶP+nhan+vien")
    assert "HS-000001" in browser.text
    await browser.get('/?q="gap nhan vien"')
    assert "Không có hồ sơ nào." in browser.text


async def test_case_page_shows_what_the_bot_understood(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService
) -> None:
    found = (
        Understood("amount", "5000000", "5tr"),
        Understood("period", "6", "nửa năm"),
        Understood("date", "2026-12-01", "đầu tháng 12"),
        Understood("group", "near_poor", "cận nghèo 0912345678"),
    )
    async with sqlite.begin() as session:
        understood = replace(escalation(), topics=("health.benefit_rate",), entities=found)
        await service.open_case(session, "talk", "web_chat", understood)
    browser = await signed_in(browser_for, sqlite)
    await browser.get("/cases/1")
    for words in (
        "Mức hưởng BHYT khi đi khám",
        "chắc 93 %",
        "5tr = 5.000.000 đồng",
        "nửa năm = 6 tháng",
        "đầu tháng 12 (từ 01/12/2026)",
        "cận nghèo •••••••678",
    ):
        assert words in browser.text


async def test_answer_in_the_channels_own_application_is_said_in_words(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    gateway.say("talk", "agent", "Dạ chị gửi em mã số ạ", status="sent")
    async with sqlite.begin() as session:
        await service.open_case(session, "talk", "zalo", escalation(Reason.ANSWERED_OUTSIDE_CONSOLE))
    gateway.owners["talk"] = "outside"
    browser = await signed_in(browser_for, sqlite)
    await browser.get("/?view=all")
    assert "ngoài bảng này" in browser.text
    await browser.get("/cases/1")
    assert "nhân viên, trong ứng dụng của kênh đã trả lời" in browser.text
    assert "<b>Nhân viên</b> trong ứng dụng của kênh" in browser.text
    await browser.post("/cases/1/claim")
    await browser.get("/cases/1")
    assert "<dd>Lan</dd>" in browser.text


async def test_timeline_has_what_was_asked_without_a_case_but_not_another_teams(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    for talk, question in (("one", "hỏi thẻ"), ("two", "hỏi lương hưu"), ("three", "hỏi thai sản")):
        gateway.citizens[talk] = "hoa"
        gateway.say(talk, "citizen", question)
    await open_case(sqlite, service, "one")
    other = await open_case(sqlite, service, "three")
    async with sqlite.begin() as session:
        session.add(Team(id=1, name="Tổ khác"))
        case = await repository.case(session, other.case_id)
        assert case is not None
        case.team_id = 1
    browser = await signed_in(browser_for, sqlite)
    await browser.get("/cases/1/timeline")
    assert "hỏi thẻ" in browser.text
    assert "hỏi lương hưu" in browser.text
    assert "hỏi thai sản" not in browser.text


async def test_failed_message_shows_why_and_can_be_sent_again(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    await open_case(sqlite, service)
    browser = await signed_in(browser_for, sqlite)
    await browser.post("/cases/1/claim")
    await browser.post("/cases/1/answer", text="Dạ")
    await browser.post("/cases/1/send-now")
    gateway.deliver("talk", "talk-1", "failed", "người dân đã chặn trang")
    bot_line = gateway.say("talk", "bot", "Trợ lý trả lời", status="failed", failure="mã lỗi của kênh")
    await browser.get("/cases/1")
    assert "Không gửi được: người dân đã chặn trang" in browser.text
    assert "Không gửi được: mã lỗi của kênh" in browser.text
    await browser.post("/cases/1/retry", line="talk-1")
    await browser.post("/cases/1/retry", line=bot_line)
    assert gateway.retried == ["talk-1", bot_line]


async def test_lost_claim_is_told_and_the_text_stays(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    await open_case(sqlite, service)
    lan = await signed_in(browser_for, sqlite)
    await lan.post("/cases/1/claim")
    ha = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await ha.get("/cases/1")
    holder = ha.text.split('name="holder" value="', 1)[1].split('"', 1)[0]
    await ha.post("/cases/1/take-over", holder=holder)
    await lan.post("/cases/1/answer", text="em đang gõ dở")
    assert lan.status == 409
    assert "đang giữ là Ha" in lan.text
    assert "em đang gõ dở" in lan.text
    assert gateway.sent("talk") == []


async def test_agent_cannot_take_a_case_from_a_colleague(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService
) -> None:
    await open_case(sqlite, service)
    lan = await signed_in(browser_for, sqlite)
    await lan.post("/cases/1/claim")
    minh = await signed_in(browser_for, sqlite, "minh")
    holder = (await read(sqlite, 1)).claimed_by
    assert holder is not None
    await minh.post("/cases/1/take-over", holder=holder)
    assert minh.status == 404
    assert (await read(sqlite, 1)).claimed_by == holder
