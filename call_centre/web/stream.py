"""Server-sent events: what changed in the queue or in one case, resumed by Last-Event-ID."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import web

from call_centre.tables import CaseEvent
from call_centre.web.context import ACCOUNTS, CASES, FEED, READERS, SESSION_COOKIE, who

CHECK_EVERY = 2.0  # seconds between looks at what leaves no event: delivery, typing, an ended session


def _message(event: str, data: object, event_id: int | None = None) -> bytes:
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def events(request: web.Request) -> web.StreamResponse:
    """`change` with the kind of event; for one case also when its messages move; `ended` at logout."""
    asked = request.query.get("case", "")
    case_id = int(asked) if asked.isascii() and asked.isdigit() else None
    feed, cases, agent = request.app[FEED], request.app[CASES], who(request).agent
    fingerprint = ""
    if case_id is not None:
        async with request.app[READERS]() as session:
            await cases.seen_by(session, case_id, agent)
            fingerprint = await cases.fingerprint(session, case_id, agent.id)

    def wanted(event: CaseEvent) -> bool:
        return case_id is None or event.case_id == case_id

    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    with suppress(ConnectionResetError):  # the page was closed
        await response.write(b"retry: 2000\n\n")
        async with feed.listen() as changes:
            last = request.headers.get("Last-Event-ID", "")
            if last.isascii() and last.isdigit():
                for event in await feed.missed(int(last)):
                    if wanted(event):
                        await response.write(_message("change", {"kind": event.kind}, event.id))
            clock = asyncio.get_running_loop().time
            next_check = clock() + CHECK_EVERY
            while True:
                try:
                    change = await asyncio.wait_for(changes.get(), max(0.0, next_check - clock()))
                except TimeoutError:
                    next_check = clock() + CHECK_EVERY
                    token = request.cookies.get(SESSION_COOKIE, "")
                    if await request.app[ACCOUNTS].signed_in(token, touch=False) is None:
                        await response.write(_message("ended", {}))
                        break
                    if case_id is not None:
                        async with request.app[READERS]() as session:
                            now = await cases.fingerprint(session, case_id, agent.id)
                        if now != fingerprint:
                            fingerprint = now
                            await response.write(_message("change", {"kind": "messages"}))
                            continue
                    await response.write(b": still here\n\n")
                    continue
                if change is None:
                    break
                if wanted(change):
                    await response.write(_message("change", {"kind": change.kind}, change.id))
    return response
