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
        ("POST", r"/cases/{case_id:\d{1,12}}/claim", cases.claim, "claim"),
        ("POST", r"/cases/{case_id:\d{1,12}}/answer", cases.answer, "answer"),
        ("POST", r"/cases/{case_id:\d{1,12}}/close", cases.close, "close"),
        ("POST", r"/cases/{case_id:\d{1,12}}/release", cases.release, "release"),
        ("POST", r"/cases/{case_id:\d{1,12}}/note", cases.note, "note"),
        ("GET", "/events", stream.events, "events"),
        ("GET", "/login", login.show, "login"),
        ("POST", "/login", login.log_in, "log_in"),
        ("POST", "/logout", login.log_out, "logout"),
        ("GET", "/account/password", login.show_password, "password"),
        ("POST", "/account/password", login.change_password, "change_password"),
    ):
        app.router.add_route(method, path, handler, name=name)
    app.router.add_static("/static", STATIC, name="static")
