"""Logging in and out, and changing one's password."""

from __future__ import annotations

import hmac
import secrets

from aiohttp import web

from call_centre.model import FormExpired, InvalidInput, LoginFailed, LoginLocked
from call_centre.web.context import ACCOUNTS, SESSION_COOKIE, SIGNED_IN, field, redirect, url, who
from call_centre.web.middleware import sentence
from call_centre.web.pages import page

LOGIN_COOKIE = "console_login"


def _set_cookie(request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, path=url(request, "queue"), httponly=True, samesite="Lax", secure=request.secure
    )


def _form(request: web.Request, username: str = "", problem: str = "", status: int = 200) -> web.Response:
    nonce = request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(16)
    values = {"username": username, "problem": problem, "token": request.app[ACCOUNTS].form_token(nonce)}
    response = page(request, "login.html", {**values, "next": request.query.get("next", "")}, status)
    _set_cookie(request, response, LOGIN_COOKIE, nonce)
    return response


async def show(request: web.Request) -> web.Response:
    """The login form."""
    if SIGNED_IN in request:
        redirect(request, "queue")
    return _form(request)


async def log_in(request: web.Request) -> web.Response:
    """Start a session; a new one each time, whatever cookie the browser came with."""
    accounts = request.app[ACCOUNTS]
    expected = accounts.form_token(request.cookies.get(LOGIN_COOKIE, ""))
    if not hmac.compare_digest((await field(request, "csrf")).encode(), expected.encode()):
        raise FormExpired()
    username = await field(request, "username")
    try:
        token = await accounts.log_in(
            username,
            await field(request, "password"),
            request.remote or "",
            request.headers.get("User-Agent", ""),
        )
    except (LoginFailed, LoginLocked) as error:
        return _form(request, username, sentence(error), error.status)
    target = request.query.get("next", "")
    home = url(request, "queue")
    # Only an address of the console itself: no other site, no "//host".
    inside = target.startswith(home) and not target.startswith("//") and "\\" not in target
    response = web.HTTPSeeOther(target if inside else home)
    _set_cookie(request, response, SESSION_COOKIE, token)
    response.del_cookie(LOGIN_COOKIE, path=home)
    raise response


async def log_out(request: web.Request) -> web.Response:
    """End this browser's session."""
    await request.app[ACCOUNTS].log_out(who(request))
    response = web.HTTPSeeOther(url(request, "login"))
    response.del_cookie(SESSION_COOKIE, path=url(request, "queue"))
    raise response


async def show_password(request: web.Request) -> web.Response:
    """The form to change one's password."""
    return page(request, "password.html", {"problem": ""})


async def change_password(request: web.Request) -> web.Response:
    """Set a new password."""
    try:
        await request.app[ACCOUNTS].change_password(
            who(request),
            await field(request, "current"),
            await field(request, "new"),
            await field(request, "repeated"),
        )
    except InvalidInput as error:
        return page(request, "password.html", {"problem": sentence(error)}, error.status)
    redirect(request, "queue")
