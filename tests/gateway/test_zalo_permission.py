"""`python -m gateway zalo-token`: the address to open, then the first tokens, and clear words otherwise."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from gateway import repository
from gateway.__main__ import main
from gateway.channels.rules import ZALO
from gateway.channels.zalo_permission import permit
from gateway.database import Database
from gateway.schema import upgrade
from gateway.settings import Settings, SettingsError, read_settings
from simulators.zalo import ZaloSimulator, environment


@pytest.fixture
async def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    """Zalo configured against the simulator, with an empty database."""
    monkeypatch.setenv("SECRET_KEY", "k" * 32)
    simulator = ZaloSimulator("http://127.0.0.1:1/")
    async with TestServer(simulator.app(), host="127.0.0.1") as server:
        url = str(server.make_url("")).rstrip("/")
        given = environment(simulator.account, url, "")
        made = read_settings({**given, "DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://office.example"})
        await asyncio.to_thread(upgrade, made.database_url)
        yield made


async def permitted(address: str) -> str:
    """The code an administrator's browser brings back."""
    async with aiohttp.ClientSession() as http, http.get(address, allow_redirects=False) as response:
        location = response.headers["Location"]
    assert location.startswith("https://office.example/?")
    return parse_qs(urlsplit(location).query)["code"][0]


async def test_two_steps_give_the_first_tokens(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(permit, settings, None, None) == 0
    found = re.search(r"http://\S+", capsys.readouterr().out)
    assert found is not None
    verifier = settings.data_dir / "zalo_verifier"
    assert stat.S_IMODE(verifier.stat().st_mode) == 0o600
    code = await permitted(found[0])
    assert await asyncio.to_thread(permit, settings, code, None) == 0
    assert "The refresh token can be used until 20" in capsys.readouterr().out
    assert not verifier.exists()
    assert settings.zalo is not None
    database = Database(settings.database_url)
    async with database.readers() as session:
        row = await repository.channel_token(session, ZALO, settings.zalo.oa_id)
    await database.close()
    assert row is not None and row.problem is None


async def test_a_wrong_code_is_explained(settings: Settings) -> None:
    await asyncio.to_thread(permit, settings, None, None)
    with pytest.raises(SettingsError, match=r"-14003.*ten minutes"):
        await asyncio.to_thread(permit, settings, "wrong", None)


async def test_each_missing_thing_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="without --code first"):
        permit(settings, "code", None)
    with pytest.raises(SettingsError, match="--redirect URL"):
        permit(replace(settings, public_url=None), None, None)
    with pytest.raises(SettingsError, match="ZALO_OA_ID"):
        permit(replace(settings, zalo=None), None, None)


async def test_zalo_away_is_explained(settings: Settings) -> None:
    assert settings.zalo is not None
    away = replace(settings, zalo=replace(settings.zalo, oauth_url="http://127.0.0.1:1"))
    permit(away, None, None)
    with pytest.raises(SettingsError, match="begin again"):
        await asyncio.to_thread(permit, away, "code", None)


def test_the_command_complains_without_zalo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zalo-token"]) == 2
    assert "Zalo is not configured" in capsys.readouterr().err
