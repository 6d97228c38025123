"""Roles, second factor, sessions, masked numbers revealed with a reason, audit, board, canned answers."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pyotp
import pytest

from call_centre import repository
from call_centre.accounts import FAILURES_ALLOWED, RECOVERY_CODES, AccountService
from call_centre.model import LoginFailed, LoginLocked, Role
from call_centre.protocols import TopicTurns
from call_centre.repository import EventFilter
from call_centre.services import CaseService
from call_centre.spreadsheet import csv_text
from call_centre.statistics import CaseRow, figures, nearest_rank

from .conftest import PASSWORD, Browser, OpenBrowser, Sessions, add_agent, open_case
from .fakes import Clock, FakeGateway
from .test_console import signed_in


def code_for(secret: str, clock: Clock) -> str:
    return pyotp.TOTP(secret).at(clock.moment)


async def enrol(browser: Browser, clock: Clock) -> str:
    """Set up the second factor; the secret."""
    await browser.get("/account/second-factor")
    found = re.search(r'class="secret">([A-Z2-7 ]+)</code>', browser.text)
    sealed = re.search(r'name="sealed" value="([^"]+)"', browser.text)
    assert found is not None
    assert sealed is not None
    secret = found[1].replace(" ", "")
    await browser.post("/account/second-factor", sealed=sealed[1], code=code_for(secret, clock))
    assert "Mã dự phòng" in browser.text, browser.text
    return secret


def codes_shown(browser: Browser) -> list[str]:
    return re.findall(r"<li><code>([^<]+)</code></li>", browser.text)


async def test_lock_out_counts_on_both_databases(sessions: Sessions, clock: Clock) -> None:
    await add_agent(sessions, "lan")
    accounts = AccountService(sessions, "key", clock=clock)
    for _ in range(FAILURES_ALLOWED - 1):
        with pytest.raises(LoginFailed):
            await accounts.log_in("lan", "sai", "127.0.0.1", "")
    with pytest.raises(LoginLocked):
        await accounts.log_in("lan", "sai", "127.0.0.1", "")
    with pytest.raises(LoginLocked):
        await accounts.log_in("lan", PASSWORD, "127.0.0.1", "")
    clock.advance(minutes=15)
    assert await accounts.log_in(" LAN ", PASSWORD, "127.0.0.1", "")


@pytest.mark.parametrize("path", ["/people", "/audit", "/audit.csv", "/board", "/board.csv", "/canned"])
async def test_agents_are_kept_out_of_supervisors_pages(
    browser_for: OpenBrowser, sqlite: Sessions, path: str
) -> None:
    browser = await signed_in(browser_for, sqlite)
    await browser.get(path)
    assert browser.status == 403
    assert "không có quyền" in browser.text


async def test_supervisors_pages_need_the_second_factor(
    browser_for: OpenBrowser, sqlite: Sessions, clock: Clock
) -> None:
    browser = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await browser.get("/audit")
    assert browser.url.path == "/account/second-factor"
    secret = await enrol(browser, clock)
    await browser.get("/audit")
    assert browser.status == 200
    await browser.get("/people")
    assert browser.status == 403
    await browser.get("/")
    await browser.post("/logout")
    await browser.log_in("ha")
    assert browser.url.path == "/login/code"
    await browser.get("/audit")
    assert browser.url.path == "/login/code"
    await browser.post("/login/code", code=code_for(secret, clock))
    assert browser.status == 401, "a code that was used must not be good again"
    clock.advance(seconds=30)
    await browser.post("/login/code", code=code_for(secret, clock))
    assert browser.url.path == "/"


async def test_recovery_code_opens_once_when_the_telephone_is_lost(
    browser_for: OpenBrowser, sqlite: Sessions, clock: Clock
) -> None:
    browser = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await enrol(browser, clock)
    codes = codes_shown(browser)
    assert len(set(codes)) == RECOVERY_CODES
    for given, path in (
        (codes[0].upper().replace("-", " "), "/"),
        (codes[0], "/login/code"),
        (codes[1], "/"),
    ):
        await browser.get("/account")
        await browser.post("/logout")
        await browser.log_in("ha")
        await browser.post("/login/code", code=given)
        assert browser.url.path == path
    await browser.get("/account")
    assert f"Còn {RECOVERY_CODES - 2} mã dự phòng" in browser.text
    await browser.post("/account/recovery-codes")
    assert not set(codes_shown(browser)) & set(codes)
    await browser.get("/account")
    await browser.post("/logout")
    await browser.log_in("ha")
    await browser.post("/login/code", code=codes[2])
    assert browser.status == 401
    async with sqlite() as session:
        used = await repository.audit(session, EventFilter(kind="recovery_code_used"))
    assert len(used) == 2


async def test_recovery_codes_need_the_second_factor(browser_for: OpenBrowser, sqlite: Sessions) -> None:
    browser = await signed_in(browser_for, sqlite)
    await browser.post("/account/recovery-codes")
    assert browser.url.path == "/account/second-factor"


@pytest.mark.parametrize(
    ("password", "taken"),
    [
        ("matkhau123456", False),  # in the list of leaked ones
        ("Password1234", False),
        ("BHXH lan 2026!", False),  # the office, the name and a year
        ("quan-tri-lan-1", False),
        ("Bảo hiểm xã hội 26", False),
        ("Hoa sen nở giữa ao làng", True),
        ("918273546007", True),
    ],
)
async def test_leaked_and_easy_passwords_are_refused(
    browser_for: OpenBrowser, sqlite: Sessions, password: str, *, taken: bool
) -> None:
    browser = await signed_in(browser_for, sqlite)
    await browser.get("/account/password")
    await browser.post("/account/password", current=PASSWORD, new=password, repeated=password)
    assert (browser.status, browser.url.path) == ((200, "/") if taken else (422, "/account/password"))


async def test_guessing_codes_is_locked(browser_for: OpenBrowser, sqlite: Sessions, clock: Clock) -> None:
    browser = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    secret = await enrol(browser, clock)
    await browser.post("/logout")
    await browser.log_in("ha")
    for _ in range(FAILURES_ALLOWED):
        await browser.post("/login/code", code="000000")
    assert browser.status == 429
    clock.advance(seconds=60)
    await browser.post("/login/code", code=code_for(secret, clock))
    assert browser.status == 429


async def test_administrator_makes_an_account_and_revokes_a_session_in_use(
    browser_for: OpenBrowser, sqlite: Sessions, clock: Clock
) -> None:
    admin = await signed_in(browser_for, sqlite, "quantri2", Role.ADMINISTRATOR)
    await enrol(admin, clock)
    await admin.get("/people")
    await admin.post("/people", username="mới", display_name="Mai", role="agent", team="")
    assert admin.status == 422
    await admin.post("/people", username="mai", display_name="Mai", role="agent", team="")
    found = re.search(r"chỉ hiện lần này: <code>([^<]+)</code>", admin.text)
    assert found is not None
    mai = await browser_for()
    await mai.log_in("mai", found[1])
    assert mai.url.path == "/account/password"
    await mai.post("/account/password", current=found[1], new=PASSWORD, repeated=PASSWORD)
    assert mai.url.path == "/"
    await admin.get("/people")
    form = re.search(
        r'action="(/people/[0-9a-f]{32}/revoke)".*?name="session" value="(\d+)">\s*<span>.*?của Mai',
        admin.text,
        re.DOTALL,
    )
    async with sqlite() as session:
        agent = await repository.agent_named(session, "mai")
        assert agent is not None
        [live] = await repository.live_sessions(session, agent.id, clock())
    assert form is not None
    await admin.post(f"/people/{agent.id}/revoke", session=str(live.id))
    await mai.get("/")
    assert mai.url.path == "/login"


async def test_account_switched_off_is_out_at_once(
    browser_for: OpenBrowser, sqlite: Sessions, clock: Clock
) -> None:
    lan = await signed_in(browser_for, sqlite, "lan")
    admin = await signed_in(browser_for, sqlite, "quantri2", Role.ADMINISTRATOR)
    await enrol(admin, clock)
    async with sqlite() as session:
        agent = await repository.agent_named(session, "lan")
    assert agent is not None
    await admin.get("/people")
    await admin.post(f"/people/{agent.id}", role="agent", team="")
    await lan.get("/")
    assert lan.url.path == "/login"
    await lan.log_in("lan")
    assert lan.status == 401


async def test_nobody_ends_somebody_elses_session(
    browser_for: OpenBrowser, sqlite: Sessions, clock: Clock
) -> None:
    lan = await signed_in(browser_for, sqlite, "lan")
    minh = await signed_in(browser_for, sqlite, "minh")
    async with sqlite() as session:
        agent = await repository.agent_named(session, "lan")
        assert agent is not None
        [live] = await repository.live_sessions(session, agent.id, clock())
    await minh.post("/account/end-session", session=str(live.id))
    await lan.get("/")
    assert lan.url.path == "/"


async def test_personal_number_is_revealed_with_a_reason_that_is_recorded(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    line = gateway.say("talk", "citizen", "số của tôi 038192004567")
    await open_case(sqlite, service)
    lan = await signed_in(browser_for, sqlite)
    await lan.post("/cases/1/reveal", line=line, why="tra cứu hồ sơ")
    assert lan.status == 403
    await lan.get("/")
    await lan.post("/cases/1/claim")
    await lan.post("/cases/1/reveal", line=line, why="")
    assert lan.status == 422
    assert "038192004567" not in lan.text
    await lan.get("/cases/1")
    await lan.post("/cases/1/reveal", line=line, why="tra cứu hồ sơ")
    assert "038192004567" in lan.text
    await lan.get("/cases/1")
    assert "038192004567" not in lan.text
    async with sqlite() as session:
        [event] = [one for one in await repository.events_of(session, 1) if one.kind == "revealed"]
    assert event.detail == {"line": line, "why": "tra cứu hồ sơ"}


async def test_audit_is_exported_and_the_export_recorded(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, clock: Clock
) -> None:
    await open_case(sqlite, service)
    ha = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await enrol(ha, clock)
    text = await ha.get("/audit.csv")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert ["HS-000001", "opened"] in [[row[3], row[4]] for row in rows]
    await ha.get("/audit")
    assert "xuất nhật ký" in ha.text
    await ha.get("/audit?since=2026-13-01")
    assert ha.status == 422


async def test_audit_names_a_case_that_is_no_longer_kept(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, clock: Clock
) -> None:
    await open_case(sqlite, service)
    async with sqlite.begin() as session:
        repository.append_event(session, 77, clock(), "noted")
        repository.append_event(
            session, None, clock(), "purged", conversations=1, messages=2, cases=3, audit_records=4
        )
    ha = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await enrol(ha, clock)
    await ha.get("/audit")
    assert 'href="/cases/1">HS-000001</a>' in ha.text
    assert "HS-000077" in ha.text
    assert "/cases/77" not in ha.text
    assert "1 cuộc trò chuyện, 2 tin nhắn, 3 hồ sơ, 4 dòng nhật ký" in ha.text
    rows = csv.reader(io.StringIO((await ha.get("/audit.csv")).removeprefix("\ufeff")))
    assert ["HS-000077", "noted"] in [[row[3], row[4]] for row in rows]


def test_spreadsheet_runs_no_formula() -> None:
    text = csv_text(("Tên",), [("=1+1",), ("+84912",), ("@x",), ("-2",), ("an toàn, nhé",), (None,)])
    rows = [row[0] for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")))]
    assert rows == ["Tên", "'=1+1", "'+84912", "'@x", "'-2", "an toàn, nhé", ""]


async def test_canned_answers_are_managed_and_offered_with_their_variables(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, clock: Clock
) -> None:
    await open_case(sqlite, service)
    ha = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await enrol(ha, clock)
    await ha.get("/canned")
    await ha.post("/canned", code="chao", title="Chào", text="Chào {ten}", active="1")
    assert ha.status == 422
    await ha.post("/canned", code="chao", title="Chào", text="Em là {nhan_vien}, về {ma_ho_so}.", active="1")
    assert ha.status == 200
    lan = await signed_in(browser_for, sqlite)
    await lan.post("/cases/1/claim")
    assert "Em là Lan, về HS-000001." in lan.text


async def test_board_shows_the_days_figures(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway, clock: Clock
) -> None:
    gateway.topics = {"health.benefit_rate": TopicTurns(9, 1), "": TopicTurns(0, 2)}
    lan = await add_agent(sqlite, "mai")
    opened = await open_case(sqlite, service)
    await open_case(sqlite, service, "another")
    clock.advance(minutes=20)
    async with sqlite.begin() as session:
        await service.claim(session, opened.case_id, lan.id)
        await service.answer(session, opened.case_id, lan.id, "Dạ")
    ha = await signed_in(browser_for, sqlite, "ha", Role.SUPERVISOR)
    await enrol(ha, clock)
    await ha.get("/board")
    assert "<dt>Đang chờ bây giờ</dt><dd>1</dd>" in ha.text
    assert "<dt>Trả lời lần đầu, trung vị</dt><dd>20 phút</dd>" in ha.text
    assert "<td>Mức hưởng BHYT khi đi khám</td><td>9</td><td>1</td><td>10%</td>" in ha.text
    assert "<td>chưa rõ chủ đề</td><td>0</td><td>2</td><td>100%</td>" in ha.text
    for chart in ("by_day", "by_hour", "by_topic", "by_score"):
        async with ha.client.get(f"/board/{chart}.svg") as response:
            assert response.content_type == "image/svg+xml"
            assert b"<svg" in await response.read()
    assert "HS-000001" in await ha.get("/board.csv")
    await ha.get("/board/nothing.svg")
    assert ha.status == 404


def test_percentiles_are_nearest_rank() -> None:
    minutes = [timedelta(minutes=n) for n in range(1, 11)]
    assert nearest_rank(minutes, 50) == timedelta(minutes=5)
    assert nearest_rank(minutes, 90) == timedelta(minutes=9)
    assert nearest_rank([], 50) is None


def test_figures_count_days_in_the_offices_time() -> None:
    opened = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)  # 01:00 on the 23rd in Vietnam
    row = CaseRow(
        opened, opened, opened + timedelta(minutes=5), None, "a", "zalo", "complaint", satisfaction=4
    )
    turns = {"pension.age": TopicTurns(3, 1), "health.lost_card": TopicTurns(1, 4)}
    found = figures([row], turns, date(2026, 11, 23), date(2026, 11, 23))
    assert found.by_day == {date(2026, 11, 23): (1, 1)}
    assert (found.by_hour[1].opened, found.by_hour[1].first_answer.median) == (1, timedelta(minutes=5))
    assert [(one.topic, one.rate) for one in found.by_topic] == [
        ("health.lost_card", 0.8),
        ("pension.age", 0.25),
    ]
    assert (found.kept_promises, found.satisfaction) == (0, 4.0)
