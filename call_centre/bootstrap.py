"""The first administrator of an empty console, with a one-time password."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre import repository
from call_centre.accounts import hash_password, new_agent
from call_centre.model import Role
from call_centre.working_hours import utc_now

FIRST_USERNAME = "quantri"
FIRST_PASSWORD_FILE = "first-password.txt"


async def ensure_first_agent(
    session_factory: async_sessionmaker[AsyncSession], data_dir: Path
) -> Path | None:
    """Where the first administrator's one-time password stands; None once it has been changed.

    On an empty agent table the administrator is made. A password file that was lost before anybody used
    it is written anew.
    """
    path = data_dir / FIRST_PASSWORD_FILE
    async with session_factory.begin() as session:
        administrator = await repository.agent_named(session, FIRST_USERNAME)
        if administrator is None:
            unused = not await repository.agents(session)
        else:
            never_used = administrator.last_login_at is None
            unused = administrator.must_change_password and (never_used or path.exists())
        if not unused:
            path.unlink(missing_ok=True)
            return None
        if administrator is not None and path.exists():
            return path
        password = secrets.token_urlsafe(12)
        password_hash = await hash_password(password)
        if administrator is None:
            session.add(new_agent(FIRST_USERNAME, "Quản trị", Role.ADMINISTRATOR, password_hash, utc_now()))
        else:
            await repository.update_agent(session, administrator.id, password_hash=password_hash)
        await session.flush()
        _write_private(path, f"{password}\n")
    return path


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
