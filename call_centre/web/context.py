"""What every handler needs: the services, who asks, forms and redirects."""

from __future__ import annotations

from typing import NoReturn

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre.accounts import AccountService, SignedIn
from call_centre.live import LiveFeed
from call_centre.model import NotAllowed, Role
from call_centre.services import CaseService
from call_centre.tables import Agent, Case
from knowledge_base.office import Office

CASES = web.AppKey("CASES", CaseService)
ACCOUNTS = web.AppKey("ACCOUNTS", AccountService)
SESSIONS = web.AppKey("SESSIONS", async_sessionmaker[AsyncSession])
READERS = web.AppKey("READERS", async_sessionmaker[AsyncSession])
OFFICE = web.AppKey("OFFICE", Office)
FEED = web.AppKey("FEED", LiveFeed)

SIGNED_IN = web.RequestKey("SIGNED_IN", SignedIn)
SESSION_COOKIE = "console_session"


def who(request: web.Request) -> SignedIn:
    """The agent behind the request; the middleware lets nobody else through."""
    return request[SIGNED_IN]


def url(request: web.Request, name: str, **parts: str) -> str:
    """The address of a page, below wherever the console is mounted."""
    return str(request.app.router[name].url_for(**parts))


def redirect(request: web.Request, name: str, fragment: str = "", **parts: str) -> NoReturn:
    """Send the browser to another page after a form."""
    raise web.HTTPSeeOther(url(request, name, **parts) + (f"#{fragment}" if fragment else ""))


def number(text: str) -> int | None:
    """A whole number of an address or form; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None


def is_supervisor(agent: Agent) -> bool:
    """Whether the role may see everybody's work."""
    return agent.role in (Role.SUPERVISOR, Role.ADMINISTRATOR)


async def field(request: web.Request, name: str) -> str:
    """A text field of the submitted form, empty when it is missing."""
    value = (await request.post()).get(name, "")
    return value if isinstance(value, str) else ""


async def visible_case(request: web.Request, session: AsyncSession) -> Case:
    """The case in the address, if the agent may see it. Raises CaseNotFound."""
    case_id = int(request.match_info["case_id"])
    return await request.app[CASES].seen_by(session, case_id, who(request).agent)


def supervising(request: web.Request, *roles: Role) -> SignedIn:
    """The signed-in supervisor or administrator, who has given a second factor.

    Without one the browser is sent to set it up. Raises NotAllowed for other roles.
    """
    signed_in = who(request)
    if signed_in.agent.role not in (roles or (Role.SUPERVISOR, Role.ADMINISTRATOR)):
        raise NotAllowed()
    if not signed_in.second_factor:
        redirect(request, "second_factor")
    return signed_in
