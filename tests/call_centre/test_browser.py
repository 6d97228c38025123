"""Agents at work in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from call_centre import repository
from call_centre.model import Role
from call_centre.services import CaseService
from knowledge_base.office import Office
from tests.chromium import launched

from .conftest import PASSWORD, Sessions, add_agent, open_case
from .fakes import Clock, FakeGateway
from .serve import Console, add_canned, fill, running

PAGES = (
    "/",
    "/?view=mine",
    "/?channel=zalo",
    "/?q=bhyt",
    "/?view=closed",
    "/cases/1",
    "/cases/2",
    "/cases/1/timeline",
    "/cases/1?topic=health.benefit_rate",
    "/cases/999",
    "/account",
    "/account/password",
    "/account/second-factor",
    "/people",
    "/canned",
    "/audit",
    "/board",
)
pytestmark = pytest.mark.browser


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


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


async def log_in(chromium: Browser, console: Console, username: str, width: int = 1280) -> Page:
    context = await chromium.new_context(
        locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", viewport={"width": width, "height": 800}
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    await page.goto(f"{console.url}/login")
    await page.get_by_label("Tên đăng nhập").fill(username)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_role("heading", name="Hàng chờ")).to_be_visible()
    await page.wait_for_load_state("load")  # by then the page's scripts listen
    return page


async def give_second_factor(page: Page, console: Console) -> str:
    """Set up the second factor; a recovery code."""
    await page.goto(f"{console.url}/account/second-factor")
    secret = (await page.locator("code").inner_text()).replace(" ", "")
    await page.get_by_label("Mã 6 số").fill(pyotp.TOTP(secret).at(console.service.clock()))
    await page.get_by_role("button", name="Bật xác nhận hai bước").click()
    await expect(page.get_by_role("heading", name="Mã dự phòng")).to_be_visible()
    return await page.locator(".codes code").first.inner_text()


async def broken_rules(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [
        f"{page.url}: {rule['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("width", [1280, 360])
async def test_agent_claims_answers_and_closes(chromium: Browser, console: Console, *, width: int) -> None:
    page = await log_in(chromium, console, "lan", width)
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


async def test_two_agents_and_a_supervisor_through_a_busy_hour(
    chromium: Browser, console: Console, clock: Clock
) -> None:
    await add_canned(console)
    lan, minh = await log_in(chromium, console, "lan"), await log_in(chromium, console, "minh")

    # A canned answer by its code; sent, undone, and sent again.
    await lan.get_by_role("button", name="Nhận hồ sơ HS-000001").click()
    answer = lan.get_by_label("Tin nhắn gửi cho người dân")
    await answer.press_sequentially("/chao ")
    await expect(answer).to_have_value("Dạ em là Nguyễn Thị Lan, em nghe ạ.")
    await answer.press("Control+Enter")
    await lan.get_by_role("button", name="Hoàn tác").click()
    await expect(answer).to_have_value("Dạ em là Nguyễn Thị Lan, em nghe ạ.")
    assert console.gateway.sent("talk-1") == []
    await lan.get_by_role("button", name="Gửi", exact=True).click()
    clock.advance(seconds=10)
    await expect(lan.locator("#lines").get_by_text("em nghe ạ.")).to_be_visible()

    # Transfer to a colleague, who finds it among their own without reloading.
    await minh.goto(f"{console.url}/?view=mine")
    await lan.get_by_label("Chuyển cho").select_option(label="Trần Văn Minh")
    await lan.get_by_role("button", name="Chuyển", exact=True).click()
    await expect(minh.get_by_role("link", name="HS-000001")).to_be_visible()

    # A supervisor takes a case over while its holder types: nothing is sent, nothing is lost.
    await lan.goto(f"{console.url}/cases/2")
    await lan.get_by_role("button", name="Nhận hồ sơ").click()
    ha = await log_in(chromium, console, "truongnhom")
    await ha.goto(f"{console.url}/cases/2")
    await lan.get_by_label("Tin nhắn gửi cho người dân").fill("Dạ em đang kiểm tra")
    await expect(ha.get_by_text("Nguyễn Thị Lan đang soạn trả lời hồ sơ này.")).to_be_visible()
    await ha.get_by_role("button", name="Lấy hồ sơ từ Nguyễn Thị Lan").click()
    await expect(lan.locator("#head").get_by_text("Lê Thu Hà")).to_be_visible()
    await lan.get_by_role("button", name="Gửi", exact=True).click()
    await expect(lan.get_by_role("alert")).to_contain_text("đang giữ là Lê Thu Hà")
    await expect(lan.locator("blockquote", has_text="Dạ em đang kiểm tra")).to_be_visible()
    assert console.gateway.sent("talk-2") == []

    # A number is seen only with a reason.
    await minh.goto(f"{console.url}/cases/1")
    await expect(minh.get_by_text("7912345678")).to_have_count(0)
    await minh.locator("#lines").get_by_text("Xem số bị che").click()
    await minh.get_by_label("Lý do xem").fill("tra cứu quá trình đóng")
    await minh.get_by_role("button", name="Xem", exact=True).first.click()
    await expect(minh.locator("#lines").get_by_text("7912345678")).to_be_visible()
    await minh.get_by_role("link", name="Che lại").click()
    await expect(minh.get_by_text("7912345678")).to_have_count(0)

    # The window of a channel is about to close: the list says so.
    await console_window_closes(console, "talk-4", minutes=10)
    await lan.goto(f"{console.url}/")
    await expect(lan.get_by_role("row", name="HS-000004").get_by_text("kênh đóng")).to_be_visible()


async def test_fifty_claims_at_once_from_two_browsers_have_one_winner(
    chromium: Browser, console: Console
) -> None:
    pages = [await log_in(chromium, console, name) for name in ("lan", "minh")]
    claims = """async () => {
        const form = document.querySelector('form[action$="/cases/3/claim"]');
        const sent = { method: "POST", headers: { Accept: "application/json" } };
        const claim = async () => (await fetch(form.action, { ...sent, body: new FormData(form) })).status;
        return Promise.all(Array.from({ length: 25 }, claim));
    }"""
    statuses = [
        one for found in await asyncio.gather(*(page.evaluate(claims) for page in pages)) for one in found
    ]
    assert (statuses.count(200), statuses.count(409)) == (1, 49)
    # The one who lost is told who has it.
    for page in pages:
        await page.goto(f"{console.url}/cases/3")
    lan_won = await pages[0].get_by_text("bạn đang giữ").count()
    winner, loser = pages if lan_won else pages[::-1]
    name = await winner.locator(".who a").inner_text()
    await expect(loser.locator("#head")).to_contain_text(f"{name} đang giữ")
    await expect(loser.get_by_label("Tin nhắn gửi cho người dân")).to_have_count(0)


async def test_question_out_of_hours_is_promised_the_next_opening_and_keeps_the_contact(
    chromium: Browser, console: Console, clock: Clock
) -> None:
    clock.moment = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)  # Friday 20:00
    console.gateway.say("night", "citizen", "con tôi sốt, thẻ bhyt báo lỗi")
    opened = await open_case(console.sessions, console.service, "night", "thẻ bhyt báo lỗi")
    console.gateway.say("night", "system", opened.promise)
    console.gateway.say("night", "citizen", "sáng thứ hai gọi em 0912345678 ạ")
    async with console.sessions.begin() as session:
        await console.service.citizen_wrote(session, "night")
    page = await log_in(chromium, console, "lan")
    row = page.get_by_role("row", name=opened.number)
    await expect(row).to_contain_text("09:30 30/11")
    await row.get_by_role("button").click()
    await expect(page.locator("#head")).to_contain_text("hẹn trả lời trước 09:30 ngày 30/11/2026")
    lines = page.locator("#lines")
    await expect(lines).to_contain_text("làm việc lại lúc 07:30 ngày 30/11/2026")
    await expect(lines).to_contain_text("sáng thứ hai gọi em •••••••678 ạ")
    await lines.get_by_text("Xem số bị che").click()
    await page.get_by_label("Lý do xem").fill("gọi lại theo hẹn")
    # What is written meanwhile neither closes the box nor loses what was typed into it.
    show = page.get_by_role("button", name="Xem", exact=True).first
    await show.focus()
    console.gateway.say("night", "citizen", "sau 8 giờ nha")
    async with console.sessions.begin() as session:
        await console.service.citizen_wrote(session, "night")
    await expect(lines).to_contain_text("sau 8 giờ nha")
    await expect(show).to_be_focused()
    await show.click()
    await expect(lines).to_contain_text("0912345678")


async def test_page_catches_up_after_the_connection_was_away(chromium: Browser, console: Console) -> None:
    page = await log_in(chromium, console, "lan")
    await page.context.set_offline(True)
    opened = await open_case(console.sessions, console.service, "another", "thẻ bhyt của con tôi hết hạn")
    await page.context.set_offline(False)
    await expect(page.get_by_role("link", name=opened.number)).to_be_visible()


async def test_newest_message_is_in_sight_and_reading_back_is_left_alone(
    chromium: Browser, console: Console
) -> None:
    for number in range(60):
        console.gateway.say("talk-3", "citizen", f"tin thứ {number}")
    page = await log_in(chromium, console, "lan")
    await page.goto(f"{console.url}/cases/3")
    await expect(page.get_by_text("tin thứ 59")).to_be_in_viewport()

    async def writes(text: str) -> None:
        console.gateway.say("talk-3", "citizen", text)
        async with console.sessions.begin() as session:
            await console.service.citizen_wrote(session, "talk-3")

    await writes("vừa nhắn thêm")
    await expect(page.locator("#lines").get_by_text("vừa nhắn thêm")).to_be_in_viewport()
    await page.locator(".scroll").evaluate("box => { box.scrollTop = 0; }")
    await writes("nhắn lần nữa")
    await expect(page.locator("#lines").get_by_text("nhắn lần nữa")).to_be_attached()
    await expect(page.get_by_text("chào shop")).to_be_in_viewport()


async def console_window_closes(console: Console, talk: str, minutes: int) -> None:
    console.gateway.windows[talk] = console.service.clock() + timedelta(minutes=minutes)
    async with console.sessions.begin() as session:
        await console.service.citizen_wrote(session, talk)
        await console.service.warn_of_closing_windows(session)


async def test_revoked_session_in_use_is_out(chromium: Browser, console: Console, sqlite: Sessions) -> None:
    await add_agent(sqlite, "quantri2", Role.ADMINISTRATOR, "Phạm Quang")
    lan = await log_in(chromium, console, "lan")
    admin = await log_in(chromium, console, "quantri2")
    await give_second_factor(admin, console)
    await admin.goto(f"{console.url}/people")
    await admin.get_by_role("button", name="Kết thúc phiên của Nguyễn Thị Lan").click()
    # Nobody touched Lan's page: its stream notices.
    await expect(lan.get_by_role("heading", name="Đăng nhập")).to_be_visible()


async def test_keyboard_alone_claims_and_input_methods_are_left_alone(
    chromium: Browser, console: Console
) -> None:
    page = await log_in(chromium, console, "lan")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    # The box in the closed help keeps the focus until the next frame; a key pressed in that moment counts.
    await page.evaluate(
        """() => {
            const help = document.getElementById("help");
            help.showModal();
            help.close();
            document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "j", bubbles: true}));
        }"""
    )
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="HS-000002")).to_be_focused()
    await page.keyboard.press("c")
    await expect(page.get_by_role("heading", name="HS-000002")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.keyboard.press("r")
    answer = page.get_by_label("Tin nhắn gửi cho người dân")
    await expect(answer).to_be_focused()
    await page.keyboard.type("?jcx")
    await expect(answer).to_have_value("?jcx")
    # Ctrl+Enter in the middle of a syllable belongs to the input method.
    await answer.evaluate(
        """field => field.dispatchEvent(new KeyboardEvent("keydown",
            {key: "Enter", ctrlKey: true, isComposing: true, bubbles: true, cancelable: true}))"""
    )
    await expect(answer).to_have_value("?jcx")
    assert console.gateway.sent("talk-2") == []
    async with console.sessions() as session:
        assert await repository.scheduled_for(session, 2) == []


async def test_whole_case_is_worked_by_keyboard_alone(chromium: Browser, console: Console) -> None:
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(f"{console.url}/login")
    await page.get_by_label("Tên đăng nhập").focus()
    await page.keyboard.type("lan")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Hàng chờ")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Đến nội dung chính")).to_be_focused()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Tìm trong hồ sơ")).to_be_focused()
    await page.keyboard.type("HS-3")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="HS-000003")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.keyboard.press("c")
    answer = page.get_by_label("Tin nhắn gửi cho người dân")
    await expect(answer).to_be_visible()
    await page.wait_for_load_state("load")
    await page.keyboard.press("r")
    await page.keyboard.type("Dạ em nghe")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.keyboard.press("z")
    await expect(answer).to_have_value("Dạ em nghe")
    await expect(answer).to_be_focused()
    await page.wait_for_load_state("load")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("button", name="Gửi ngay")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.keyboard.press("x")
    await expect(page.get_by_role("button", name="Đóng hồ sơ")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{console.url}/")
    assert console.gateway.sent("talk-3") == ["Dạ em nghe"]


async def test_nothing_scrolls_sideways_at_twice_the_text_size(
    chromium: Browser, console: Console, sqlite: Sessions
) -> None:
    await add_canned(console)
    await add_agent(sqlite, "quantri2", Role.ADMINISTRATOR, "Phạm Quang")
    page = await log_in(chromium, console, "quantri2")
    await give_second_factor(page, console)
    await page.goto(f"{console.url}/cases/1")
    await page.get_by_role("button", name="Nhận hồ sơ").click()
    too_wide = []
    for width, size in ((640, 100), (1280, 200), (320, 100)):  # zoom of 200 %, text of 200 %, zoom of 400 %
        await page.set_viewport_size({"width": width, "height": 800})
        for path in PAGES:
            await page.goto(f"{console.url}{path}")
            await page.evaluate("size => { document.documentElement.style.fontSize = `${size}%`; }", size)
            over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                too_wide.append(f"{path} is {over} px too wide at {width} px and {size} % text")
    assert too_wide == []


@pytest.mark.parametrize("width", [1280, 360])
async def test_no_accessibility_rule_is_broken_on_any_page(
    chromium: Browser, console: Console, sqlite: Sessions, *, width: int
) -> None:
    await add_canned(console)
    await add_agent(sqlite, "quantri2", Role.ADMINISTRATOR, "Phạm Quang")
    page = await log_in(chromium, console, "quantri2", width)
    broken = await broken_rules(page)
    await page.goto(f"{console.url}/account/second-factor")
    broken += await broken_rules(page)
    recovery_code = await give_second_factor(page, console)
    broken += await broken_rules(page)
    await page.goto(f"{console.url}/cases/1")
    await page.get_by_role("button", name="Nhận hồ sơ").click()
    for summary in await page.locator("summary").all():
        await summary.click()
    broken += await broken_rules(page)
    for path in PAGES:
        await page.goto(f"{console.url}{path}")
        broken += await broken_rules(page)
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{path} scrolls sideways at {width} px"
    # What stands before and between: logging in, the telephone's code, a form refused, a number revealed.
    await page.goto(f"{console.url}/cases/1")
    await page.locator("#lines").get_by_text("Xem số bị che").click()
    await page.get_by_label("Lý do xem").fill("tra cứu")
    await page.get_by_role("button", name="Xem", exact=True).first.click()
    await expect(page.get_by_role("link", name="Che lại")).to_be_visible()
    broken += await broken_rules(page)
    await page.goto(f"{console.url}/account/password")
    for label in ("Mật khẩu hiện tại", "Mật khẩu mới", "Nhập lại mật khẩu mới"):
        await page.get_by_label(label, exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Đổi mật khẩu").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    broken += await broken_rules(page)
    await page.get_by_role("button", name="Đăng xuất").click()
    broken += await broken_rules(page)
    await page.get_by_label("Tên đăng nhập").fill("quantri2")
    await page.get_by_label("Mật khẩu").fill("sai mật khẩu")
    await page.get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    broken += await broken_rules(page)
    await page.get_by_label("Mật khẩu").fill(PASSWORD)
    await page.get_by_role("button", name="Đăng nhập").click()
    await expect(page.get_by_role("heading", name="Mã xác nhận")).to_be_visible()
    broken += await broken_rules(page)
    await page.get_by_label("Mã 6 số").fill(recovery_code)
    await page.get_by_role("button", name="Xác nhận").click()
    await expect(page.get_by_role("heading", name="Hàng chờ")).to_be_visible()
    assert broken == []
