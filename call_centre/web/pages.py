"""Renders templates, with the filters that show moments, names and masked text in Vietnamese."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web

from call_centre import texts
from call_centre.suggestions import topic_title
from call_centre.tables import CaseEvent, case_number
from call_centre.web.context import CASES, OFFICE, SIGNED_IN, url
from call_centre.working_hours import OFFICE_TIME
from vietnamese.masking import mask


def local_time(moment: datetime) -> str:
    """`10:15 ngày 23/11/2026` in the office's time."""
    return f"{moment.astimezone(OFFICE_TIME):%H:%M ngày %d/%m/%Y}"


@jinja2.pass_context
def short_time(context: jinja2.runtime.Context, moment: datetime) -> str:
    """`10:15` today, `10:15 23/11` on another day."""
    local = moment.astimezone(OFFICE_TIME)
    today = context["now"].astimezone(OFFICE_TIME).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%H:%M %d/%m}"


def clock_time(moment: datetime) -> str:
    """`10:15:07` in the office's time."""
    return f"{moment.astimezone(OFFICE_TIME):%H:%M:%S}"


def span(moment: datetime, now: datetime) -> str:
    """How far a moment is away: `còn 1 giờ 05 phút`, `quá 20 phút`."""
    away = moment - now
    amount = duration(abs(away))
    return f"quá {amount}" if away < timedelta(0) else f"còn {amount}"


def duration(length: timedelta | None) -> str:
    """`1 giờ 05 phút`; a dash when there is none."""
    if length is None:
        return "—"
    minutes = round(length.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} ngày {hours} giờ" if hours else f"{days} ngày"
    if hours:
        return f"{hours} giờ {rest:02d} phút" if rest else f"{hours} giờ"
    return f"{rest} phút"


def kind_name(kind: str) -> str:
    """What a kind of event is called, without the particulars of one."""
    return re.sub(r"[ (/,]*(?:lý do|vì)?\W*\{.*", "", texts.names("events")[kind])


def event_words(event: CaseEvent) -> str:
    """What an event of the audit trail says in Vietnamese."""
    detail = dict(event.detail)
    if "outcome" in detail:
        detail["outcome_name"] = texts.name("outcomes", detail["outcome"])
    return texts.say("events", event.kind, **detail)


def intent_words(intent: str | None) -> str:
    """What the bot took a message for: the topic's title, or the kind of message."""
    if not intent:
        return texts.say("names", "unknown")
    kind, _, detail = intent.partition("/")
    return topic_title(detail) if kind == "ask_topic" and detail else texts.name("intents", kind)


def understood(entity: dict[str, str]) -> str:
    """A value as the citizen wrote it, and as it was read where that says more."""
    written, value = mask(entity["text"]), entity["value"]
    if entity["name"] == "amount" and value.isdecimal():
        return f"{written} = {int(value):,} đồng".replace(",", ".")
    if entity["name"] == "period" and value.isdecimal():
        return f"{written} = {value} tháng"
    if entity["name"] == "date":
        return f"{written} (từ {date.fromisoformat(value):%d/%m/%Y})"
    return written


def set_up(app: web.Application) -> None:
    """Prepare Jinja for the console."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("call_centre.web"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        local_time=local_time,
        short_time=short_time,
        clock_time=clock_time,
        case_number=case_number,
        of=lambda key, mapping: mapping[key],
        span=span,
        duration=duration,
        kind_name=kind_name,
        mask=mask,
        event_words=event_words,
        intent_words=intent_words,
        topic_title=topic_title,
        understood=understood,
        named=lambda key, of: texts.name(of, key),
    )
    environment.globals["names"] = texts.names


def page(request: web.Request, template: str, values: dict[str, Any], status: int = 200) -> web.Response:
    """A rendered page with what every page shows."""
    signed_in = request.get(SIGNED_IN)
    office = request.app[OFFICE]
    common = {
        "office": office,
        "here": request.match_info.route.name,
        "has_status": "status" in request.app.router,  # a page of whoever mounts the console
        "now": request.app[CASES].clock(),
        "me": signed_in.agent if signed_in else None,
        "csrf": signed_in.csrf_token if signed_in else "",
        "url": lambda name, **parts: url(request, name, **{key: str(part) for key, part in parts.items()}),
    }
    return aiohttp_jinja2.render_template(template, request, {**common, **values}, status=status)
