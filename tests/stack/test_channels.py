"""Citizens on every channel and one agent, in real browsers, on what `CHANNELS=simulated` starts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from stack.__main__ import PASSWORD_FILE, PORTS, SIMULATORS
from stack.training import ROOT
from tests.stack.conftest import free_ports, log_in_first_time, open_page, say

pytestmark = [pytest.mark.stack, pytest.mark.browser]
READY_WITHIN = 600  # seconds; the model may have to be trained first

QUESTION = "bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu"
FIGURE = "3.825.360 đồng"
ASK_FOR_PERSON = "cho tôi gặp nhân viên"
ADDRESS = re.compile(r"^(Chat page|Console|Fanpage|Zalo): +(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Office:
    """What the stack printed when it was ready, by name, and the first agent's password."""

    addresses: dict[str, str]
    password: str


@pytest.fixture()
def simulated(tmp_path: Path) -> Iterator[Office]:
    """The stack with a simulated fanpage and Zalo, started by its command and stopped as by Ctrl-C."""
    wanted = {**PORTS, **SIMULATORS}
    found = free_ports(wanted)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        **{variable: str(found[name]) for name, (variable, _) in wanted.items()},
        "CHANNELS": "simulated",
        "DATA_DIR": str(tmp_path),
    }
    log = tmp_path / "stack.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack"], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + READY_WITHIN
        while "Ctrl-C" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.2)  # another process starts: there is nothing to be woken by
        assert json.loads((tmp_path / "stack.json").read_text())["gateway"]
        addresses = dict(ADDRESS.findall(log.read_text(encoding="utf-8")))
        yield Office(addresses, (tmp_path / PASSWORD_FILE).read_text(encoding="utf-8").strip())
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


async def write(page: Page, text: str, field: str = "Tin nhắn của người dân", button: str = "Gửi") -> None:
    """Say something as a simulated platform's citizen."""
    await page.get_by_label(field, exact=True).fill(text)
    await page.get_by_role("button", name=button, exact=True).click()


async def comment(page: Page, text: str) -> None:
    await write(page, text, "Bình luận dưới bài viết", "Bình luận")


async def answer(agent: Page, console: str, channel: str, text: str) -> None:
    """Claim the channel's waiting case, answer it and close it."""
    await agent.goto(console)
    row = agent.get_by_role("row").filter(has=agent.get_by_role("cell", name=channel, exact=True))
    await expect(row).to_have_count(1)
    await row.get_by_role("button", name=re.compile("Nhận hồ sơ")).click()
    await expect(agent.locator("#lines").get_by_text(ASK_FOR_PERSON)).to_be_visible()
    await agent.get_by_label("Tin nhắn gửi cho người dân").fill(text)
    await agent.get_by_role("button", name="Gửi", exact=True).click()
    await agent.get_by_role("button", name="Gửi ngay").click()
    await expect(agent.locator("#lines").get_by_text(text)).to_be_visible()
    await agent.get_by_role("button", name=re.compile("Đóng hồ sơ")).click()
    await expect(agent.get_by_role("heading", name="Hàng chờ")).to_be_visible()
    await expect(row).to_have_count(0)


def lines(page: Page, text: str) -> Locator:
    return page.get_by_role("log").get_by_text(text)


async def test_a_citizen_on_each_channel_is_answered_by_the_bot_and_then_by_an_agent(
    simulated: Office, chromium: Browser
) -> None:
    where = simulated.addresses
    messenger = await open_page(chromium, where["Fanpage"])
    commenter = await open_page(chromium, where["Fanpage"])
    await commenter.get_by_label("Người dân số").fill("2")
    zalo = await open_page(chromium, where["Zalo"])
    web = await open_page(chromium, where["Chat page"])

    await write(messenger, QUESTION)
    await comment(commenter, QUESTION)
    await write(zalo, QUESTION)
    await say(web, QUESTION)
    for citizen in (messenger, commenter, zalo, web):
        await expect(lines(citizen, FIGURE)).to_have_count(1)
    # Under the post everybody reads only that an answer was sent.
    await expect(lines(commenter, "Bình luận: Em đã trả lời anh/chị qua tin nhắn riêng")).to_have_count(1)
    for citizen in (messenger, zalo, web):
        await citizen.get_by_role("button", name="Mua 6 tháng").click()
        await expect(lines(citizen, "1.912.680 đồng")).to_have_count(1)

    await write(messenger, ASK_FOR_PERSON)
    await write(zalo, ASK_FOR_PERSON)
    await say(web, ASK_FOR_PERSON)
    for citizen in (messenger, zalo, web):
        await expect(lines(citizen, "HS-")).to_have_count(1)
    await comment(commenter, ASK_FOR_PERSON)
    await expect(lines(commenter, "Bình luận: Em đã chuyển câu hỏi cho nhân viên")).to_have_count(1)

    agent = await open_page(chromium, where["Console"])
    await log_in_first_time(agent, simulated.password)
    for channel, citizen in (
        ("Fanpage", messenger),
        ("Bình luận fanpage", commenter),
        ("Zalo OA", zalo),
        ("Trang web", web),
    ):
        told = f"Dạ em là Lan, em trả lời {channel} đây ạ."
        await answer(agent, where["Console"], channel, told)
        await expect(lines(citizen, told)).to_have_count(1)

    # The comment's one private reply was the agent's; the conversation goes on in Messenger.
    await write(commenter, "mức đóng bhxh tự nguyện")
    await expect(lines(commenter, "264.000 đồng")).to_have_count(1)
    for citizen in (messenger, zalo, web):
        await expect(lines(citizen, FIGURE)).to_have_count(1)
