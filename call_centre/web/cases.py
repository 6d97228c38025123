"""The queue and one case: what agents read, and the buttons they press."""

from __future__ import annotations

from aiohttp import web

from call_centre import repository
from call_centre.repository import CaseFilter
from call_centre.texts import names, say
from call_centre.web.context import CASES, OFFICE, SESSIONS, field, redirect, visible_case, who
from call_centre.web.pages import page
from call_centre.working_hours import OFFICE_TIME, holidays_missing_for


async def show_queue(request: web.Request) -> web.Response:
    """A list of cases."""
    agent = who(request).agent
    view = request.query.get("view", "waiting")
    if view not in names("views"):
        raise web.HTTPNotFound
    wanted = CaseFilter(view)
    async with request.app[SESSIONS]() as session:
        try:
            shown = await repository.list_cases(session, wanted, agent, request.query.get("after"))
        except ValueError as error:
            raise web.HTTPBadRequest from error
        counts = {
            name: await repository.count_cases(session, CaseFilter(name), agent)
            for name in ("waiting", "mine")
        }
        values = {
            "view": view,
            "shown": shown,
            "counts": counts,
            "unread": await repository.count_unread(session, agent),
            "agent_names": await repository.agent_names(session),
            "holidays_missing": holidays_missing_for(
                request.app[OFFICE], request.app[CASES].clock().astimezone(OFFICE_TIME).date()
            ),
        }
    return page(request, "queue.html", values)


async def show_case(request: web.Request) -> web.Response:
    """One case with its transcript."""
    agent = who(request).agent
    cases = request.app[CASES]
    async with request.app[SESSIONS].begin() as session:
        case = await visible_case(request, session)
        if await repository.mark_read(session, case.id, agent.id):
            await session.refresh(case)
        drafts = {draft.agent_id: draft for draft in await repository.drafts_of(session, case.id)}
        values = {
            "case": case,
            "conversation": await cases.conversations.view(session, case.conversation_id),
            "transcript": await cases.conversations.transcript(session, case.conversation_id),
            "notes": await repository.notes_of(session, case.id),
            "events": await repository.events_of(session, case.id),
            "draft": drafts.get(agent.id),
            "agent_names": await repository.agent_names(session),
            "unread": await repository.count_unread(session, agent),
            "counts": {},
        }
    return page(request, "case.html", values)


async def claim(request: web.Request) -> web.Response:
    """Take the case."""
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].claim(session, case_id, who(request).agent.id)
    redirect(request, "case", case_id=str(case_id))


async def answer(request: web.Request) -> web.Response:
    """Send the citizen an answer; kept as a draft, and said so, when the claim was lost."""
    text = await field(request, "text")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        reply = await request.app[CASES].answer(session, case_id, who(request).agent.id, text)
    if not reply.sent:
        problem = say("problems", "reply_kept", holder=reply.holder)
        return page(request, "problem.html", {"problem": problem}, 409)
    redirect(request, "case", case_id=str(case_id))


async def close(request: web.Request) -> web.Response:
    """Close the case."""
    outcome = await field(request, "outcome")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].close(session, case_id, who(request).agent.id, outcome)
    redirect(request, "queue")


async def release(request: web.Request) -> web.Response:
    """Put the case back into the queue."""
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].release(session, case_id, who(request).agent.id)
    redirect(request, "queue")


async def note(request: web.Request) -> web.Response:
    """Leave a note for colleagues."""
    text = await field(request, "text")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].note(session, case_id, who(request).agent.id, text)
    redirect(request, "case", case_id=str(case_id))
