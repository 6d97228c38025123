"""The supervisor's board: what waits now, how fast answers come, and the same as a spreadsheet."""

from __future__ import annotations

import asyncio
from datetime import date

from aiohttp import web

from call_centre import repository, suggestions
from call_centre.spreadsheet import csv_file
from call_centre.statistics import Figures, figures
from call_centre.texts import name, say
from call_centre.web.context import CASES, READERS, SESSIONS, supervising
from call_centre.web.pages import duration, local_time, page
from call_centre.web.people import date_range, moments

TOPICS_SHOWN = 30


async def _figures(request: web.Request) -> tuple[Figures, date, date]:
    since, until = date_range(request, days=30)
    async with request.app[READERS]() as session:
        rows = await repository.case_rows(session, *moments(since, until))
        turns = await request.app[CASES].conversations.turns_by_topic(session, *moments(since, until))
    return figures(rows, turns, since, until), since, until


async def show_board(request: web.Request) -> web.Response:
    """The board of some days, the last thirty when none are named."""
    supervising(request)
    found, since, until = await _figures(request)
    async with request.app[READERS]() as session:
        waiting, oldest = await repository.waiting_now(session)
        agent_names = await repository.agent_names(session)
    values = {
        "figures": found,
        "days": [(f"{day:%d/%m/%Y}", *counts) for day, counts in found.by_day.items()],
        "since": since,
        "until": until,
        "waiting": waiting,
        "oldest": oldest,
        "agent_names": agent_names,
        "hours": [
            (
                one.hour,
                one.opened,
                *(
                    duration(moment)
                    for spent in (one.first_answer, one.resolution)
                    for moment in (spent.median, spent.ninetieth)
                ),
            )
            for one in found.by_hour
        ],
        "topics": [
            (
                suggestions.topic_title(one.topic) or say("names", "no_topic"),
                one.answered,
                one.escalated,
                f"{one.rate:.0%}",
            )
            for one in found.by_topic[:TOPICS_SHOWN]
        ],
    }
    return page(request, "board.html", values)


async def chart(request: web.Request) -> web.Response:
    """One chart; drawn beside the event loop."""
    supervising(request)
    from call_centre import charts  # here: drawing takes seconds to import, and few ask for it

    if request.match_info["chart"] not in charts.CHARTS:
        raise web.HTTPNotFound
    found, _, _ = await _figures(request)
    drawn = await asyncio.to_thread(charts.draw, request.match_info["chart"], found)
    return web.Response(body=drawn, content_type="image/svg+xml")


async def export_cases(request: web.Request) -> web.Response:
    """The cases behind the board, without citizens' words; exporting is recorded."""
    by = supervising(request)
    since, until = date_range(request, days=30)
    async with request.app[SESSIONS].begin() as session:
        cases = await repository.cases_opened(session, *moments(since, until))
        agent_names = await repository.agent_names(session)
        repository.append_event(
            session, None, request.app[CASES].clock(), "exported", by.agent.id, what="hồ sơ"
        )
    header = (
        *("Hồ sơ", "Kênh", "Lý do", "Chủ đề", "Trạng thái", "Kết quả", "Mở lúc", "Hẹn trả lời"),
        *("Trả lời lần đầu", "Đóng lúc", "Người trả lời", "Hài lòng"),
    )
    rows = (
        (
            case.number,
            case.channel,
            name("reasons", case.reason),
            suggestions.topic_title(case.topics[0]) if case.topics else "",
            name("states", case.state),
            name("outcomes", case.outcome),
            local_time(case.opened_at),
            local_time(case.due_at),
            local_time(case.first_answered_at) if case.first_answered_at else "",
            local_time(case.closed_at) if case.closed_at else "",
            agent_names.get(case.answered_by or "", ""),
            case.satisfaction,
        )
        for case in cases
    )
    return csv_file(f"ho-so-{since}-{until}.csv", header, rows)
