"""What happens around every request: security headers, errors in words, who asks, form tokens."""

from __future__ import annotations

import hmac

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from call_centre.accounts import SignedIn
from call_centre.model import CallCentreError, CaseNotFound, FormExpired, LoginLocked, NotAllowed
from call_centre.texts import say
from call_centre.web.context import ACCOUNTS, SESSION_COOKIE, SIGNED_IN, redirect, url, who
from call_centre.web.pages import local_time, page

log = structlog.get_logger(__name__)

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STATUS_PROBLEMS = {404: "page_not_found", 405: "method_not_allowed", 413: "too_large"}
REFUSALS = (CaseNotFound, NotAllowed, FormExpired)  # what somebody tried without the right to
PUBLIC = frozenset({"login", "log_in", "static"})
BEFORE_CODE = frozenset({"code", "give_code", "logout", "static"})
BEFORE_PASSWORD_CHANGE = frozenset({"password", "change_password", *BEFORE_CODE})


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Headers of every answer; pages are never kept by caches."""
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if route_name(request) != "static":
        response.headers["Cache-Control"] = "no-store"


def route_name(request: web.Request) -> str | None:
    """The name of the URL in routes.py."""
    return request.match_info.route.name


def sentence(error: CallCentreError) -> str:
    """The problem in words."""
    details = dict(error.details)
    if isinstance(error, LoginLocked):
        details["until"] = local_time(error.until)
    return say("problems", error.problem, **details)


def problem(request: web.Request, status: int, text: str) -> web.Response:
    """The answer to a request that failed: JSON for scripts, a page for people."""
    if "application/json" in request.headers.get("Accept", ""):
        return web.json_response({"problem": text}, status=status)
    return page(request, "problem.html", {"problem": text}, status=status)


@web.middleware
async def errors_in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Maps errors to status codes and Vietnamese sentences."""
    try:
        return await handler(request)
    except CallCentreError as error:
        if isinstance(error, REFUSALS):
            signed_in = request.get(SIGNED_IN)
            log.warning(
                "console_refused",
                problem=error.problem,
                route=route_name(request),
                agent_id=signed_in.agent.id if signed_in else None,
            )
        return problem(request, error.status, sentence(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problem(
            request, error.status, say("problems", STATUS_PROBLEMS.get(error.status, "bad_request"))
        )
    except Exception:
        log.exception("console_request_failed", route=route_name(request))
        return problem(request, 500, say("problems", "unexpected"))


@web.middleware
async def signed_in_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets agents in, asks others to log in, and has codes given and first passwords changed first."""
    name = route_name(request)
    token = request.cookies.get(SESSION_COOKIE)
    signed_in: SignedIn | None = await request.app[ACCOUNTS].signed_in(token) if token else None
    if signed_in is not None:
        request[SIGNED_IN] = signed_in
    if name in PUBLIC:
        return await handler(request)
    if signed_in is None:
        accepted = request.headers.get("Accept", "")
        from_script = "application/json" in accepted or "text/event-stream" in accepted
        if request.method == "GET" and not from_script:
            raise web.HTTPSeeOther(f"{url(request, 'login')}?next={request.rel_url.raw_path}")
        return problem(request, 401, say("problems", "session_ended"))
    if signed_in.must_give_code and name not in BEFORE_CODE:
        redirect(request, "code")
    if signed_in.agent.must_change_password and name not in BEFORE_PASSWORD_CHANGE:
        redirect(request, "password")
    return await handler(request)


@web.middleware
async def form_tokens(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a form that was not made for this browser session."""
    if request.method == "POST" and route_name(request) not in PUBLIC:
        sent = request.headers.get("X-CSRF-Token") or str((await request.post()).get("csrf", ""))
        if not hmac.compare_digest(sent.encode(), who(request).csrf_token.encode()):
            raise FormExpired()
    return await handler(request)
