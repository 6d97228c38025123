"""A citizen and an agent in real browsers, through the whole stack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from stack.__main__ import Stack
from tests.stack.conftest import log_in_first_time, open_page, say, url

pytestmark = [pytest.mark.stack, pytest.mark.browser]


async def test_citizen_is_answered_by_the_bot_and_then_by_an_agent(running: Stack, chromium: Browser) -> None:
    citizen = await open_page(chromium, url(running))
    log = citizen.get_by_role("log")
    await say(citizen, "bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu")
    await expect(log.get_by_text("3.825.360 đồng")).to_be_visible()
    await citizen.get_by_role("button", name="Mua 6 tháng").click()
    await expect(log.get_by_text("1.912.680 đồng")).to_be_visible()
    await say(citizen, "cho tôi gặp nhân viên")
    await expect(log.get_by_text(re.compile("HS-0*1"))).to_be_visible()

    password = (Path(running.data_dir) / "first-password.txt").read_text(encoding="utf-8").strip()
    agent = await open_page(chromium, url(running, "console"))
    await log_in_first_time(agent, password)
    await agent.get_by_role("button", name=re.compile("Nhận hồ sơ")).first.click()
    await expect(agent.get_by_text("cho tôi gặp nhân viên").first).to_be_visible()
    await say(citizen, "anh chị ơi em chờ")
    await expect(agent.locator("#lines").get_by_text("anh chị ơi em chờ")).to_be_visible()
    await agent.get_by_label("Tin nhắn gửi cho người dân").fill("Dạ em là Lan, em nghe đây ạ.")
    await agent.get_by_role("button", name="Gửi", exact=True).click()
    await agent.get_by_role("button", name="Gửi ngay").click()
    await expect(log.get_by_text("Dạ em là Lan, em nghe đây ạ.")).to_be_visible()
    await expect(log.get_by_text("anh chị ơi em chờ")).to_have_count(1)

    await agent.get_by_role("button", name=re.compile("Đóng hồ sơ")).click()
    await say(citizen, "mức đóng bhxh tự nguyện")
    await expect(log.get_by_text("264.000 đồng")).to_be_visible()
    await citizen.reload()
    await expect(log.get_by_text("3.825.360 đồng")).to_be_visible()
    await expect(log.get_by_text("Dạ em là Lan, em nghe đây ạ.")).to_be_visible()
