"""Logging in and out, one's own password, second factor and sessions."""

from __future__ import annotations

import hmac
import secrets

import pyotp
import segno
from aiohttp import web

from call_centre import repository
from call_centre.model import CodeWrong, FormExpired, InvalidInput, LoginFailed, LoginLocked
from call_centre.web.context import (
    ACCOUNTS,
    OFFICE,
    READERS,
    SESSION_COOKIE,
    SIGNED_IN,
    field,
    number,
    redirect,
    url,
    who,
)
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


async def show_code(request: web.Request) -> web.Response:
    """The form for the telephone's code."""
    return page(request, "code.html", {"problem": ""})


async def give_code(request: web.Request) -> web.Response:
    """Complete the login."""
    try:
        await request.app[ACCOUNTS].give_code(who(request), await field(request, "code"))
    except (CodeWrong, LoginLocked) as error:
        return page(request, "code.html", {"problem": sentence(error)}, error.status)
    redirect(request, "queue")


async def show_second_factor(request: web.Request) -> web.Response:
    """The secret to put into the telephone."""
    return _second_factor_form(request)


def _second_factor_form(request: web.Request, problem: str = "", status: int = 200) -> web.Response:
    agent = who(request).agent
    secret, sealed = request.app[ACCOUNTS].new_secret()
    address = pyotp.TOTP(secret).provisioning_uri(
        name=agent.username, issuer_name=request.app[OFFICE].short_name
    )
    values = {
        "sealed": sealed,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": segno.make(address).svg_data_uri(border=2),
        "problem": problem,
    }
    return page(request, "second_factor.html", values, status)


async def turn_on_second_factor(request: web.Request) -> web.Response:
    """Keep the secret once a code proves that the telephone has it."""
    try:
        codes = await request.app[ACCOUNTS].turn_on_second_factor(
            who(request), await field(request, "sealed"), await field(request, "code")
        )
    except InvalidInput as error:
        return _second_factor_form(request, sentence(error), error.status)
    return page(request, "recovery.html", {"codes": codes})


async def make_recovery_codes(request: web.Request) -> web.Response:
    """Show new recovery codes, once; whoever asks has given a second factor in this session."""
    signed_in = who(request)
    if not signed_in.second_factor:
        redirect(request, "second_factor")
    codes = await request.app[ACCOUNTS].new_recovery_codes(signed_in)
    return page(request, "recovery.html", {"codes": codes})


async def show_account(request: web.Request) -> web.Response:
    """One's own sessions and second factor."""
    signed_in, accounts = who(request), request.app[ACCOUNTS]
    async with request.app[READERS]() as session:
        values = {
            "sessions": await repository.live_sessions(session, signed_in.agent.id, accounts.clock()),
            "this_session": signed_in.session_id,
            "codes_left": len(await repository.recovery_codes(session, signed_in.agent.id)),
        }
    return page(request, "account.html", values)


async def end_session(request: web.Request) -> web.Response:
    """End another of one's own sessions."""
    signed_in = who(request)
    session_id = number(await field(request, "session"))
    await request.app[ACCOUNTS].revoke(signed_in, signed_in.agent.id, session_id or 0)
    redirect(request, "account")
