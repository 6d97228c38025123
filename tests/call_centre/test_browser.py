"""Agents at work in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from call_centre.model import Role
from call_centre.services import CaseService
from knowledge_base.office import Office

from .conftest import PASSWORD, Sessions, add_agent, open_case
from .fakes import FakeGateway
from .serve import Console, fill, running

pytestmark = pytest.mark.browser


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "chromium is not installed: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--headless"])
        yield browser
        await browser.close()


@pytest.fixture
async def console(
    sqlite: Sessions, service: CaseService, gateway: FakeGateway, office: Office
) -> AsyncIterator[Console]:
    await add_agent(sqlite, "lan", name="Nguyễn Thị Lan")
    await add_agent(sqlite, "minh", name="Trần Văn Minh")
    await add_agent(sqlite, "truongnhom", Role.SUPERVISOR, "Lê Thu Hà")
    await fill(sqlite, service, gateway)
    async with running(sqlite, service, gateway, office) as console:
        yield console


async def log_in(chromium: Browser, console: Console, username: str) -> Page:
    context = await chromium.new_context(locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh")
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    await page.goto(f"{console.url}/login")
    await page.get_by_label("Tên đăng nhập").fill(username)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_role("heading", name="Hàng chờ")).to_be_visible()
    return page


async def test_agent_claims_answers_and_closes(chromium: Browser, console: Console) -> None:
    page = await log_in(chromium, console, "lan")
    await page.get_by_role("button", name="Nhận hồ sơ HS-000003").click()
    await page.get_by_label("Tin nhắn gửi cho người dân").fill("Dạ em nghe đây ạ.")
    await page.get_by_role("button", name="Gửi", exact=True).click()
    await page.get_by_role("button", name="Gửi ngay").click()
    await expect(page.locator("#lines").get_by_text("Dạ em nghe đây ạ.")).to_be_visible()
    assert console.gateway.sent("talk-3") == ["Dạ em nghe đây ạ."]
    await page.get_by_role("button", name="Đóng hồ sơ").click()
    await expect(page).to_have_url(f"{console.url}/")
    assert console.gateway.owners["talk-3"] == "bot"


async def test_new_case_and_colleagues_claim_appear_without_reloading(
    chromium: Browser, console: Console
) -> None:
    lan = await log_in(chromium, console, "lan")
    minh = await log_in(chromium, console, "minh")
    opened = await open_case(console.sessions, console.service, "another", "thẻ bhyt của con tôi hết hạn")
    await expect(lan.get_by_role("link", name=opened.number)).to_be_visible()
    await expect(lan).to_have_title("(7) Đang chờ · BHXH tỉnh Hoa Sen")
    await minh.get_by_role("button", name=f"Nhận hồ sơ {opened.number}").click()
    await expect(lan.get_by_role("link", name=opened.number)).to_have_count(0)
    await expect(lan).to_have_title("(6) Đang chờ · BHXH tỉnh Hoa Sen")


async def test_citizens_message_appears_in_the_open_case(chromium: Browser, console: Console) -> None:
    page = await log_in(chromium, console, "lan")
    await page.get_by_role("button", name="Nhận hồ sơ HS-000003").click()
    await page.get_by_label("Tin nhắn gửi cho người dân").fill("đang gõ dở")
    console.gateway.say("talk-3", "citizen", "em hỏi thêm về thẻ ạ")
    async with console.sessions.begin() as session:
        await console.service.citizen_wrote(session, "talk-3")
    await expect(page.locator("#lines").get_by_text("em hỏi thêm về thẻ ạ")).to_be_visible()
    await expect(page.get_by_label("Tin nhắn gửi cho người dân")).to_have_value("đang gõ dở")
