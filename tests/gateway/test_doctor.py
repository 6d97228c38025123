"""The doctor says in one sentence each what works and what does not, and its exit code agrees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from gateway import doctor as module
from gateway import repository
from gateway.__main__ import main
from gateway.channels.rules import ZALO
from gateway.channels.zalo import WEBHOOK
from gateway.channels.zalo_events import signed_by
from gateway.channels.zalo_tokens import Cipher
from gateway.database import Database, utc_now
from gateway.doctor import Finding, examine
from gateway.schema import upgrade
from gateway.settings import MessengerSettings, Settings, ZaloSettings, read_settings
from gateway.tables import ChannelAccount, ChannelToken

KEY = "k" * 32


class Neighbours:
    """Rasa, action server, gateway, reverse proxy and platforms, as a test wants them."""

    def __init__(self) -> None:
        self.evaluation = 404
        self.webhook = 200
        self.page_error: dict[str, Any] | None = None
        self.date: str | None = None
        self.settings: Settings
        self.server = TestServer(self._app(), host="127.0.0.1")

    def _app(self) -> web.Application:
        app = web.Application()
        for path in ("/", "/health", "/healthz"):
            app.router.add_get(path, self._hello)
        app.router.add_post("/evaluation/ask", self._evaluation)
        app.router.add_post(WEBHOOK, self._webhook)
        app.router.add_post("/webhooks/messenger", self._webhook)
        app.router.add_get("/v23.0/page-1", self._page)
        return app

    async def _hello(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok", headers={"Date": self.date} if self.date is not None else {})

    async def _evaluation(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.evaluation)

    async def _webhook(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-ZEvent-Signature")
        if given is not None:
            assert self.settings.zalo is not None
            secret = self.settings.zalo.oa_secret_key
            assert signed_by(await request.read(), given, None, self.settings.zalo.app_id, secret)
        return web.Response(status=self.webhook)

    async def _page(self, _request: web.Request) -> web.Response:
        return web.json_response({"error": self.page_error} if self.page_error else {"id": "page-1"})


@pytest.fixture
async def neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Neighbours]:
    """Everything in order."""
    monkeypatch.setenv("SECRET_KEY", KEY)
    made = Neighbours()
    await made.server.start_server()
    url = str(made.server.make_url("")).rstrip("/")
    port = made.server.port
    assert port is not None
    plain = read_settings({"DATA_DIR": str(tmp_path), "GATEWAY_PORT": str(port), "RASA_PORT": str(port)})
    made.settings = replace(
        plain,
        actions_port=port,
        public_url=url,
        zalo=ZaloSettings("oa-1", "oa-secret", "app-1", "app-secret", None, url, url),
        messenger=MessengerSettings(
            page_id="page-1",
            page_token="token",
            app_secret="secret",
            verify_token="verify",
            app_id=None,
            api_version="v23.0",
            api_url=url,
            hide_personal_comments=False,
            point_to_private_reply=True,
        ),
    )
    await asyncio.to_thread(upgrade, made.settings.database_url)
    now = utc_now()
    await change(
        made.settings,
        lambda session: repository.insert_channel_token(
            session,
            ZALO,
            "oa-1",
            {
                "access_token": Cipher(KEY).encrypt("access"),
                "access_expires_at": now + timedelta(hours=20),
                "refresh_token": Cipher(KEY).encrypt("refresh"),
                "refresh_expires_at": now + timedelta(days=80, hours=1),
                "updated_at": now - timedelta(hours=5),
            },
        ),
    )
    yield made
    await made.server.close()


async def change(settings: Settings, what: Any) -> None:
    database = Database(settings.database_url)
    async with database.sessions.begin() as session:
        await what(session)
    await database.close()


async def token(settings: Settings, **columns: Any) -> None:
    await change(settings, lambda session: session.execute(update(ChannelToken).values(**columns)))


def problems(findings: list[Finding]) -> list[str]:
    return [finding.sentence for finding in findings if finding.level == "wrong"]


async def problem(neighbours: Neighbours) -> str:
    """The only thing that is wrong."""
    (sentence,) = problems(await examine(neighbours.settings))
    return sentence


async def test_nothing_is_wrong_when_everything_is_in_order(neighbours: Neighbours) -> None:
    findings = await examine(neighbours.settings)
    assert problems(findings) == []
    said = " ".join(finding.sentence for finding in findings)
    for words in (
        "SECRET_KEY is there",
        "Messenger, Zalo",
        "are free",
        "up to date",
        "Rasa answers",
        "action server answers",
        "renewed 5 hours ago; the refresh token ends in 80 days",
        "Zalo can be reached and this machine's clock agrees",
        "Meta accepts the page token",
        "/evaluation is closed to the internet",
        "Zalo's webhook",
        "Messenger's webhook",
    ):
        assert words in said, words
    assert all(finding.sentence.endswith(".") and "\n" not in finding.sentence for finding in findings)


async def test_only_the_web_chat_needs_no_platform(neighbours: Neighbours) -> None:
    neighbours.settings = replace(neighbours.settings, zalo=None, messenger=None, public_url=None)
    findings = await examine(neighbours.settings)
    assert problems(findings) == []
    assert any("Only the web chat is on" in finding.sentence for finding in findings)


async def test_what_does_not_answer_is_named(neighbours: Neighbours) -> None:
    neighbours.settings = replace(neighbours.settings, rasa_port=1, actions_port=2)
    rasa, actions = problems(await examine(neighbours.settings))
    assert rasa.startswith("Rasa does not answer at http://127.0.0.1:1/")
    assert actions.startswith("The action server does not answer at http://127.0.0.1:2/health")


async def test_a_database_not_migrated_or_away_is_named(neighbours: Neighbours, tmp_path: Path) -> None:
    neighbours.settings = replace(
        neighbours.settings, database_url=f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    )
    assert "run: uv run python -m gateway migrate" in await problem(neighbours)
    neighbours.settings = replace(
        neighbours.settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/x"
    )
    assert (await problem(neighbours)).startswith("The PostgreSQL database does not answer")


async def test_a_weak_key_and_little_space_are_named(
    neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LITTLE_SPACE", 1 << 60)
    monkeypatch.setenv("SECRET_KEY", "short")
    found = problems(await examine(neighbours.settings))
    assert found[0].startswith("The secret key cannot be used: SECRET_KEY is shorter")
    assert found[1].startswith("Only ") and "make room" in found[1]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"refresh_expires_at": timedelta(days=13, hours=1)}, "ends in 13 days and was not renewed"),
        ({"refresh_expires_at": timedelta(days=-1)}, "has ended"),
        ({"problem": "refused:-14014"}, "refused to renew its token (refused:-14014)"),
        ({"refresh_token": Cipher("x" * 32).encrypt("refresh")}, "encrypted with another SECRET_KEY"),
    ],
)
async def test_each_trouble_of_tokens_is_named(
    neighbours: Neighbours, columns: dict[str, Any], words: str
) -> None:
    given = {
        name: utc_now() + value if isinstance(value, timedelta) else value for name, value in columns.items()
    }
    await token(neighbours.settings, **given)
    sentence = await problem(neighbours)
    assert words in sentence
    assert "run: uv run python -m gateway zalo-token" in sentence


async def test_a_missing_token_is_wrong_unless_the_environment_brings_one(neighbours: Neighbours) -> None:
    await change(neighbours.settings, lambda session: session.execute(ChannelToken.__table__.delete()))
    assert (await problem(neighbours)).startswith("There is no Zalo token yet")
    assert neighbours.settings.zalo is not None
    neighbours.settings = replace(
        neighbours.settings, zalo=replace(neighbours.settings.zalo, refresh_token="first")
    )
    assert problems(await examine(neighbours.settings)) == []


async def test_a_wrong_clock_is_noticed(neighbours: Neighbours) -> None:
    neighbours.date = "Sun, 01 Nov 2026 00:00:00 GMT"
    found = problems(await examine(neighbours.settings))
    assert len(found) == 2 and all("turn on NTP" in sentence for sentence in found)


async def test_a_platform_that_cannot_be_reached_is_named(neighbours: Neighbours) -> None:
    assert neighbours.settings.zalo is not None
    away = replace(neighbours.settings.zalo, api_url="http://127.0.0.1:1")
    neighbours.settings = replace(neighbours.settings, zalo=away)
    assert (await problem(neighbours)).startswith("Zalo cannot be reached at http://127.0.0.1:1")


async def test_a_refused_page_token_is_named_by_its_error(neighbours: Neighbours) -> None:
    neighbours.page_error = {"code": 190, "message": "expired"}
    assert "(error 190)" in await problem(neighbours)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "other secrets"), (502, "answers 502"), (404, "answers 404")]
)
async def test_a_webhook_that_refuses_is_named(neighbours: Neighbours, status: int, words: str) -> None:
    neighbours.webhook = status
    found = problems(await examine(neighbours.settings))
    assert len(found) == 2 and all(words in sentence for sentence in found)


async def test_a_slow_webhook_is_named(neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_WEBHOOK_SECONDS", 0)
    found = problems(await examine(neighbours.settings))
    assert len(found) == 2 and all("give up after 2 s" in sentence for sentence in found)


async def test_a_proxy_that_forwards_too_much_or_nothing_is_named(neighbours: Neighbours) -> None:
    neighbours.evaluation = 400
    assert "/evaluation is open to the internet" in await problem(neighbours)
    neighbours.settings = replace(neighbours.settings, public_url="http://127.0.0.1:1")
    found = problems(await examine(neighbours.settings))
    assert len(found) == 3 and all("cannot be reached from here" in sentence for sentence in found)


async def test_a_held_account_is_named_with_the_platforms_reason(neighbours: Neighbours) -> None:
    await change(
        neighbours.settings,
        lambda session: repository.hold_account(
            session,
            ZALO,
            "oa-1",
            now=utc_now(),
            until=None,
            problem="Zalo OA đã hết lượt gửi tin.",
            needs_administrator=True,
        ),
    )
    assert "Zalo OA đã hết lượt gửi tin." in await problem(neighbours)
    await change(
        neighbours.settings,
        lambda session: session.execute(update(ChannelAccount).values(needs_administrator=False)),
    )
    assert problems(await examine(neighbours.settings)) == []


def test_the_exit_code_is_1_when_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("RASA_PORT", "ACTIONS_PORT", "GATEWAY_PORT"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "WRONG  Rasa does not answer" in printed
    assert "to put right." in printed


def test_the_exit_code_is_0_when_nothing_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fine(_settings: Settings) -> list[Finding]:
        return [Finding("ok", "All is well."), Finding("note", "It rains.")]

    monkeypatch.setattr(module, "examine", fine)
    assert main(["doctor"]) == 0
    assert "Everything is in order." in capsys.readouterr().out
