"""Every URL of the console."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from call_centre.web import cases, login, stream

STATIC = Path(__file__).with_name("static")


def add_routes(app: web.Application) -> None:
    """Register every URL, by name."""
    for method, path, handler, name in (
        ("GET", "/", cases.show_queue, "queue"),
        ("GET", r"/cases/{case_id:\d{1,12}}", cases.show_case, "case"),
        ("GET", r"/cases/{case_id:\d{1,12}}/timeline", cases.show_timeline, "timeline"),
        *(
            ("POST", rf"/cases/{{case_id:\d{{1,12}}}}/{name.replace('_', '-')}", handler, name)
            for name, handler in (
                ("claim", cases.claim),
                ("answer", cases.answer),
                ("undo", cases.undo),
                ("send_now", cases.send_now),
                ("draft", cases.draft),
                ("retry", cases.retry),
                ("close", cases.close),
                ("release", cases.release),
                ("hand_back", cases.hand_back),
                ("reopen", cases.reopen),
                ("transfer", cases.transfer),
                ("take_over", cases.take_over),
                ("merge", cases.merge),
                ("note", cases.note),
                ("add_label", cases.add_label),
                ("remove_label", cases.remove_label),
            )
        ),
        ("GET", "/events", stream.events, "events"),
        ("GET", "/login", login.show, "login"),
        ("POST", "/login", login.log_in, "log_in"),
        ("POST", "/logout", login.log_out, "logout"),
        ("GET", "/account/password", login.show_password, "password"),
        ("POST", "/account/password", login.change_password, "change_password"),
    ):
        app.router.add_route(method, path, handler, name=name)
    app.router.add_static("/static", STATIC, name="static")
