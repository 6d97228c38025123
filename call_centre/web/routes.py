"""Every URL of the console."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from call_centre.web import board, cases, login, people, stream

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
                ("reveal", cases.reveal),
            )
        ),
        ("GET", "/events", stream.events, "events"),
        ("GET", "/login", login.show, "login"),
        ("POST", "/login", login.log_in, "log_in"),
        ("GET", "/login/code", login.show_code, "code"),
        ("POST", "/login/code", login.give_code, "give_code"),
        ("POST", "/logout", login.log_out, "logout"),
        ("GET", "/account", login.show_account, "account"),
        ("POST", "/account/end-session", login.end_session, "end_session"),
        ("GET", "/account/second-factor", login.show_second_factor, "second_factor"),
        ("POST", "/account/second-factor", login.turn_on_second_factor, "turn_on_second_factor"),
        ("POST", "/account/recovery-codes", login.make_recovery_codes, "recovery_codes"),
        ("GET", "/account/password", login.show_password, "password"),
        ("POST", "/account/password", login.change_password, "change_password"),
        ("GET", "/people", people.show_people, "people"),
        ("POST", "/people", people.create_account, "create_account"),
        ("POST", r"/people/{agent_id:[0-9a-f]{32}}", people.change_account, "change_account"),
        ("POST", r"/people/{agent_id:[0-9a-f]{32}}/reset", people.reset_account, "reset_account"),
        ("POST", r"/people/{agent_id:[0-9a-f]{32}}/revoke", people.revoke_session, "revoke_session"),
        ("POST", "/teams", people.create_team, "create_team"),
        ("GET", "/canned", people.show_canned, "canned"),
        ("POST", "/canned", people.save_canned, "save_canned"),
        ("GET", "/audit", people.show_audit, "audit"),
        ("GET", "/audit.csv", people.export_audit, "export_audit"),
        ("GET", "/board", board.show_board, "board"),
        ("GET", "/board.csv", board.export_cases, "export_cases"),
        ("GET", r"/board/{chart:[a-z_]{1,20}}.svg", board.chart, "chart"),
    ):
        app.router.add_route(method, path, handler, name=name)
    app.router.add_static("/static", STATIC, name="static")
