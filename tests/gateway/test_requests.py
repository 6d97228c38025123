"""Whose word on the client's address is taken."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from gateway.requests import believing, log_request
from gateway.settings import Network, SettingsError, read_settings

HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "proto", "seen"),
    [
        (HERE, "203.0.113.7", "https", ("203.0.113.7", True)),
        (HERE, "198.51.100.9, 203.0.113.7", "http", ("203.0.113.7", False)),  # the client made up the first
        (HERE, "203.0.113.7, 10.1.2.3", "https", ("203.0.113.7", True)),  # two proxies
        (HERE, "", "", ("127.0.0.1", False)),
        ((), "203.0.113.7", "https", ("127.0.0.1", False)),
    ],
)
async def test_only_trusted_proxies_are_believed(
    aiohttp_client: Callable[..., Awaitable[TestClient]],  # type: ignore[type-arg]
    proxies: tuple[Network, ...],
    forwarded: str,
    proto: str,
    seen: tuple[str, bool],
) -> None:
    async def show(request: web.Request) -> web.Response:
        return web.json_response([request.remote, request.secure])

    app = web.Application(middlewares=[log_request, believing(proxies)])
    inner = web.Application()
    inner.router.add_get("/", show)
    app.add_subapp("/console", inner)
    client = await aiohttp_client(app)
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": proto} if forwarded else {}
    async with client.get("/console/", headers=headers) as response:
        assert tuple(await response.json()) == seen


def test_trusted_proxies_are_read_from_the_environment() -> None:
    assert read_settings({"TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.0/8"}).trusted_proxies == HERE
    assert read_settings({}).trusted_proxies == ()
    with pytest.raises(SettingsError, match="TRUSTED_PROXIES"):
        read_settings({"TRUSTED_PROXIES": "nginx"})
