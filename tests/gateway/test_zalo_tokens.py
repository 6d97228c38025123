"""Zalo's single-use refresh tokens: renewed once, saved before use, and never lost without a word."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.fernet import Fernet
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import repository
from gateway.channels.rules import ZALO
from gateway.channels.zalo_tokens import (
    LONG_PAUSE,
    PAUSE,
    Cipher,
    NoToken,
    TokenLater,
    TokenRefused,
    ZaloTokens,
    new_verifier,
    permission_url,
)
from gateway.database import Database, utc_now
from gateway.settings import ROOT, ZaloSettings
from gateway.tables import ChannelToken
from simulators.zalo import Account, ZaloSimulator

ACCOUNT = Account()
KEY = "k" * 32


class Crash(BaseException):
    """Nothing of the process runs on after this."""


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Zalo:
    """The simulated platform, and processes that use its tokens."""

    def __init__(self, database: Database, http: aiohttp.ClientSession) -> None:
        self.clock = Clock()
        self.simulator = ZaloSimulator("http://127.0.0.1:1/", clock=self.clock)
        self.server = TestServer(self.simulator.app(), host="127.0.0.1")
        self.database = database
        self.http = http
        self.settings: ZaloSettings

    async def start(self) -> None:
        await self.server.start_server()
        url = str(self.server.make_url("")).rstrip("/")
        self.settings = ZaloSettings(
            oa_id=ACCOUNT.oa_id,
            oa_secret_key=ACCOUNT.oa_secret_key,
            app_id=ACCOUNT.app_id,
            app_secret=ACCOUNT.app_secret,
            refresh_token=None,
            api_url=url,
            oauth_url=url,
        )

    def process(self, database: Database | None = None, **settings: Any) -> ZaloTokens:
        """What one gateway process has."""
        return ZaloTokens(
            database=database or self.database,
            http=self.http,
            zalo=replace(self.settings, **settings),
            cipher=Cipher(KEY),
            clock=self.clock,
        )

    async def started(self) -> ZaloTokens:
        """A process that took over the first refresh token."""
        tokens = self.process()
        assert await tokens.import_first(self.simulator.first_refresh_token)
        return tokens

    async def row(self) -> ChannelToken:
        async with self.database.readers() as session:
            found = await repository.channel_token(session, ZALO, ACCOUNT.oa_id)
        assert found is not None
        return found


@pytest.fixture
async def zalo(database: Database) -> AsyncIterator[Zalo]:
    async with aiohttp.ClientSession() as http:
        made = Zalo(database, http)
        await made.start()
        yield made
        await made.server.close()


async def test_the_first_token_is_fetched_kept_and_used_again(zalo: Zalo) -> None:
    tokens = await zalo.started()
    first = await tokens.access_token()
    assert await tokens.access_token() == first
    assert await zalo.process().access_token() == first
    assert zalo.simulator.refreshes == 1


async def test_a_token_is_renewed_before_it_ends_and_the_refresh_token_replaced(zalo: Zalo) -> None:
    tokens = await zalo.started()
    first = await tokens.access_token()
    zalo.clock.forward(hours=18)
    assert await tokens.access_token() == first
    zalo.clock.forward(hours=1)
    second = await tokens.access_token()
    assert second != first
    zalo.clock.forward(hours=25)
    assert await tokens.access_token() not in (first, second)
    assert zalo.simulator.refreshes == 3


@pytest.mark.parametrize(
    ("expires_in", "hours"), [("3600", 1), (7200, 2), ("90000", 25), (None, 1), ("x", 1)]
)
async def test_the_life_time_is_what_zalo_says(zalo: Zalo, expires_in: object, hours: int) -> None:
    tokens = await zalo.started()
    pair = tokens._parsed({"access_token": "a", "refresh_token": "b", "expires_in": expires_in})
    assert pair.access_expires_at - pair.obtained_at == timedelta(hours=hours)


async def test_processes_that_renew_at_once_use_the_refresh_token_once(zalo: Zalo, database_url: str) -> None:
    """Each with connections of its own, as separate processes have; on both databases."""
    await zalo.started()
    zalo.simulator.controls.change({"delay_ms": 200})
    databases = [Database(database_url) for _ in range(6)]
    try:
        got = await asyncio.gather(
            *(zalo.process(database).access_token() for database in databases), return_exceptions=True
        )
    finally:
        for database in databases:
            await database.close()
    assert zalo.simulator.refreshes == 1
    assert sum(isinstance(one, str) for one in got) == 1
    assert all(isinstance(one, str | TokenLater) for one in got)
    # Whoever was told to come back later finds the token.
    assert await zalo.process().access_token() in got


PROCESS = """
import asyncio, sys
import aiohttp
from gateway.channels.zalo_tokens import Cipher, TokenLater, ZaloTokens
from gateway.database import Database
from gateway.settings import ROOT, ZaloSettings

async def main(database_url, url, key, oa_id, app_id, app_secret):
    settings = ZaloSettings(oa_id, "", app_id, app_secret, None, url, url)
    database = Database(database_url)
    async with aiohttp.ClientSession() as http:
        tokens = ZaloTokens(database=database, http=http, zalo=settings, cipher=Cipher(key))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        try:
            print(await tokens.access_token())
        except TokenLater:
            print("later")
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_operating_system_processes_use_the_refresh_token_once(
    zalo: Zalo, database_url: str
) -> None:
    await zalo.started()
    zalo.simulator.controls.change({"delay_ms": 500})
    given = (database_url, zalo.settings.api_url, KEY, ACCOUNT.oa_id, ACCOUNT.app_id, ACCOUNT.app_secret)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, *given, cwd=ROOT, stdin=PIPE, stdout=PIPE
        )
        for _ in range(2)
    ]
    async with asyncio.timeout(60):
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    said = sorted(output.decode().splitlines()[-1] for output, _ in outputs)
    assert zalo.simulator.refreshes == 1
    assert said[0] != said[1] and "later" in said
    assert await zalo.process().access_token() in said


async def test_while_one_renews_early_the_others_go_on_with_the_present_token(zalo: Zalo) -> None:
    first = await (await zalo.started()).access_token()
    zalo.clock.forward(hours=20)
    zalo.simulator.controls.change({"delay_ms": 300})
    got = await asyncio.gather(*(zalo.process().access_token() for _ in range(4)))
    assert zalo.simulator.refreshes == 2
    assert sorted(one == first for one in got) == [False, True, True, True]


async def test_a_refused_token_is_renewed_once_however_many_messages_met_it(zalo: Zalo) -> None:
    tokens = await zalo.started()
    refused = await tokens.access_token()
    zalo.simulator.revoke()
    renewed = await tokens.access_token(refused)
    assert renewed != refused
    assert await tokens.access_token(refused) == renewed
    assert zalo.simulator.refreshes == 2


async def test_the_new_pair_is_saved_before_anybody_gets_it(
    zalo: Zalo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await zalo.started()
    save = repository.save_channel_token

    async def fail(*_given: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("the disk is full"))

    monkeypatch.setattr(repository, "save_channel_token", fail)
    with pytest.raises(TokenLater):
        await tokens.access_token()
    with pytest.raises(TokenLater):
        await tokens.access_token()
    assert zalo.simulator.refreshes == 1
    monkeypatch.setattr(repository, "save_channel_token", save)
    # The pair was kept in memory: nothing is lost when the database comes back.
    token = await tokens.access_token()
    assert zalo.simulator.refreshes == 1
    assert await zalo.process().access_token() == token


async def test_a_crash_between_renewal_and_saving_calls_an_administrator_and_keeps_the_present_token(
    zalo: Zalo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await (await zalo.started()).access_token()
    zalo.clock.forward(hours=19)

    async def crash(_session: AsyncSession, *_given: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(ZaloTokens, "_save", crash)
        task = zalo.process().access_token()
        with pytest.raises(Crash):
            await task
    # The lease keeps everybody away for a minute; the present token still works meanwhile.
    after = zalo.process()
    assert await after.access_token() == first
    zalo.clock.forward(minutes=2)
    assert await after.access_token() == first
    assert (await zalo.row()).problem == "refused:-14014"
    zalo.clock.forward(hours=7)
    with pytest.raises(NoToken, match="refused"):
        await after.access_token()
    # A new permission heals it.
    verifier = new_verifier()
    code = await permitted(zalo, verifier)
    await after.exchange(code, verifier)
    assert (await zalo.row()).problem is None
    assert await zalo.process().access_token() != first


async def test_a_renewal_is_finished_although_whoever_asked_was_cancelled(
    zalo: Zalo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = await zalo.started()
    asked, answer = asyncio.Event(), asyncio.Event()

    async def wait_for_the_test() -> bool:
        asked.set()
        await answer.wait()
        return False

    monkeypatch.setattr(zalo.simulator, "_misbehaves", wait_for_the_test)
    asking = asyncio.create_task(tokens.access_token())
    await asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    answer.set()
    await tokens.finish()
    assert zalo.simulator.refreshes == 1
    assert await zalo.process().access_token()
    assert zalo.simulator.refreshes == 1


async def test_a_refusal_is_not_repeated_at_once_but_later(zalo: Zalo) -> None:
    tokens = zalo.process(app_secret="mistyped")
    assert await tokens.import_first(zalo.simulator.first_refresh_token)
    with pytest.raises(NoToken, match="-14004"):
        await tokens.access_token()
    right = zalo.process()
    with pytest.raises(NoToken, match="-14004"):
        await right.access_token()
    zalo.clock.forward(seconds=LONG_PAUSE.total_seconds() + 1)
    assert await right.access_token()


@pytest.mark.parametrize("control", ["fail", "cut"])
async def test_zalo_away_means_later(zalo: Zalo, control: str) -> None:
    tokens = await zalo.started()
    zalo.simulator.controls.change({control: 1})
    with pytest.raises(TokenLater):
        await tokens.access_token()
    with pytest.raises(TokenLater):
        await tokens.access_token()
    zalo.clock.forward(seconds=PAUSE.total_seconds() + 1)
    if control == "fail":
        assert await tokens.access_token()
    else:
        # Zalo took the refresh token and nobody heard the answer: only a new permission helps.
        with pytest.raises(NoToken):
            await tokens.access_token()


async def test_a_page_instead_of_tokens_means_later(zalo: Zalo) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>busy</html>", content_type="text/html")

    app = web.Application()
    app.router.add_post("/v4/oa/access_token", page)
    async with TestServer(app, host="127.0.0.1") as server:
        tokens = zalo.process(oauth_url=str(server.make_url("")).rstrip("/"))
        await tokens.import_first("x")
        with pytest.raises(TokenLater):
            await tokens.access_token()


async def test_the_environments_token_is_taken_over_once(zalo: Zalo) -> None:
    tokens = await zalo.started()
    first = await tokens.access_token()
    # The next start finds the same, long used-up value in the environment.
    assert not await zalo.process().import_first(zalo.simulator.first_refresh_token)
    assert await zalo.process().access_token() == first
    # A value nobody has seen is a new permission.
    assert await zalo.process().import_first("another")


async def test_without_a_token_there_is_a_clear_error(zalo: Zalo) -> None:
    for call in (zalo.process().access_token(), zalo.process().time_left()):
        with pytest.raises(NoToken, match="missing"):
            await call


async def test_tokens_are_unreadable_without_the_secret_key(zalo: Zalo) -> None:
    tokens = await zalo.started()
    access = await tokens.access_token()
    row = await zalo.row()
    assert access not in row.access_token
    assert zalo.simulator.first_refresh_token not in row.refresh_token
    assert Cipher(KEY).decrypt(row.access_token) == access
    other = ZaloTokens(
        database=zalo.database,
        http=zalo.http,
        zalo=zalo.settings,
        cipher=Cipher("another key of thirty-two letters"),
        clock=zalo.clock,
    )
    with pytest.raises(NoToken, match="unreadable"):
        await other.access_token()
    with pytest.raises(NoToken, match="unreadable"):
        Cipher(KEY).decrypt(Fernet(Fernet.generate_key()).encrypt(b"x").decode())


async def test_the_time_left_counts_from_the_newest_refresh_token(zalo: Zalo) -> None:
    tokens = await zalo.started()
    assert await tokens.time_left() == timedelta(days=90)
    zalo.clock.forward(days=80)
    assert await tokens.time_left() == timedelta(days=10)
    await tokens.access_token()
    assert await tokens.time_left() == timedelta(days=90)
    zalo.clock.forward(days=91)
    with pytest.raises(NoToken, match="-14014"):
        await tokens.access_token()


async def permitted(zalo: Zalo, verifier: str) -> str:
    """The code an administrator's browser brings back."""
    url = permission_url(zalo.settings, "https://office.example/back", verifier, "state-1")
    async with zalo.http.get(url, allow_redirects=False) as response:
        assert response.status == 302
        back = parse_qs(urlsplit(response.headers["Location"]).query)
    assert back["state"] == ["state-1"]
    return back["code"][0]


async def test_a_permission_gives_the_first_pair_once(zalo: Zalo) -> None:
    tokens, verifier = zalo.process(), new_verifier()
    code = await permitted(zalo, verifier)
    pair = await tokens.exchange(code, verifier)
    assert await tokens.access_token() == pair.access
    with pytest.raises(TokenRefused):
        await tokens.exchange(code, verifier)


async def test_a_code_is_worth_nothing_without_its_verifier(zalo: Zalo) -> None:
    code = await permitted(zalo, new_verifier())
    with pytest.raises(TokenRefused):
        await zalo.process().exchange(code, new_verifier())


async def test_an_older_pair_never_replaces_a_newer_one(zalo: Zalo) -> None:
    tokens = await zalo.started()
    token = await tokens.access_token()
    row = await zalo.row()
    async with zalo.database.sessions.begin() as session:
        columns = {"refresh_token": "old", "updated_at": row.updated_at - timedelta(seconds=1)}
        await repository.save_channel_token(
            session,
            ZALO,
            ACCOUNT.oa_id,
            {
                **columns,
                "access_token": "old",
                "access_expires_at": row.access_expires_at,
                "refresh_expires_at": row.refresh_expires_at,
            },
        )
    assert await tokens.access_token() == token


async def test_a_lease_that_ran_out_is_taken_over(zalo: Zalo) -> None:
    tokens = await zalo.started()
    async with zalo.database.sessions.begin() as session:
        await session.execute(
            update(ChannelToken).values(renewing_until=zalo.clock() + timedelta(seconds=30))
        )
    with pytest.raises(TokenLater):
        await tokens.access_token()
    zalo.clock.forward(seconds=31)
    assert await tokens.access_token()
