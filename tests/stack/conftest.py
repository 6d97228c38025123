"""Whole stacks on free ports in a temporary data folder, and browsers to use them with."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from stack.__main__ import PORTS, Stack, addresses, migrate
from stack.training import train
from tests.chromium import launched

NEW_PASSWORD = "mat khau moi that dai 2026"


def free_ports(names: Collection[str] = PORTS) -> dict[str, int]:
    """A port nobody listens on for each name."""
    probes = [socket.socket() for _ in names]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = dict(zip(names, (probe.getsockname()[1] for probe in probes)))
    for probe in probes:
        probe.close()
    return found


def start_stack(data_dir: Path, **environment: str) -> Stack:
    """A stack that answers; the caller stops it."""
    model = train()
    stack = Stack(free_ports(), data_dir)
    stack.environment |= {"DEVELOPMENT": "1", **environment}
    try:
        migrate(stack.environment)
        stack.start(model)
        stack.wait_until_answering()
    except BaseException:
        stack.stop()
        raise
    return stack


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack shared by the tests that do not break it."""
    os.environ.pop("DATABASE_URL", None)
    stack = start_stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.stop()


@pytest.fixture()
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that a test may break; it hands over to people after one second."""
    stack = start_stack(tmp_path, RASA_RETRY_SECONDS="1")
    yield stack
    stack.stop()


def url(stack: Stack, name: str = "gateway") -> str:
    """An address of a stack."""
    return addresses(stack.ports)[name]


@pytest.fixture()
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


async def open_page(browser: Browser, address: str) -> Page:
    context = await browser.new_context(
        locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh", viewport={"width": 390, "height": 800}
    )
    page = await context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    await page.goto(address)
    return page


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Câu hỏi của anh/chị").fill(text)
    await page.get_by_role("button", name="Gửi", exact=True).click()


async def log_in_first_time(page: Page, password: str) -> None:
    await page.get_by_label("Tên đăng nhập").fill("quantri")
    await page.get_by_label("Mật khẩu").fill(password)
    await page.get_by_role("button", name="Đăng nhập").click()
    for label in await page.locator("input[type=password]").all():
        name = await label.get_attribute("name")
        await label.fill(password if name in ("current", "old", "current_password") else NEW_PASSWORD)
    await page.locator("main form button").first.click()
    await expect(page.get_by_role("heading", name=re.compile("Hàng chờ|Đang chờ"))).to_be_visible()
