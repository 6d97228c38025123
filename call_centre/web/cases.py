"""The queue and one case: what agents read, and the buttons they press."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from call_centre import repository, suggestions
from call_centre.model import CaseNotFound, InvalidInput, State
from call_centre.repository import CaseFilter
from call_centre.services import SCHEDULED, search_for
from call_centre.tables import Case
from call_centre.texts import names, say
from call_centre.web.context import (
    CASES,
    OFFICE,
    READERS,
    SESSIONS,
    field,
    is_supervisor,
    number,
    redirect,
    visible_case,
    who,
)
from call_centre.web.pages import page
from call_centre.working_hours import OFFICE_TIME, holidays_missing_for

TRANSCRIPT_LIMIT = 200  # lines of a case's page
SEARCH_LIMIT = 100  # characters
FILTERS = ("channel", "subject", "reason", "label", "q")
CASE_NUMBER = re.compile(r"\s*hs-?0*(\d{1,12})\s*", re.IGNORECASE)


def _wanted(request: web.Request) -> CaseFilter:
    """What the address asks for."""
    query = request.query
    view = query.get("view", "waiting")
    if view not in names("views"):
        raise web.HTTPNotFound
    search = search_for(query.get("q", "")[:SEARCH_LIMIT])
    return CaseFilter(
        view if search is None else "found",
        channel=query.get("channel") or None,
        subject=query.get("subject") or None,
        reason=query.get("reason") or None,
        label=number(query.get("label", "")),
        search=search,
    )


async def show_queue(request: web.Request) -> web.Response:
    """A list of cases, filtered; a case number typed into the search leads straight to the case."""
    agent = who(request).agent
    wanted = _wanted(request)
    named = CASE_NUMBER.fullmatch(request.query.get("q", ""))
    async with request.app[READERS]() as session:
        if named and await repository.visible_case(session, int(named[1]), agent) is not None:
            redirect(request, "case", case_id=named[1])
        try:
            shown = await repository.list_cases(session, wanted, agent, request.query.get("after") or None)
        except ValueError as error:
            raise web.HTTPBadRequest from error
        values = {
            "view": wanted.view,
            "shown": shown,
            "counts": {
                name: await repository.count_cases(session, CaseFilter(name), agent)
                for name in ("waiting", "mine")
            },
            "unread": await repository.count_unread(session, agent),
            "agent_names": await repository.agent_names(session),
            "case_labels": await repository.labels_of(session, [case.id for case in shown.cases]),
            "labels": await repository.labels(session),
            "filters": {name: request.query.get(name, "") for name in FILTERS},
            "query": urlencode([(k, v) for k, v in request.query.items() if v and k in (*FILTERS, "view")]),
            "holidays_missing": holidays_missing_for(
                request.app[OFFICE], request.app[CASES].clock().astimezone(OFFICE_TIME).date()
            ),
        }
    return page(request, "queue.html", values)


async def show_case(request: web.Request) -> web.Response:
    """One case with its transcript."""
    return await _case_page(request)


async def _case_page(
    request: web.Request, problem: str = "", status: int = 200, revealed: str = ""
) -> web.Response:
    agent = who(request).agent
    async with request.app[READERS]() as session:
        case = await visible_case(request, session)
        values = await _case_values(request, session, case)
    if case.unread and case.claimed_by == agent.id:
        async with request.app[SESSIONS].begin() as session:
            await repository.mark_read(session, case.id, agent.id)
    return page(request, "case.html", {**values, "problem": problem, "revealed": revealed}, status)


async def _case_values(request: web.Request, session: AsyncSession, case: Case) -> dict[str, Any]:
    agent, cases = who(request).agent, request.app[CASES]
    on = case.as_of or cases.clock().astimezone(OFFICE_TIME).date()
    drafts = {draft.agent_id: draft for draft in await repository.drafts_of(session, case.id)}
    extra = request.query.get("topic", "")
    others = await repository.cases_of_citizen(session, case, limit=10)
    return {
        "case": case,
        "mine": case.claimed_by == agent.id and case.state != State.CLOSED,
        "conversation": await cases.conversations.view(session, case.conversation_id),
        "lines": await cases.conversations.transcript(session, case.conversation_id, TRANSCRIPT_LIMIT),
        "transcript_limit": TRANSCRIPT_LIMIT,
        "notes": await repository.notes_of(session, case.id),
        "events": await repository.events_of(session, case.id),
        "draft": drafts.get(agent.id),
        "scheduled": await repository.scheduled_for(session, case.id),
        "typing": await cases.typing(session, case.id, agent.id),
        "labels": await repository.labels(session),
        "own_labels": (await repository.labels_of(session, [case.id])).get(case.id, []),
        "others": [other for other in others if other.id != case.id],
        "suggested": [
            suggestions.suggest(topic, on) for topic in dict.fromkeys((*case.topics, extra)) if topic
        ],
        "topics": suggestions.topic_titles(),
        "canned": suggestions.filled(
            await repository.canned_answers(session), case, agent, request.app[OFFICE]
        ),
        "agents": [other for other in await repository.agents(session) if other.active],
        "teams": await repository.teams(session),
        "agent_names": await repository.agent_names(session),
        "unread": await repository.count_unread(session, agent),
    }


async def show_timeline(request: web.Request) -> web.Response:
    """Everything one citizen and the office said on this channel, across the citizen's cases."""
    agent, conversations = who(request).agent, request.app[CASES].conversations
    async with request.app[READERS]() as session:
        case = await visible_case(request, session)
        found = await repository.cases_of_citizen(session, case)
        cases = [
            other for other in found if await repository.visible_case(session, other.id, agent) is not None
        ]
        # What the citizen asked the bot alone is there too; what another team answered stays with that team.
        talks = {case.conversation_id, *(other.conversation_id for other in cases)}
        if case.citizen_key is not None:
            with_cases = {other.conversation_id for other in found}
            everything = await conversations.of_citizen(session, case.channel, case.citizen_key)
            talks.update(talk for talk in everything if talk not in with_cases)
        lines = [line for talk in talks for line in await conversations.transcript(session, talk)]
        values = {
            "case": case,
            "cases": cases,
            "lines": sorted(lines, key=lambda line: line.at),
            "agent_names": await repository.agent_names(session),
        }
    return page(request, "timeline.html", values)


async def claim(request: web.Request) -> web.Response:
    """Take the case."""
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].claim(session, case_id, who(request).agent.id)
    redirect(request, "case", case_id=str(case_id))


async def answer(request: web.Request) -> web.Response:
    """Send the citizen an answer; kept as a draft, and said so, when the claim was lost."""
    text = await field(request, "text")
    agent_id = who(request).agent.id
    try:
        async with request.app[SESSIONS].begin() as session:
            case_id = (await visible_case(request, session)).id
            reply = await request.app[CASES].answer_soon(session, case_id, agent_id, text)
    except InvalidInput as error:
        return await _case_page(request, say("problems", error.problem, **error.details), error.status)
    if not reply.sent:
        return await _case_page(request, say("problems", "reply_kept", holder=reply.holder), 409)
    redirect(
        request, "case", case_id=str(case_id), fragment="scheduled" if reply.outbox_id == SCHEDULED else ""
    )


async def undo(request: web.Request) -> web.Response:
    """Take an answer back before it leaves."""
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        undone = await request.app[CASES].undo(session, case_id, who(request).agent.id)
    if not undone:
        return await _case_page(request, say("problems", "nothing_to_undo"), 409)
    redirect(request, "case", case_id=str(case_id), fragment="text")


async def send_now(request: web.Request) -> web.Response:
    """Send without waiting for the undo time to pass."""
    async with request.app[SESSIONS].begin() as session:
        case = await visible_case(request, session)
        if case.claimed_by == who(request).agent.id:
            await request.app[CASES].send_now(session, case.id)
    redirect(request, "case", case_id=str(case.id))


async def draft(request: web.Request) -> web.Response:
    """Keep what the agent is typing; called by the page every few seconds."""
    text = await field(request, "text")
    async with request.app[SESSIONS].begin() as session:
        case = await visible_case(request, session)
        await request.app[CASES].save_draft(session, case.id, who(request).agent.id, text)
    return web.Response(status=204)


async def close(request: web.Request) -> web.Response:
    """Close the case."""
    outcome = await field(request, "outcome")
    agent_id = who(request).agent.id
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].close(session, case_id, agent_id, outcome)
    redirect(request, "queue")


async def hand_back(request: web.Request) -> web.Response:
    """Give the conversation back to the bot."""
    summary = await field(request, "summary")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].hand_back(session, case_id, who(request).agent.id, summary)
    redirect(request, "queue")


async def reopen(request: web.Request) -> web.Response:
    """Open a closed case again."""
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].reopen(session, case_id, who(request).agent.id)
    redirect(request, "case", case_id=str(case_id))


async def transfer(request: web.Request) -> web.Response:
    """Give the case to a colleague (`agent:ID`) or to a team (`team:ID`)."""
    kind, _, target = (await field(request, "to")).partition(":")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].transfer(
            session,
            case_id,
            who(request).agent.id,
            to_agent=target if kind == "agent" else None,
            to_team=number(target) if kind == "team" else None,
        )
        note_text = await field(request, "note")
        if note_text.strip():
            await request.app[CASES].note(session, case_id, who(request).agent.id, note_text)
    redirect(request, "queue")


async def take_over(request: web.Request) -> web.Response:
    """A supervisor takes the case from the colleague the page showed."""
    signed_in = who(request)
    if not is_supervisor(signed_in.agent):
        raise CaseNotFound()
    holder = await field(request, "holder")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].take_over(session, case_id, signed_in.agent.id, holder)
    redirect(request, "case", case_id=str(case_id))


async def merge(request: web.Request) -> web.Response:
    """Close this repeated case as part of another."""
    typed = (await field(request, "into")).strip().upper().removeprefix("HS-")
    agent = who(request).agent
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        into = await request.app[CASES].seen_by(session, number(typed) or 0, agent)
        await request.app[CASES].merge(session, case_id, agent.id, into.id)
    redirect(request, "case", case_id=str(into.id))


async def add_label(request: web.Request) -> web.Response:
    """Put a label on the case."""
    name = await field(request, "name")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].label(session, case_id, who(request).agent.id, name)
    redirect(request, "case", case_id=str(case_id))


async def remove_label(request: web.Request) -> web.Response:
    """Take a label off the case."""
    label = number(await field(request, "label"))
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].unlabel(session, case_id, who(request).agent.id, label or 0)
    redirect(request, "case", case_id=str(case_id))


async def reveal(request: web.Request) -> web.Response:
    """Show one message with its personal numbers, after recording who looks and why."""
    line, why = await field(request, "line"), await field(request, "why")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].reveal(session, case_id, who(request).agent, line, why)
    return await _case_page(request, revealed=line)


async def retry(request: web.Request) -> web.Response:
    """Send a failed message again."""
    line = await field(request, "line")
    async with request.app[SESSIONS].begin() as session:
        case_id = (await visible_case(request, session)).id
        await request.app[CASES].retry(session, case_id, who(request).agent.id, line)
    redirect(request, "case", case_id=str(case_id))


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
