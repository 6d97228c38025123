"""Command line of the gateway: serve, migrate, ask, and what an administrator needs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from gateway.asking import AskError, ask_batch, ask_one, check_date, gateway_url, read_batch
from gateway.logs import configure_logs
from gateway.settings import Settings, SettingsError, read_secret_key, read_settings
from knowledge_base.errors import InvalidFile

ENVIRONMENT = """environment:
  GATEWAY_HOST (127.0.0.1), GATEWAY_PORT (8080), RASA_PORT (5005), ACTIONS_PORT (5055), DATA_DIR (var),
  DATABASE_URL (SQLite in DATA_DIR), DEVELOPMENT (0), SECRET_KEY (made and kept in DATA_DIR), RASA_TOKEN,
  RASA_RETRY_SECONDS (90: how long Rasa or its actions may be away before a person is called);
  MESSENGER_PAGE_ID, MESSENGER_PAGE_TOKEN, MESSENGER_APP_SECRET, MESSENGER_VERIFY_TOKEN turn on the fanpage;
  ZALO_OA_ID, ZALO_OA_SECRET_KEY, ZALO_APP_ID, ZALO_APP_SECRET turn on Zalo; PUBLIC_URL is where the internet
  reaches the gateway (all explained in docs/channels.md)"""
BATCH = """each line of a batch is a JSON object with `id`, `text` and optionally `conversation` (lines of one
conversation are asked in order, a line without one is a conversation of its own) and `on` (a date)"""
PURGE = """the gateway does the same every night while it serves; both may run at once.
conversations: those of which nothing is left; messages: in either direction, also of conversations that go
on; cases: closed ones; audit records: lines of the console's audit trail; log ins: sessions that ended long
ago, and names with failed log-ins. Exit 1 if something could not be deleted."""
ZALO_TOKEN = """first without --code: open the printed address as an administrator of the Official Account and
allow the application; the browser comes back to an address that contains code=...; give that code within ten
minutes"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main = argparse.ArgumentParser(
        prog="python -m gateway",
        description=__doc__,
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = main.add_subparsers(dest="command", required=True)

    def add(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=description,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    add("serve", "serve the channels and the console until stopped", ENVIRONMENT)
    add("migrate", "bring the database to the newest revision", ENVIRONMENT)
    add("doctor", "check everything and say what is wrong; exit 1 if anything is", ENVIRONMENT)
    purge = add("purge", "delete what is older than the periods of office.yml, and print how much", PURGE)
    purge.add_argument("--dry-run", action="store_true", help="count only; delete nothing")
    token = add("zalo-token", "let the application speak for the Zalo Official Account", ZALO_TOKEN)
    token.add_argument("--code", help="what the browser brought back")
    token.add_argument("--redirect", metavar="URL", help="the callback of the application (PUBLIC_URL)")
    ask = add("ask", "ask a running gateway, by the path a web chat takes", BATCH)
    ask.add_argument("question", nargs="?", help="one question; its answer is printed")
    ask.add_argument("--batch", type=Path, metavar="FILE", help="ask every line of a JSON-lines file")
    ask.add_argument("--out", type=Path, metavar="FILE", help="where the answers to a batch are written")
    ask.add_argument("--on", metavar="DATE", help="ask as of this date (the stack runs with DEVELOPMENT=1)")
    ask.add_argument("--gateway", metavar="URL", help="a gateway other than the one in $DATA_DIR/stack.json")
    ask.add_argument(
        "--parallel", type=int, default=8, metavar="N", help="conversations asked at once (default 8)"
    )
    return main


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        settings = read_settings()
        if options.command == "serve":
            return serve(settings)
        if options.command == "migrate":
            return migrate(settings)
        if options.command == "doctor":
            from gateway.doctor import doctor

            return doctor(settings)
        if options.command == "purge":
            return purge(settings, options.dry_run)
        if options.command == "zalo-token":
            from gateway.channels.zalo_permission import permit

            return permit(settings, options.code, options.redirect)
        return ask(settings, options)
    except (SettingsError, InvalidFile) as error:
        return _complain(str(error), 2)
    except AskError as error:
        return _complain(str(error), error.exit_code)


def serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM."""
    from gateway.app import create_app

    configure_logs()
    secret_key = read_secret_key(settings)
    structlog.get_logger(__name__).info("starting", host=settings.host, port=settings.port)
    try:
        web.run_app(
            create_app(settings, secret_key),
            host=settings.host,
            port=settings.port,
            access_log=None,
            print=None,
            shutdown_timeout=5,
        )
    except OSError as error:
        return _complain(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}", 1)
    return 0


def migrate(settings: Settings) -> int:
    """Bring the database to the newest revision."""
    from gateway.schema import upgrade

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database_url)
    return 0


def purge(settings: Settings, dry_run: bool) -> int:
    """Delete what is over, or only count it."""
    from gateway import retention

    configure_logs()
    try:
        return retention.purge(settings, dry_run=dry_run)
    except retention.PurgeError as error:
        return _complain(str(error), 1)


def ask(settings: Settings, options: argparse.Namespace) -> int:
    """Ask one question or a batch. Raises AskError."""
    if (options.question is None) == (options.batch is None):
        raise AskError("give either one question or --batch FILE")
    if (options.batch is None) != (options.out is None):
        raise AskError("--batch and --out go together")
    if options.parallel < 1:
        raise AskError("--parallel must be at least 1")
    if options.on is not None:
        check_date(options.on, "--on")
    url = gateway_url(settings, options.gateway)
    if options.batch is None:
        _print_answer(asyncio.run(ask_one(url, options.question, options.on)))
        return 0
    lines = read_batch(options.batch, options.on)
    try:
        with options.out.open("w", encoding="utf-8") as out:
            asyncio.run(ask_batch(url, lines, out, options.parallel))
    except OSError as error:
        raise AskError(f"{options.out} cannot be written: {error.strerror}", 1) from error
    return 0


def _print_answer(answer: dict[str, Any]) -> None:
    print("\n\n".join(answer["replies"]))
    if answer["buttons"]:
        print("\n" + "  ".join(f"[{button['title']}]" for button in answer["buttons"]))
    facts = [answer["outcome"], *answer["topics"], f"{answer['latency_ms']} ms"]
    print(f"\n({' · '.join(facts)})")


def _complain(message: str, exit_code: int) -> int:
    print(f"gateway: {message}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
