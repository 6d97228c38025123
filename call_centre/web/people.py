"""What supervisors and administrators manage: accounts, teams, canned answers, the audit trail."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from aiohttp import web

from call_centre import repository, suggestions
from call_centre.model import InvalidInput, Role
from call_centre.repository import EventFilter
from call_centre.services import checked_text
from call_centre.spreadsheet import csv_file
from call_centre.tables import case_number
from call_centre.texts import names
from call_centre.web.context import (
    ACCOUNTS,
    CASES,
    READERS,
    SESSIONS,
    field,
    number,
    redirect,
    supervising,
)
from call_centre.web.middleware import sentence
from call_centre.web.pages import event_words, local_time, page
from call_centre.working_hours import OFFICE_TIME

EXPORT_LIMIT = 50_000  # lines of one spreadsheet
LONGEST_RANGE = timedelta(days=366)


async def show_people(request: web.Request) -> web.Response:
    """Accounts, teams and open sessions."""
    supervising(request, Role.ADMINISTRATOR)
    return await _people(request)


async def _people(
    request: web.Request, problem: str = "", password: str = "", status: int = 200
) -> web.Response:
    accounts = request.app[ACCOUNTS]
    async with request.app[READERS]() as session:
        agents = await repository.agents(session)
        values = {
            "agents": agents,
            "teams": await repository.teams(session),
            "sessions": {
                agent.id: await repository.live_sessions(session, agent.id, accounts.clock())
                for agent in agents
            },
        }
    return page(request, "people.html", {**values, "problem": problem, "password": password}, status)


async def create_account(request: web.Request) -> web.Response:
    """Make an account and show its one-time password, once."""
    by = supervising(request, Role.ADMINISTRATOR)
    try:
        password = await request.app[ACCOUNTS].create(
            by,
            await field(request, "username"),
            await field(request, "display_name"),
            await field(request, "role"),
            number(await field(request, "team")),
        )
    except InvalidInput as error:
        return await _people(request, sentence(error), status=error.status)
    return await _people(request, password=password)


async def change_account(request: web.Request) -> web.Response:
    """Change role, team, or whether the account is in use."""
    by = supervising(request, Role.ADMINISTRATOR)
    try:
        await request.app[ACCOUNTS].change(
            by,
            request.match_info["agent_id"],
            role=await field(request, "role"),
            team_id=number(await field(request, "team")),
            active=bool(await field(request, "active")),
        )
    except InvalidInput as error:
        return await _people(request, sentence(error), status=error.status)
    redirect(request, "people")


async def reset_account(request: web.Request) -> web.Response:
    """Give a new one-time password, shown once."""
    by = supervising(request, Role.ADMINISTRATOR)
    password = await request.app[ACCOUNTS].reset(by, request.match_info["agent_id"])
    return await _people(request, password=password)


async def revoke_session(request: web.Request) -> web.Response:
    """End somebody's session at once."""
    by = supervising(request, Role.ADMINISTRATOR)
    session_id = number(await field(request, "session"))
    await request.app[ACCOUNTS].revoke(by, request.match_info["agent_id"], session_id or 0)
    redirect(request, "people")


async def create_team(request: web.Request) -> web.Response:
    """Make a team."""
    by = supervising(request, Role.ADMINISTRATOR)
    name = checked_text(await field(request, "name"), 100)
    async with request.app[SESSIONS].begin() as session:
        await repository.add_team(session, name)
        repository.append_event(
            session, None, request.app[CASES].clock(), "team_created", by.agent.id, name=name
        )
    redirect(request, "people")


async def show_canned(request: web.Request) -> web.Response:
    """Canned answers and the form to write them."""
    supervising(request)
    return await _canned(request)


async def _canned(request: web.Request, problem: str = "", status: int = 200) -> web.Response:
    async with request.app[READERS]() as session:
        answers = await repository.canned_answers(session, active_only=False)
    editing = next((answer for answer in answers if answer.code == request.query.get("code")), None)
    values = {"answers": answers, "editing": editing, "variables": suggestions.VARIABLES, "problem": problem}
    return page(request, "canned.html", values, status)


async def save_canned(request: web.Request) -> web.Response:
    """Make or change a canned answer."""
    by = supervising(request)
    code = (await field(request, "code")).strip().removeprefix("/")
    try:
        title = checked_text(await field(request, "title"), 100)
        text = checked_text(await field(request, "text"))
        suggestions.check_canned(code, text)
    except InvalidInput as error:
        return await _canned(request, sentence(error), error.status)
    now = request.app[CASES].clock()
    async with request.app[SESSIONS].begin() as session:
        await repository.save_canned_answer(
            session,
            code,
            title=title,
            text=text,
            active=bool(await field(request, "active")),
            updated_by=by.agent.id,
            updated_at=now,
        )
        repository.append_event(session, None, now, "canned_changed", by.agent.id, code=code)
    redirect(request, "canned")


def date_range(request: web.Request, days: int) -> tuple[date, date]:
    """The days asked for, both included; the last `days` days when none are. Raises InvalidInput."""
    today = request.app[CASES].clock().astimezone(OFFICE_TIME).date()
    try:
        until = date.fromisoformat(request.query.get("until") or today.isoformat())
        since = date.fromisoformat(
            request.query.get("since") or (until - timedelta(days=days - 1)).isoformat()
        )
    except ValueError as error:
        raise InvalidInput("bad_dates") from error
    if since > until or until - since > LONGEST_RANGE:
        raise InvalidInput("bad_dates")
    return since, until


def moments(since: date, until: date) -> tuple[datetime, datetime]:
    """From the first moment of `since` to the first after `until`, in the office's time."""
    start = datetime.combine(since, datetime.min.time(), OFFICE_TIME)
    return start, datetime.combine(until + timedelta(days=1), datetime.min.time(), OFFICE_TIME)


def _events_asked_for(request: web.Request) -> tuple[EventFilter, date, date]:
    since, until = date_range(request, days=7)
    kind = request.query.get("kind") or None
    start, end = moments(since, until)
    return EventFilter(request.query.get("agent") or None, kind, start, end), since, until


async def show_audit(request: web.Request) -> web.Response:
    """Who did what, newest first."""
    supervising(request)
    wanted, since, until = _events_asked_for(request)
    before = number(request.query.get("before", ""))
    async with request.app[READERS]() as session:
        events = await repository.audit(session, wanted, before=before)
        values = {
            "events": events,
            "kept": await repository.existing_cases(
                session, {event.case_id for event in events if event.case_id is not None}
            ),
            "agent_names": await repository.agent_names(session),
            "wanted": wanted,
            "kinds": sorted(names("events")),
            "since": since,
            "until": until,
            "more": len(events) == repository.PAGE,
        }
    return page(request, "audit.html", values)


async def export_audit(request: web.Request) -> web.Response:
    """The audit trail as a spreadsheet; exporting it is itself recorded."""
    by = supervising(request)
    wanted, since, until = _events_asked_for(request)
    async with request.app[SESSIONS].begin() as session:
        events = await repository.audit(session, wanted, limit=EXPORT_LIMIT)
        agent_names = await repository.agent_names(session)
        repository.append_event(
            session, None, request.app[CASES].clock(), "exported", by.agent.id, what="nhật ký"
        )
    rows = (
        (
            event.id,
            local_time(event.at),
            agent_names.get(event.agent_id or "", ""),
            case_number(event.case_id) if event.case_id else "",
            event.kind,
            event_words(event),
        )
        for event in events
    )
    header = ("Số", "Lúc", "Người làm", "Hồ sơ", "Loại", "Việc")
    return csv_file(f"nhat-ky-{since}-{until}.csv", header, rows)
