"""What every request passes through: its id, its log line, headers, and strict JSON bodies."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.settings import Network

REQUEST = web.RequestKey("request_id", str)
GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

log = structlog.get_logger(__name__)


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, which every line logged for it carries, and log how it ended."""
    given = request.headers.get("X-Request-ID", "")
    request_id = given if GIVEN_ID.fullmatch(given) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    request[REQUEST] = request_id
    started = time.monotonic()
    status = 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    except Exception:
        log.exception("request_failed", method=request.method, path=request.path)
        return web.json_response({"message": "Internal Server Error"}, status=500)
    finally:
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=status,
            duration_ms=round((time.monotonic() - started) * 1000),
        )


def believing(proxies: Sequence[Network]) -> Middleware:
    """A middleware that takes the client's address and HTTPS from `proxies`, and from nobody else.

    The client is the last address of X-Forwarded-For that is not itself such a proxy: whatever a client
    writes there stands before it.
    """

    def trusted(address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in proxies)

    @web.middleware
    async def real_client(request: web.Request, handler: Handler) -> web.StreamResponse:
        client = request.remote or ""
        if trusted(client):
            forwarded = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
            while trusted(client) and forwarded:
                client = forwarded.pop().strip() or client
            https = request.headers.get("X-Forwarded-Proto") == "https"
            request = request.clone(remote=client, scheme="https" if https else request.scheme)
        return await handler(request)

    return real_client


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Strict headers wherever a handler has not set its own."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request.get(REQUEST, "")


async def read_json_object(request: web.Request, limit: int) -> dict[str, Any]:
    """The request's JSON object of at most `limit` bytes.

    Raises HTTPUnsupportedMediaType (a form of another site cannot send JSON unasked),
    HTTPRequestEntityTooLarge, HTTPBadRequest.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(body))
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise web.HTTPBadRequest(text="the body is not JSON") from error
    if not isinstance(parsed, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return parsed
