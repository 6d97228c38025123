"""The chat page in a real browser: sending, failing, sending again, keyboard and zoom."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, Route, expect

from tests.chromium import launched
from tests.gateway.fakes import FakeRasa, Gateway, Held, site, turn

pytestmark = pytest.mark.browser


@pytest.fixture
def used_url(tmp_path: object) -> str:
    """The page does not know the database: SQLite will do."""
    return f"sqlite+aiosqlite:///{tmp_path}/assistant.db"


@pytest.fixture
async def page(gateway: Gateway) -> AsyncIterator[Page]:
    """The chat page on a phone."""
    async with TestServer(site(gateway)) as server, launched() as browser:
        opened = await browser.new_page(viewport={"width": 375, "height": 667})
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        await opened.goto(str(server.make_url("/")))
        yield opened
        await opened.close()
        # What the tests break on purpose, the browser notes as a failed request.
        assert [error for error in errors if "Failed to load resource" not in error] == []


async def test_enter_sends_and_a_reload_keeps_the_conversation(page: Page) -> None:
    field = page.get_by_label("Câu hỏi của anh/chị")
    await field.fill("đóng bao nhiêu")
    await field.press("Enter")
    await expect(page.get_by_text("Đáp: đóng bao nhiêu", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="BHYT hộ gia đình")).to_be_hidden()
    await page.reload()
    await expect(page.locator("#lines .text")).to_have_text(["đóng bao nhiêu", "Đáp: đóng bao nhiêu"])


async def test_enter_while_composing_and_shift_enter_do_not_send(page: Page, rasa: FakeRasa) -> None:
    field = page.get_by_label("Câu hỏi của anh/chị")
    await field.fill("đóng")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await field.press("Shift+Enter")
    await field.press_sequentially("bao nhiêu")
    await expect(page.locator("#lines .message")).to_have_count(0)
    await field.press("Enter")
    await expect(page.locator("#lines .text")).to_have_text(
        ["đóng\nbao nhiêu", "Đáp: đóng\nbao nhiêu"], use_inner_text=True
    )
    assert rasa.questions == ["đóng\nbao nhiêu"]


async def test_what_could_not_be_sent_can_be_sent_again_once(page: Page, rasa: FakeRasa) -> None:
    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/chat/messages", lose_the_answer)
    field = page.get_by_label("Câu hỏi của anh/chị")
    await field.fill("hỏi")
    await field.press("Enter")
    await expect(page.get_by_text("Chưa gửi được.")).to_be_visible()
    await page.unroute("**/chat/messages")
    await page.get_by_role("button", name="Gửi lại").click()
    await expect(page.locator("#lines .text")).to_have_text(["hỏi", "Đáp: hỏi"])
    await expect(page.get_by_text("Chưa gửi được.")).to_have_count(0)
    assert rasa.questions == ["hỏi"]


async def test_a_quick_reply_is_offered_once_and_sends_its_sentence(page: Page, rasa: FakeRasa) -> None:
    offer = {"title": "6 tháng", "payload": "Đóng 6 tháng một lần thì bao nhiêu?"}
    rasa.behave = lambda _body: [{"text": "Mấy tháng?", "buttons": [offer]}, turn("asked")]
    await page.get_by_role("button", name="Đóng BHXH tự nguyện").click()
    tap = page.get_by_role("button", name="6 tháng")
    await tap.click()
    await expect(page.get_by_text(offer["payload"])).to_be_visible()
    await expect(tap).to_have_count(1)
    assert rasa.questions[-1] == offer["payload"]


async def test_the_page_tells_that_an_answer_is_under_way(page: Page, rasa: FakeRasa) -> None:
    held = Held()
    rasa.behave = held
    field = page.get_by_label("Câu hỏi của anh/chị")
    await field.fill("hỏi")
    await field.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Trợ lý đang trả lời…")
    held.release.set()
    await expect(page.get_by_role("status")).to_have_text("")


async def test_markup_is_shown_not_run_and_links_open(page: Page, rasa: FakeRasa) -> None:
    rasa.behave = lambda _body: [{"text": "<b>Xem</b> https://baohiemxahoi.gov.vn."}, turn()]
    field = page.get_by_label("Câu hỏi của anh/chị")
    await field.fill("<img src=x onerror=alert(1)>")
    await field.press("Enter")
    await expect(page.locator("#lines .text").last).to_have_text("<b>Xem</b> https://baohiemxahoi.gov.vn.")
    await expect(page.get_by_role("link")).to_have_attribute("href", "https://baohiemxahoi.gov.vn")
    await expect(page.locator("#lines img")).to_have_count(0)


async def test_nothing_is_cut_off_at_twice_the_size(page: Page) -> None:
    """200 % zoom halves the viewport: no sideways scrolling, and everything can be reached."""
    await page.set_viewport_size({"width": 188, "height": 334})
    overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    await page.get_by_role("button", name="Gửi", exact=True).scroll_into_view_if_needed()
    await expect(page.get_by_role("button", name="Gửi", exact=True)).to_be_in_viewport()


async def test_starting_anew_empties_the_page(page: Page) -> None:
    field = page.get_by_label("Câu hỏi của anh/chị")
    await field.fill("hỏi")
    await field.press("Enter")
    await expect(page.get_by_text("Đáp: hỏi", exact=True)).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    async with page.expect_navigation():
        await page.get_by_role("button", name="Bắt đầu lại").click()
    await expect(page.get_by_role("button", name="BHYT hộ gia đình")).to_be_visible()
    await expect(page.locator("#lines .message")).to_have_count(0)
