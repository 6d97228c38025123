"""Pictures every page of the console: `uv run python -m tests.call_centre.screenshots docs/console`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyotp
from playwright.async_api import Page
from sqlalchemy.ext.asyncio import async_sessionmaker

from call_centre.model import Role
from call_centre.protocols import TopicTurns
from call_centre.services import CaseService
from call_centre.tables import Base
from knowledge_base.office import load_office
from tests.chromium import launched

from .conftest import PASSWORD, add_agent, make_engine
from .fakes import Clock, FakeGateway
from .serve import Console, add_canned, fill, running

PAGES = {
    "queue": "/",
    "search": "/?q=bhyt",
    "case": "/cases/1",
    "timeline": "/cases/1/timeline",
    "account": "/account",
    "password": "/account/password",
    "people": "/people",
    "canned": "/canned",
    "audit": "/audit",
    "board": "/board",
}


async def _morning(console: Console, clock: Clock) -> None:
    """Some cases answered, some closed and rated, so that the pages have something to show."""
    lan = await add_agent(console.sessions, "lan", name="Nguyễn Thị Lan")
    for case_id, minutes, score in ((3, 12, "5"), (5, 30, "4"), (6, 9, "5")):
        clock.advance(minutes=minutes)
        async with console.sessions.begin() as session:
            await console.service.claim(session, case_id, lan.id)
            await console.service.answer(session, case_id, lan.id, "Dạ em nghe đây ạ.")
            await console.service.close(session, case_id, lan.id, "answered")
            await console.service.take_rating(session, f"talk-{case_id}", score)
    async with console.sessions.begin() as session:
        await console.service.label(session, 2, lan.id, "Gấp")
    await add_canned(console)
    console.gateway.topics = {
        "lookup.contribution_history": TopicTurns(14, 9),
        "maternity.payment_time": TopicTurns(31, 6),
        "": TopicTurns(0, 5),
        "health.household_premium": TopicTurns(120, 3),
        "voluntary.contribution_level": TopicTurns(88, 1),
    }


async def _log_in(page: Page, console: Console) -> None:
    await page.goto(f"{console.url}/login")
    await page.get_by_label("Tên đăng nhập").fill("ha")
    await page.get_by_label("Mật khẩu").fill(PASSWORD)


async def take(folder: Path) -> None:
    """Write one PNG a page, and the queue and a case on a phone."""
    clock = Clock(datetime(2026, 11, 23, 1, 15, tzinfo=UTC))
    gateway, office = FakeGateway(clock), load_office()
    service = CaseService(gateway, gateway, gateway, office, clock)
    with tempfile.TemporaryDirectory() as data:
        engine = make_engine(f"sqlite+aiosqlite:///{data}/console.db")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        await add_agent(sessions, "ha", Role.ADMINISTRATOR, "Lê Thu Hà")
        await fill(sessions, service, gateway)
        async with running(sessions, service, gateway, office) as console, launched() as browser:
            await _morning(console, clock)
            page = await browser.new_page(viewport={"width": 1280, "height": 800})
            await _log_in(page, console)
            await page.screenshot(path=folder / "login.png")
            await page.get_by_role("button", name="Đăng nhập").click()
            await page.goto(f"{console.url}/account/second-factor")
            await page.screenshot(path=folder / "second-factor.png")
            secret = (await page.locator("code").inner_text()).replace(" ", "")
            await page.get_by_label("Mã 6 số").fill(pyotp.TOTP(secret).at(clock()))
            await page.get_by_role("button", name="Bật xác nhận hai bước").click()
            await page.screenshot(path=folder / "recovery.png")
            await page.get_by_role("button", name="Đăng xuất").click()
            await _log_in(page, console)
            await page.get_by_role("button", name="Đăng nhập").click()
            await page.screenshot(path=folder / "code.png")
            clock.advance(seconds=30)
            await page.get_by_label("Mã 6 số").fill(pyotp.TOTP(secret).at(clock()))
            await page.get_by_role("button", name="Xác nhận").click()
            await page.goto(f"{console.url}/cases/1")
            await page.get_by_role("button", name="Nhận hồ sơ").click()
            for name, path in PAGES.items():
                await page.goto(f"{console.url}{path}")
                await page.wait_for_load_state("load")
                await page.screenshot(path=folder / f"{name}.png", full_page=True)
            await page.set_viewport_size({"width": 390, "height": 844})
            for name in ("queue", "case"):
                await page.goto(f"{console.url}{PAGES[name]}")
                await page.screenshot(path=folder / f"{name}-phone.png", full_page=name == "case")
        await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    target = parser.parse_args().folder
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(target))
