"""`python -m gateway doctor`: what works and what does not, one clear sentence each."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from uuid import uuid4

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from gateway import repository
from gateway.channels import messenger, messenger_events, zalo
from gateway.channels.rules import ZALO
from gateway.channels.zalo_events import signature
from gateway.channels.zalo_tokens import WARN_BEFORE, Cipher, NoToken
from gateway.database import Database, utc_now
from gateway.schema import is_current
from gateway.settings import Settings, SettingsError, ZaloSettings, read_secret_key

TIMEOUT = aiohttp.ClientTimeout(total=10)
LITTLE_SPACE = 1 << 30  # bytes
MAX_SKEW = timedelta(minutes=2)
SLOW_WEBHOOK_SECONDS = 1.5  # Zalo gives up after 2
Level = Literal["ok", "note", "wrong"]
MARKS: Mapping[Level, str] = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


@dataclass(frozen=True)
class Finding:
    """One sentence; only `wrong` makes the exit code 1."""

    level: Level
    sentence: str

    def __str__(self) -> str:
        return f"{MARKS[self.level]}  {self.sentence}"


def ok(sentence: str) -> Finding:
    return Finding("ok", sentence)


def note(sentence: str) -> Finding:
    return Finding("note", sentence)


def wrong(sentence: str) -> Finding:
    return Finding("wrong", sentence)


async def examine(settings: Settings, clock: Callable[[], datetime] = utc_now) -> list[Finding]:
    """Every check, in the order a person would go through them; none stops the others."""
    findings = [*_configuration(settings), _disk(settings)]
    database = Database(settings.database_url)
    try:
        checked = await _database(database, settings)
        findings += checked
        usable = all(finding.level != "wrong" for finding in checked)
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http:
            checks: list[Awaitable[list[Finding]]] = [_processes(http, settings)]
            if settings.zalo is not None:
                if usable:
                    checks.append(_zalo_tokens(database, settings, settings.zalo, clock))
                checks.append(_platform_clock(http, "Zalo", settings.zalo.api_url, clock))
            if settings.messenger is not None:
                checks.append(_page_token(http, settings))
                checks.append(_platform_clock(http, "Meta", settings.messenger.api_url, clock))
            checks.append(_webhooks(http, settings))
            if usable:
                checks.append(_accounts(database))
            for found in await asyncio.gather(*checks):
                findings += found
    finally:
        await database.close()
    return findings


def _configuration(settings: Settings) -> list[Finding]:
    found = []
    try:
        read_secret_key(settings)
        found.append(ok("SECRET_KEY is there and long enough."))
    except (SettingsError, OSError) as error:
        found.append(wrong(f"The secret key cannot be used: {error}."))
    on = [name for name, given in (("Messenger", settings.messenger), ("Zalo", settings.zalo)) if given]
    if on:
        found.append(ok(f"These channels are configured besides the web chat: {', '.join(on)}."))
    else:
        found.append(
            note("Only the web chat is on: no settings of Messenger or Zalo are in the environment.")
        )
    if settings.development:
        found.append(
            note(
                "DEVELOPMENT=1 lets anybody who reaches /evaluation choose the date; leave it out in service."
            )
        )
    return found


def _disk(settings: Settings) -> Finding:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return wrong(f"The data folder {settings.data_dir} cannot be read: {error.strerror}.")
    amount = f"{free / (1 << 30):.1f} GB are free where the data folder is"
    return ok(f"{amount}.") if free >= LITTLE_SPACE else wrong(f"Only {amount}; make room soon.")


async def _database(database: Database, settings: Settings) -> list[Finding]:
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        async with asyncio.timeout(10), database.readers() as session:
            await repository.ping(session)
            current = await is_current(database.engines[-1], settings.database_url)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        return [wrong(f"The {kind} database does not answer: {type(cause).__name__}: {cause}.")]
    if not current:
        return [wrong(f"The {kind} database is not up to date; run: uv run python -m gateway migrate.")]
    return [ok(f"The {kind} database answers and is up to date.")]


async def _processes(http: aiohttp.ClientSession, settings: Settings) -> list[Finding]:
    actions = f"http://127.0.0.1:{settings.actions_port}"
    gateway = f"http://127.0.0.1:{settings.port}"
    return list(
        await asyncio.gather(
            _answers(http, "Rasa", f"{settings.rasa_url}/"),
            _answers(http, "The action server", f"{actions}/health"),
            _answers(http, "The gateway", f"{gateway}/healthz"),
        )
    )


async def _answers(http: aiohttp.ClientSession, name: str, url: str) -> Finding:
    try:
        async with http.get(url) as response:
            if response.ok:
                return ok(f"{name} answers at {url}.")
            return wrong(f"{name} answers at {url} with status {response.status}; look into its log.")
    except (aiohttp.ClientError, TimeoutError):
        return wrong(f"{name} does not answer at {url}; start the stack, or look into its log.")


# --- platforms ---------------------------------------------------------------------------------


async def _zalo_tokens(
    database: Database, settings: Settings, given: ZaloSettings, clock: Callable[[], datetime]
) -> list[Finding]:
    again = "run: uv run python -m gateway zalo-token"
    async with database.readers() as session:
        row = await repository.channel_token(session, ZALO, given.oa_id)
    if row is None:
        if given.refresh_token:
            return [note("Zalo's first refresh token will be taken from the environment at the next start.")]
        return [wrong(f"There is no Zalo token yet; {again}.")]
    found = []
    try:
        Cipher(read_secret_key(settings)).decrypt(row.refresh_token)
    except (NoToken, SettingsError):
        return [wrong(f"Zalo's tokens were encrypted with another SECRET_KEY; put it back, or {again}.")]
    if row.problem is not None:
        found.append(wrong(f"Zalo refused to renew its token ({row.problem}); {again}."))
    now = clock()
    left = row.refresh_expires_at - now
    days = max(0, left.days)
    age = _age(now - row.updated_at)
    if left <= timedelta(0):
        found.append(wrong(f"Zalo's refresh token has ended; {again}."))
    elif left < WARN_BEFORE:
        found.append(wrong(f"Zalo's refresh token ends in {days} days and was not renewed; {again}."))
    else:
        found.append(ok(f"Zalo's tokens were renewed {age} ago; the refresh token ends in {days} days."))
    if row.access_expires_at <= now and left > timedelta(0):
        found.append(
            note("Zalo's access token has ended; the running gateway renews it before the next message.")
        )
    return found


def _age(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} hours" if hours >= 2 else f"{max(0, int(span.total_seconds() // 60))} minutes"


async def _page_token(http: aiohttp.ClientSession, settings: Settings) -> list[Finding]:
    assert settings.messenger is not None
    given = settings.messenger
    url = f"{given.api_url}/{given.api_version}/{given.page_id}"
    headers = {"Authorization": f"Bearer {given.page_token}"}
    try:
        async with http.get(url, params={"fields": "id"}, headers=headers) as response:
            body = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return [note("Meta cannot be reached from here, so the page token was not checked.")]
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return [wrong(f"Meta refuses the page token (error {error.get('code')}); create a new one.")]
    return [ok("Meta accepts the page token.")]


async def _platform_clock(
    http: aiohttp.ClientSession, name: str, url: str, clock: Callable[[], datetime]
) -> list[Finding]:
    try:
        async with http.get(url) as response:
            said = parsedate_to_datetime(response.headers["Date"])
    except (aiohttp.ClientError, TimeoutError):
        return [wrong(f"{name} cannot be reached at {url}; let this machine connect to it.")]
    except (KeyError, ValueError):
        return [note(f"{name} does not say what time it is, so the clock was not compared.")]
    said = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    skew = abs(clock() - said)
    if skew > MAX_SKEW:
        return [
            wrong(f"This machine's clock is {int(skew.total_seconds())} seconds off {name}'s; turn on NTP.")
        ]
    return [ok(f"{name} can be reached and this machine's clock agrees with it.")]


async def _webhooks(http: aiohttp.ClientSession, settings: Settings) -> list[Finding]:
    if settings.zalo is None and settings.messenger is None:
        return []
    if settings.public_url is None:
        return [note("PUBLIC_URL is not set, so nobody tried whether webhooks arrive from outside.")]
    checks = [_forwarded(http, settings.public_url)]
    if settings.zalo is not None:
        body = json.dumps({"event_name": "doctor", "timestamp": "0", "id": uuid4().hex}).encode()
        digest = signature(settings.zalo.app_id, body, "0", settings.zalo.oa_secret_key)
        headers = {"X-ZEvent-Signature": f"mac={digest}"}
        checks.append(_webhook(http, "Zalo", settings.public_url + zalo.WEBHOOK, body, headers))
    if settings.messenger is not None:
        body = json.dumps({"object": "doctor", "entry": []}).encode()
        headers = {"X-Hub-Signature-256": messenger_events.signature(body, settings.messenger.app_secret)}
        checks.append(_webhook(http, "Messenger", settings.public_url + messenger.WEBHOOK, body, headers))
    return list(await asyncio.gather(*checks))


async def _webhook(
    http: aiohttp.ClientSession, name: str, url: str, body: bytes, headers: Mapping[str, str]
) -> Finding:
    """A signed call that means nothing must be accepted, and soon."""
    started = time.monotonic()
    try:
        async with http.post(
            url, data=body, headers={"Content-Type": "application/json", **headers}
        ) as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return wrong(f"{name}'s webhook {url} cannot be reached from here: {type(error).__name__}.")
    seconds = time.monotonic() - started
    if status == 200 and seconds <= SLOW_WEBHOOK_SECONDS:
        return ok(f"{name}'s webhook {url} accepts a signed call.")
    if status == 200:
        return wrong(f"{name}'s webhook {url} took {seconds:.1f} s; platforms give up after 2 s.")
    if status == 401:
        return wrong(
            f"{name}'s webhook {url} refuses our own signature: the running gateway has other secrets, "
            "or the proxy changes the body."
        )
    return wrong(f"{name}'s webhook {url} answers {status}; check the reverse proxy and the gateway's log.")


async def _forwarded(http: aiohttp.ClientSession, public_url: str) -> Finding:
    """What is meant for this machine alone must not be reachable from outside."""
    try:
        async with http.post(f"{public_url}/evaluation/ask", json={}) as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return wrong(f"{public_url} cannot be reached from here: {type(error).__name__}.")
    if status in (401, 403, 404):
        return ok("/evaluation is closed to the internet.")
    return wrong("/evaluation is open to the internet; let the reverse proxy answer 404 there.")


async def _accounts(database: Database) -> list[Finding]:
    async with database.readers() as session:
        found = await repository.accounts(session)
    return [
        (wrong if account.needs_administrator else note)(
            f"Sending on {account.channel} is held up since {account.problem_at:%Y-%m-%d %H:%M} UTC: "
            f"{account.problem}"
        )
        for account in found
        if account.problem is not None
    ]


def doctor(settings: Settings) -> int:
    """Print every finding; 1 when something is wrong."""
    findings = asyncio.run(examine(settings))
    for finding in findings:
        print(finding)
    problems = sum(finding.level == "wrong" for finding in findings)
    print("\nEverything is in order." if not problems else f"\n{problems} to put right.")
    return 1 if problems else 0
