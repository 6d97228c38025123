"""The console over HTTP: logging in, form tokens, claiming, answering, and what a page shows."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from call_centre import repository
from call_centre.accounts import FAILURES_ALLOWED, IDLE_FOR, LASTS_FOR, LOCKED_FOR
from call_centre.bootstrap import ensure_first_agent
from call_centre.model import Role
from call_centre.services import CaseService
from call_centre.web.app import create_console
from knowledge_base.office import Office

from .conftest import PASSWORD, Browser, OpenBrowser, Sessions, add_agent, open_case
from .fakes import Clock, FakeGateway


async def signed_in(
    browser_for: OpenBrowser, sessions: Sessions, name: str = "lan", role: Role = Role.AGENT
) -> Browser:
    await add_agent(sessions, name, role)
    browser = await browser_for()
    await browser.log_in(name)
    assert browser.status == 200, browser.text
    return browser


async def test_pages_need_a_login_and_lead_back_afterwards(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService
) -> None:
    await add_agent(sqlite, "lan")
    await open_case(sqlite, service)
    browser = await browser_for()
    await browser.get("/cases/1")
    assert (browser.url.path, browser.url.query["next"]) == ("/login", "/cases/1")
    await browser.post(str(browser.url.relative()), username="lan", password=PASSWORD)
    assert browser.url.path == "/cases/1"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_login_never_leads_to_another_site(
    browser_for: OpenBrowser, sqlite: Sessions, target: str
) -> None:
    await add_agent(sqlite, "lan")
    browser = await browser_for()
    await browser.get("/login")
    form = {"csrf": browser.token(), "username": "lan", "password": PASSWORD}
    async with browser.client.post(
        "/login", params={"next": target}, data=form, allow_redirects=False
    ) as response:
        assert (response.status, response.headers["Location"]) == (303, "/")


async def test_session_cookie_is_kept_from_scripts_and_other_sites(
    browser_for: OpenBrowser, sqlite: Sessions
) -> None:
    await add_agent(sqlite, "lan")
    browser = await browser_for()
    await browser.get("/login")
    form = {"csrf": browser.token(), "username": "lan", "password": PASSWORD}
    async with browser.client.post("/login", data=form, allow_redirects=False) as response:
        cookie = response.cookies["console_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in response.headers["Content-Security-Policy"]


async def test_repeated_failures_lock_a_name_until_a_time_that_is_told(
    browser_for: OpenBrowser, sqlite: Sessions, clock: Clock
) -> None:
    await add_agent(sqlite, "lan")
    browser = await browser_for()
    for _ in range(FAILURES_ALLOWED - 1):
        await browser.log_in("lan", "sai mật khẩu")
        assert browser.status == 401
        assert "Tên đăng nhập hoặc mật khẩu không đúng." in browser.text
    await browser.log_in("lan", "sai mật khẩu")
    assert browser.status == 429
    assert "bị khóa đến 08:30 ngày 23/11/2026" in browser.text
    await browser.log_in("lan")
    assert browser.status == 429
    clock.advance(seconds=LOCKED_FOR.total_seconds())
    await browser.log_in("lan")
    assert (browser.status, browser.url.path) == (200, "/")


async def test_a_name_nobody_has_is_locked_just_the_same(browser_for: OpenBrowser) -> None:
    browser = await browser_for()
    for _ in range(FAILURES_ALLOWED):
        await browser.log_in("khongco", "sai")
    assert browser.status == 429


async def test_guesses_sent_at_once_are_all_counted(browser_for: OpenBrowser, sqlite: Sessions) -> None:
    await add_agent(sqlite, "lan")
    browser = await browser_for()
    await browser.get("/login")
    form = {"csrf": browser.token(), "username": "lan", "password": "sai"}

    async def guess() -> int:
        async with browser.client.post("/login", data=form) as response:
            return response.status

    statuses = await asyncio.gather(*(guess() for _ in range(12)))
    assert statuses.count(401) <= FAILURES_ALLOWED - 1
    assert statuses.count(429) >= 12 - (FAILURES_ALLOWED - 1)


@pytest.mark.parametrize("token", ["", "made-up"])
@pytest.mark.parametrize("path", ["/cases/1/claim", "/cases/1/answer", "/cases/1/close", "/logout", "/login"])
async def test_form_without_its_token_is_refused(
    browser_for: OpenBrowser,
    sqlite: Sessions,
    service: CaseService,
    gateway: FakeGateway,
    *,
    path: str,
    token: str,
) -> None:
    await open_case(sqlite, service)
    browser = await signed_in(browser_for, sqlite)
    await browser.post(path, csrf=token, text="xin chào", outcome="answered", username="lan", password="x")
    assert browser.status == 403
    assert "Hãy tải lại trang" in browser.text
    assert gateway.owners == {"talk": "waiting"}


async def test_idle_and_old_sessions_end(browser_for: OpenBrowser, sqlite: Sessions, clock: Clock) -> None:
    browser = await signed_in(browser_for, sqlite)
    clock.advance(seconds=IDLE_FOR.total_seconds() - 1)
    await browser.get("/")
    assert browser.url.path == "/"
    clock.advance(seconds=IDLE_FOR.total_seconds())
    await browser.get("/")
    assert browser.url.path == "/login"
    await browser.log_in("lan")
    for _ in range(int(LASTS_FOR / timedelta(minutes=50)) + 1):
        clock.advance(minutes=50)
        await browser.get("/")
    assert browser.url.path == "/login"


async def test_logging_out_ends_the_session_on_the_server(browser_for: OpenBrowser, sqlite: Sessions) -> None:
    browser = await signed_in(browser_for, sqlite)
    stolen = browser.client.session.cookie_jar.filter_cookies(browser.url)["console_session"].value
    await browser.post("/logout")
    async with browser.client.get(
        "/", cookies={"console_session": stolen}, allow_redirects=False
    ) as response:
        assert response.status == 303


async def test_a_second_log_in_needs_the_first_to_end(browser_for: OpenBrowser, sqlite: Sessions) -> None:
    await add_agent(sqlite, "lan")
    browser = await browser_for()
    await browser.get("/login")
    other_tab = browser.token()
    await browser.post("/login", username="lan", password=PASSWORD)
    await browser.get("/login")
    assert browser.url.path == "/"
    await browser.post("/login", csrf=other_tab, username="lan", password=PASSWORD)
    assert browser.status == 403


async def test_refusals_are_logged_with_who_tried(browser_for: OpenBrowser, sqlite: Sessions) -> None:
    browser = await signed_in(browser_for, sqlite)
    async with sqlite() as session:
        lan = await repository.agent_named(session, "lan")
    assert lan is not None
    with capture_logs() as lines:
        await browser.get("/cases/77")
        await browser.get("/audit")
        await browser.post("/cases/1/claim", csrf="made-up")
    assert [(line["event"], line["problem"], line["agent_id"]) for line in lines] == [
        ("console_refused", problem, lan.id) for problem in ("case_not_found", "not_allowed", "form_expired")
    ]


async def test_agent_claims_answers_and_closes(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    gateway.say("talk", "citizen", "cho tôi gặp nhân viên")
    opened = await open_case(sqlite, service)
    browser = await signed_in(browser_for, sqlite)
    assert opened.number in browser.text
    await browser.post("/cases/1/claim")
    assert browser.url.path == "/cases/1"
    assert gateway.owners["talk"] not in ("bot", "waiting")
    await browser.post("/cases/1/answer", text="Chào anh/chị, em nghe ạ.")
    assert "Hoàn tác" in browser.text
    assert gateway.sent("talk") == []
    await browser.post("/cases/1/send-now")
    assert gateway.sent("talk") == ["Chào anh/chị, em nghe ạ."]
    assert "Đang chờ gửi" in browser.text
    await browser.post("/cases/1/close", outcome="answered")
    assert browser.url.path == "/"
    assert gateway.owners["talk"] == "bot"


async def test_second_agent_is_told_who_has_the_case(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService
) -> None:
    await open_case(sqlite, service)
    lan = await signed_in(browser_for, sqlite, "lan")
    minh = await signed_in(browser_for, sqlite, "minh")
    await lan.post("/cases/1/claim")
    await minh.post("/cases/1/claim")
    assert minh.status == 409
    assert "Hồ sơ HS-000001 đã được Lan nhận trước." in minh.text


async def test_personal_numbers_are_masked_in_list_and_case(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    words = "cccd của tôi 038192004567, gọi 0912345678"
    gateway.say("talk", "citizen", words)
    await open_case(sqlite, service, question=words)
    browser = await signed_in(browser_for, sqlite)
    for path in ("/", "/cases/1"):
        await browser.get(path)
        assert "cccd của tôi" in browser.text
        assert "038192004567" not in browser.text
        assert "0912345678" not in browser.text


async def test_citizens_words_are_never_markup(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, gateway: FakeGateway
) -> None:
    gateway.say("talk", "citizen", "<script>alert(1)</script>")
    await open_case(sqlite, service, question="<img src=x onerror=alert(1)>")
    browser = await signed_in(browser_for, sqlite)
    for path in ("/", "/cases/1"):
        await browser.get(path)
        assert "<script>alert" not in browser.text
        assert "<img src=x" not in browser.text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/cases/77", 404), ("/nowhere", 404), ("/?view=other", 404), ("/?after=nonsense", 400)],
)
async def test_wrong_addresses_are_explained(
    browser_for: OpenBrowser, sqlite: Sessions, path: str, status: int
) -> None:
    browser = await signed_in(browser_for, sqlite)
    await browser.get(path)
    assert browser.status == status
    assert 'role="alert"' in browser.text


async def test_list_goes_on_page_by_page(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService, clock: Clock
) -> None:
    for number in range(60):
        clock.advance(seconds=1)
        await open_case(sqlite, service, f"talk-{number}")
    browser = await signed_in(browser_for, sqlite)
    assert "HS-000001" in browser.text
    assert "HS-000051" not in browser.text
    following = browser.text.split("after=", 1)[1].split('"', 1)[0]
    await browser.get(f"/?view=waiting&after={following}")
    assert "HS-000051" in browser.text
    assert "HS-000050<" not in browser.text
    assert "HS-000060" in browser.text


async def test_changes_reach_an_open_page_and_resume_after_a_drop(
    browser_for: OpenBrowser, sqlite: Sessions, service: CaseService
) -> None:
    browser = await signed_in(browser_for, sqlite)

    async def next_change(headers: dict[str, str]) -> tuple[str, dict[str, str]]:
        async with browser.client.get("/events", headers=headers) as stream:
            if not headers:
                assert await stream.content.readline() == b"retry: 2000\n"
                await open_case(sqlite, service)
            event_id = ""
            async for line in stream.content:
                if line.startswith(b"id: "):
                    event_id = line.removeprefix(b"id: ").strip().decode()
                if line.startswith(b"data: "):
                    return event_id, json.loads(line.removeprefix(b"data: "))
        raise AssertionError("the stream ended without a change")

    async with asyncio.timeout(20):
        event_id, change = await next_change({})
        assert change == {"kind": "opened"}
        async with sqlite.begin() as session:
            await service.citizen_wrote(session, "talk")
        assert (await next_change({"Last-Event-ID": event_id}))[1] == {"kind": "citizen_wrote"}


async def test_mounted_console_links_below_its_mount(
    aiohttp_client: object, sqlite: Sessions, service: CaseService, office: Office
) -> None:
    from aiohttp import web

    await add_agent(sqlite, "lan")
    app = web.Application()
    app.add_subapp("/console", create_console(service, sqlite, office, "key"))
    browser = Browser(await aiohttp_client(app))  # type: ignore[operator]
    await browser.get("/console/")
    assert browser.url.path == "/console/login"
    await browser.post("/console/login", username="lan", password=PASSWORD)
    assert browser.url.path == "/console/"
    assert '"/console/static/console.css"' in browser.text
    await browser.get("/console/static/console.css")
    assert browser.status == 200


async def test_first_administrator_must_change_the_password_and_the_file_goes(
    aiohttp_client: object, sqlite: Sessions, service: CaseService, office: Office, tmp_path: Path
) -> None:
    path = await ensure_first_agent(sqlite, tmp_path)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert await ensure_first_agent(sqlite, tmp_path) == path
    password = path.read_text(encoding="utf-8").strip()
    console = create_console(service, sqlite, office, "key", path)
    browser = Browser(await aiohttp_client(console))  # type: ignore[operator]
    await browser.log_in("quantri", password)
    assert browser.url.path == "/account/password"
    await browser.post("/account/password", current=password, new="ngắn", repeated="ngắn")
    assert "ít nhất 12 ký tự" in browser.text
    await browser.post("/account/password", current=password, new=PASSWORD, repeated=PASSWORD)
    assert browser.url.path == "/"
    assert not path.exists()
    assert await ensure_first_agent(sqlite, tmp_path) is None


async def test_lost_first_password_is_written_anew(sqlite: Sessions, tmp_path: Path) -> None:
    path = await ensure_first_agent(sqlite, tmp_path)
    assert path is not None
    first = path.read_text(encoding="utf-8")
    path.unlink()
    assert await ensure_first_agent(sqlite, tmp_path) == path
    assert path.read_text(encoding="utf-8") != first
