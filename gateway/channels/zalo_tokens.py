"""Zalo's access tokens: renewed in time by one process at a time, saved before use, encrypted at rest."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import structlog
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.exc import SQLAlchemyError

from gateway import repository
from gateway.channels.rules import ZALO
from gateway.database import Database, utc_now
from gateway.settings import ZaloSettings
from gateway.tables import ChannelToken

TIMEOUT_SECONDS = 10
LEASE = timedelta(seconds=60)  # longer than a renewal can take
PAUSE = timedelta(seconds=30)  # after a renewal that got no answer
LONG_PAUSE = timedelta(minutes=10)  # after one that Zalo refused
REFRESH_TOKEN_LASTS = timedelta(days=90)
WARN_BEFORE = timedelta(days=14)
RENEW_AT = 4  # renewed when one part in so many of its life is left

log = structlog.get_logger(__name__)


class NoToken(Exception):
    """There is no usable token, and only an administrator can get one; `problem` says why."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class TokenLater(Exception):
    """There will probably be a token soon."""


@dataclass(frozen=True)
class Pair:
    """An access token, and the token that renews it once."""

    access: str
    refresh: str
    obtained_at: datetime
    access_expires_at: datetime
    refresh_expires_at: datetime

    def stale_at(self, now: datetime) -> bool:
        """Whether it is time to renew."""
        life = self.access_expires_at - self.obtained_at
        return now >= self.access_expires_at - life / RENEW_AT


class Cipher:
    """Encrypts tokens with a key derived from SECRET_KEY."""

    def __init__(self, secret_key: str) -> None:
        digest = hashlib.sha256(b"zalo tokens:" + secret_key.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        """Raises NoToken when it was encrypted with another SECRET_KEY."""
        try:
            return self._fernet.decrypt(text.encode()).decode()
        except InvalidToken as error:
            raise NoToken("unreadable") from error


class TokenRefused(Exception):
    """Zalo answered, and gave no token; `code` is its error number."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Zalo's error {code}")
        self.code = code


class ZaloTokens:
    """The pair of one Official Account, kept in the database so that every process uses the same."""

    def __init__(
        self,
        *,
        database: Database,
        http: aiohttp.ClientSession,
        zalo: ZaloSettings,
        cipher: Cipher,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._http = http
        self._zalo = zalo
        self._cipher = cipher
        self._clock = clock
        self._unsaved: Pair | None = None
        self._asking: set[asyncio.Task[str]] = set()

    async def finish(self) -> None:
        """Wait until no renewal is under way."""
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def access_token(self, refused: str | None = None) -> str:
        """A token that should work; `refused` is one that Zalo has just refused.

        Raises NoToken, TokenLater.
        """
        if self._unsaved is not None:
            await self._save(self._unsaved)
        async with self._database.readers() as session:
            row = await repository.channel_token(session, ZALO, self._zalo.oa_id)
        if row is None:
            raise NoToken("missing")
        pair = self._pair(row)
        if pair.access != refused and not pair.stale_at(self._clock()):
            return pair.access
        return await self._renew(refused)

    async def import_first(self, refresh_token: str) -> bool:
        """Take over a refresh token from the environment, once; whether it was new.

        The same value found at the next start was used up long ago, so it is remembered and left alone.
        """
        digest = hashlib.sha256(refresh_token.encode()).hexdigest()
        now = self._clock()
        async with self._database.sessions.begin() as session:
            row = await repository.channel_token(session, ZALO, self._zalo.oa_id, lock=True)
            if row is not None and row.imported == digest:
                return False
            pair = Pair("", refresh_token, now, now, now + REFRESH_TOKEN_LASTS)
            columns = {**self._columns(pair), "imported": digest}
            if row is None:
                return await repository.insert_channel_token(session, ZALO, self._zalo.oa_id, columns)
            await repository.save_channel_token(session, ZALO, self._zalo.oa_id, columns)
        return True

    async def time_left(self) -> timedelta:
        """How long the refresh token can still be used. Raises NoToken."""
        async with self._database.readers() as session:
            row = await repository.channel_token(session, ZALO, self._zalo.oa_id)
        if row is None:
            raise NoToken("missing")
        return row.refresh_expires_at - self._clock()

    async def exchange(self, code: str, verifier: str) -> Pair:
        """Turn the code of a permission just given into the first pair. Raises TokenRefused, ClientError."""
        pair = await self._request(
            {
                "grant_type": "authorization_code",
                "code": code,
                "app_id": self._zalo.app_id,
                "code_verifier": verifier,
            }
        )
        await self._save(pair)
        return pair

    async def _renew(self, refused: str | None) -> str:
        """Renew the pair, unless another process does so now or has just done it."""
        now = self._clock()
        async with self._database.sessions.begin() as session:
            row = await repository.channel_token(session, ZALO, self._zalo.oa_id, lock=True)
            if row is None:
                raise NoToken("missing")
            pair, problem = self._pair(row), row.problem
            if pair.access != refused and not pair.stale_at(now):
                return pair.access
            busy = row.renewing_until is not None and row.renewing_until > now
            if not busy:
                # The row's lock is not kept while Zalo is asked: on SQLite nobody could write meanwhile,
                # and webhooks must be answered. The lease keeps others away just as well.
                row.renewing_until = now + LEASE
        if busy:
            return self._meanwhile(pair, refused, problem)
        # Whoever asked may be cancelled when the gateway stops; what Zalo then answers must still be saved.
        asking = asyncio.create_task(self._ask(pair, refused, problem), name="zalo renewal")
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    async def _ask(self, pair: Pair, refused: str | None, problem: str | None) -> str:
        try:
            renewed = await self._request(
                {"grant_type": "refresh_token", "refresh_token": pair.refresh, "app_id": self._zalo.app_id}
            )
        except TokenRefused as error:
            log.error("zalo_refresh_refused", code=error.code)
            problem = f"refused:{error.code}"
            await self._pause(LONG_PAUSE, problem)
            return self._meanwhile(pair, refused, problem)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("zalo_refresh_failed", error=type(error).__name__)
            await self._pause(PAUSE, problem)
            return self._meanwhile(pair, refused, problem)
        await self._save(renewed)
        log.info("zalo_token_renewed", expires_at=renewed.access_expires_at.isoformat())
        return renewed.access

    def _meanwhile(self, pair: Pair, refused: str | None, problem: str | None) -> str:
        """The present token as long as it works."""
        if pair.access and pair.access != refused and self._clock() < pair.access_expires_at:
            return pair.access
        if problem is not None:
            raise NoToken(problem)
        raise TokenLater

    async def _request(self, form: Mapping[str, str]) -> Pair:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with self._http.post(
            f"{self._zalo.oauth_url}/v4/oa/access_token",
            data=form,
            headers={"secret_key": self._zalo.app_secret},
            timeout=timeout,
        ) as response:
            if response.status >= 500:
                response.raise_for_status()
            try:
                body = await response.json(content_type=None)
            except ValueError as error:
                raise aiohttp.ClientPayloadError("not JSON") from error
        return self._parsed(body)

    def _parsed(self, body: Any) -> Pair:
        if not isinstance(body, dict):
            raise TokenRefused("none")
        access, refresh = body.get("access_token"), body.get("refresh_token")
        if not (isinstance(access, str) and isinstance(refresh, str) and access and refresh):
            raise TokenRefused(str(body.get("error", "none"))[:32])
        now = self._clock()
        return Pair(
            access,
            refresh,
            now,
            now + _seconds(body.get("expires_in"), timedelta(hours=1)),
            now + _seconds(body.get("refresh_token_expires_in"), REFRESH_TOKEN_LASTS),
        )

    async def _save(self, pair: Pair) -> None:
        """Save a new pair; nobody uses it before: the old one is spent, and this one is all there is."""
        self._unsaved = pair
        try:
            async with self._database.sessions.begin() as session:
                await repository.save_channel_token(session, ZALO, self._zalo.oa_id, self._columns(pair))
        except (SQLAlchemyError, OSError) as error:
            log.exception("zalo_token_not_saved")
            raise TokenLater from error
        self._unsaved = None

    async def _pause(self, pause: timedelta, problem: str | None) -> None:
        """Let nobody try again for a while."""
        async with self._database.sessions.begin() as session:
            row = await repository.channel_token(session, ZALO, self._zalo.oa_id, lock=True)
            if row is not None:
                row.renewing_until = self._clock() + pause
                row.problem = problem

    def _pair(self, row: ChannelToken) -> Pair:
        return Pair(
            self._cipher.decrypt(row.access_token),
            self._cipher.decrypt(row.refresh_token),
            row.updated_at,
            row.access_expires_at,
            row.refresh_expires_at,
        )

    def _columns(self, pair: Pair) -> dict[str, Any]:
        return {
            "access_token": self._cipher.encrypt(pair.access),
            "access_expires_at": pair.access_expires_at,
            "refresh_token": self._cipher.encrypt(pair.refresh),
            "refresh_expires_at": pair.refresh_expires_at,
            "updated_at": pair.obtained_at,
            "renewing_until": None,
            "problem": None,
        }


def permission_url(zalo: ZaloSettings, redirect_url: str, verifier: str, state: str) -> str:
    """Where an administrator of the Official Account allows the application to speak for it."""
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    query = {
        "app_id": zalo.app_id,
        "redirect_uri": redirect_url,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": state,
    }
    return f"{zalo.oauth_url}/v4/oa/permission?{urlencode(query)}"


def new_verifier() -> str:
    """A PKCE code verifier: 43 characters nobody can guess."""
    return secrets.token_urlsafe(32)


def _seconds(value: object, default: timedelta) -> timedelta:
    """A life time, which Zalo writes as a number or as text."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return timedelta(seconds=int(text)) if text.isascii() and text.isdecimal() and text != "0" else default
