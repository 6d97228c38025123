"""`python -m gateway zalo-token`: gets the first tokens of an Official Account from its administrator."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import aiohttp

from gateway.channels.zalo_tokens import (
    Cipher,
    Pair,
    TokenLater,
    TokenRefused,
    ZaloTokens,
    new_verifier,
    permission_url,
)
from gateway.database import Database
from gateway.settings import Settings, SettingsError, ZaloSettings, read_secret_key

STEPS = """1. As an administrator of the Official Account, open this address and allow the application:

   {url}

2. The browser comes back to an address that contains code=...; within ten minutes run:

   uv run python -m gateway zalo-token --code CODE
"""


def permit(settings: Settings, code: str | None, redirect: str | None) -> int:
    """Print the address to open; with a code, get and save the tokens. Raises SettingsError."""
    if settings.zalo is None:
        raise SettingsError("Zalo is not configured; set ZALO_OA_ID and the other names in .env.example")
    kept = settings.data_dir / "zalo_verifier"
    if code is None:
        back = redirect or settings.public_url
        if back is None:
            raise SettingsError("give --redirect URL, the callback entered at Zalo, or set PUBLIC_URL")
        print(STEPS.format(url=permission_url(settings.zalo, back, _remember_verifier(kept), "assistant")))
        return 0
    if not kept.exists():
        raise SettingsError("run zalo-token without --code first, and use the code it leads to")
    try:
        pair = asyncio.run(_exchange(settings, settings.zalo, code, kept.read_text()))
    except TokenRefused as error:
        raise SettingsError(
            f"Zalo gave no token (error {error.code}): the code is older than ten minutes or was used, or "
            "ZALO_APP_ID and ZALO_APP_SECRET are not this application's"
        ) from error
    except (aiohttp.ClientError, TimeoutError, TokenLater) as error:
        raise SettingsError(f"it did not work this time ({type(error).__name__}); begin again") from error
    kept.unlink()
    print(f"Saved. The refresh token can be used until {pair.refresh_expires_at:%Y-%m-%d}.")
    return 0


def _remember_verifier(path: Path) -> str:
    """A new verifier, kept for the second step where only this user reads it."""
    verifier = new_verifier()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(verifier)
    return verifier


async def _exchange(settings: Settings, zalo: ZaloSettings, code: str, verifier: str) -> Pair:
    database = Database(settings.database_url)
    try:
        async with aiohttp.ClientSession() as http:
            tokens = ZaloTokens(
                database=database, http=http, zalo=zalo, cipher=Cipher(read_secret_key(settings))
            )
            return await tokens.exchange(code, verifier)
    finally:
        await database.close()
