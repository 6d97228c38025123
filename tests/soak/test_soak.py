"""A short run of the soak: killed at random moments, no acknowledged message is lost or answered twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.__main__ import soak


async def test_ten_kills_lose_nothing_and_answer_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await soak(10, tmp_path, seed=10)
    with capsys.disabled():
        print(f"\n10 kills: {found}")
    assert found.acknowledged > 0
    assert found.good
