"""Debian's Chromium, as every browser test and the console's screenshots start it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

PATIENCE_MS = 20_000  # after which a page will never show what is expected, however busy the machine


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A headless browser, closed afterwards."""
    path = shutil.which("chromium")
    assert path is not None, "chromium is not installed: apt-get install chromium"
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--headless"])
        yield browser
        await browser.close()
