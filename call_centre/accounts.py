"""Who may use the console: passwords, lock-out and server-side sessions."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre import repository
from call_centre.model import InvalidInput, LoginFailed, LoginLocked, Role
from call_centre.tables import Agent, AgentSession
from call_centre.working_hours import utc_now

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=15)
IDLE_FOR = timedelta(hours=1)
LASTS_FOR = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
PASSWORD_MINIMUM = 12  # characters
PASSWORD_MAXIMUM = 128

log = structlog.get_logger(__name__)
_hasher = PasswordHasher()  # argon2id with the library's current parameters
# Verified when nobody has the typed name, so that a wrong name takes as long as a wrong password.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True)
class SignedIn:
    """The agent behind a request and the browser session it came with."""

    agent: Agent
    session_id: int
    csrf_token: str


async def hash_password(password: str) -> str:
    """argon2id hash; hashing takes a while, so it happens beside the event loop."""
    return await asyncio.to_thread(_hasher.hash, unicodedata.normalize("NFC", password))


async def _matches(password_hash: str, password: str) -> bool:
    try:
        return await asyncio.to_thread(_hasher.verify, password_hash, unicodedata.normalize("NFC", password))
    except VerifyMismatchError:
        return False


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_agent(username: str, display_name: str, role: Role, password_hash: str, at: datetime) -> Agent:
    """An account whose password must be changed at the first login."""
    return Agent(
        id=secrets.token_hex(16),
        username=username,
        display_name=display_name,
        role=role,
        password_hash=password_hash,
        created_at=at,
    )


class AccountService:
    """Logs agents in and out; each method is its own transaction."""

    def __init__(
        self,
        session_factory: async_sessionmaker[AsyncSession],
        secret_key: str,
        first_password_file: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.session_factory = session_factory
        self.first_password_file = first_password_file
        self.clock = clock
        self._form_key = hashlib.sha256(b"console form token:" + secret_key.encode()).digest()

    def form_token(self, nonce: str) -> str:
        """The token of a form shown before anybody is logged in, bound to a cookie's nonce."""
        return hmac.new(self._form_key, nonce.encode(), hashlib.sha256).hexdigest()

    async def log_in(self, username: str, password: str, address: str, user_agent: str) -> str:
        """The new session's token. Raises LoginFailed, LoginLocked.

        The failure is counted before the password is looked at, so that guesses sent at once count too.
        """
        username = unicodedata.normalize("NFC", username).strip().lower()[:64]
        now = self.clock()
        async with self.session_factory.begin() as session:
            failures, locked_until = await repository.count_login_failure(
                session, username, now, allowed=FAILURES_ALLOWED, locked_for=LOCKED_FOR
            )
            agent = await repository.agent_named(session, username)
        if locked_until is not None and failures > FAILURES_ALLOWED:
            raise LoginLocked(locked_until)
        known = agent is not None and agent.active
        password_hash = agent.password_hash if agent is not None and known else _NOBODY
        if not await _matches(password_hash, password[: PASSWORD_MAXIMUM + 1]) or agent is None or not known:
            log.warning("console_login_failed", agent_id=agent.id if agent else None, failures=failures)
            if locked_until is None:
                raise LoginFailed()
            async with self.session_factory.begin() as session:
                repository.append_event(
                    session, None, now, "login_locked", agent.id if agent else None, address=address
                )
            raise LoginLocked(locked_until)
        token = secrets.token_urlsafe(32)
        async with self.session_factory.begin() as session:
            await repository.clear_throttle(session, username)
            session.add(
                AgentSession(
                    token_hash=_token_hash(token),
                    agent_id=agent.id,
                    csrf_token=secrets.token_urlsafe(32),
                    created_at=now,
                    seen_at=now,
                    expires_at=now + LASTS_FOR,
                    address=address,
                    user_agent=user_agent[:255],
                )
            )
            await repository.update_agent(session, agent.id, last_login_at=now)
            repository.append_event(session, None, now, "logged_in", agent.id, address=address)
        return token

    async def signed_in(self, token: str, touch: bool = True) -> SignedIn | None:
        """Who a session cookie belongs to; None when it is unknown, ended, idle too long or switched off.

        `touch=False` looks without counting as use: an open page that only listens does not stay logged in.
        """
        now = self.clock()
        async with self.session_factory.begin() as session:
            found = await repository.session_by_hash(session, _token_hash(token))
            if found is None:
                return None
            browser, agent = found
            ended = browser.revoked_at is not None or browser.expires_at <= now
            if ended or browser.seen_at + IDLE_FOR <= now or not agent.active:
                return None
            if touch and browser.seen_at + TOUCH_EVERY <= now:
                await repository.touch_session(session, browser.id, now)
            return SignedIn(agent, browser.id, browser.csrf_token)

    async def log_out(self, signed_in: SignedIn) -> None:
        """End one browser session."""
        now = self.clock()
        async with self.session_factory.begin() as session:
            await repository.revoke_session(session, signed_in.session_id, now)
            repository.append_event(session, None, now, "logged_out", signed_in.agent.id)

    async def change_password(self, signed_in: SignedIn, current: str, new: str, repeated: str) -> None:
        """Set a new password and end the agent's other sessions. Raises InvalidInput."""
        agent = signed_in.agent
        if not await _matches(agent.password_hash, current):
            raise InvalidInput("password_wrong")
        if len(new) < PASSWORD_MINIMUM:
            raise InvalidInput("password_short", minimum=PASSWORD_MINIMUM)
        if len(new) > PASSWORD_MAXIMUM:
            raise InvalidInput("password_long", maximum=PASSWORD_MAXIMUM)
        if new in (current, agent.username):
            raise InvalidInput("password_same")
        if new != repeated:
            raise InvalidInput("password_mismatch")
        password_hash = await hash_password(new)
        now = self.clock()
        async with self.session_factory.begin() as session:
            await repository.update_agent(
                session, agent.id, password_hash=password_hash, must_change_password=False
            )
            await repository.revoke_agent_sessions(session, agent.id, now, keep=signed_in.session_id)
            repository.append_event(session, None, now, "password_changed", agent.id)
        if self.first_password_file is not None and agent.role == Role.ADMINISTRATOR:
            self.first_password_file.unlink(missing_ok=True)
