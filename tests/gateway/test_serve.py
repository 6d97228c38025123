"""The gateway as a process: killed at once, it loses nothing and answers once; its logs hold no words."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from gateway.__main__ import main
from gateway.schema import upgrade
from gateway.settings import ROOT, read_settings
from gateway.texts import Texts
from tests.gateway.fakes import OFFICE, PATIENCE_SECONDS, FakeRasa, Held, said

SERVE = (sys.executable, "-m", "gateway", "serve")


class Served:
    """`python -m gateway serve` with its own port and data folder."""

    def __init__(self, data_dir: Path, rasa_port: int) -> None:
        self.url = f"http://127.0.0.1:{unused_port()}"
        self.log = data_dir / "gateway.log"
        self.environment = {
            **os.environ,
            "GATEWAY_PORT": self.url.rpartition(":")[2],
            "RASA_PORT": str(rasa_port),
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": "",
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *SERVE,
                cwd=ROOT,
                env=self.environment,
                stderr=log,
                stdout=log,
            )
        async with asyncio.timeout(PATIENCE_SECONDS * 3), aiohttp.ClientSession() as http:
            while self.process.returncode is None:
                try:
                    async with http.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass  # not listening yet
                await asyncio.sleep(0.1)
        raise AssertionError(self.log.read_text())

    async def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        return await self.process.wait()


@pytest.fixture
async def served(tmp_path: Path, rasa: FakeRasa) -> AsyncIterator[Served]:
    process = Served(tmp_path, rasa.port)
    await asyncio.to_thread(upgrade, read_settings(process.environment).database_url)
    await process.start()
    yield process
    await process.end(signal.SIGKILL)


async def post(http: aiohttp.ClientSession, served: Served, text: str, client_id: str) -> int:
    body = {"text": text, "client_id": client_id}
    async with http.post(f"{served.url}/chat/messages", json=body) as response:
        return response.status


async def lines_with(http: aiohttp.ClientSession, served: Served, text: str) -> list[str]:
    """The chat's lines once `text` is among them."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with http.get(f"{served.url}/chat/events?after=0-0") as stream:
            async for raw in stream.content:
                line = raw.decode()
                if line.startswith("data: ") and json.loads(line[6:]).get("text") == text:
                    break
    async with http.get(f"{served.url}/chat/history") as response:
        return [line["text"] for line in (await response.json())["lines"]]


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_killed_between_question_and_answer_every_acknowledged_message_is_answered_once(
    served: Served, rasa: FakeRasa
) -> None:
    rasa.behave = Held()
    async with browser() as http:
        await http.get(served.url)
        assert await post(http, served, "một", "message-1") == 202
        assert await post(http, served, "hai", "message-2") == 202
        async with asyncio.timeout(PATIENCE_SECONDS):
            await rasa.arrived.wait()
        await served.end(signal.SIGKILL)
        rasa.behave = said
        await served.start()
        assert await post(http, served, "một", "message-1") == 202
        lines = await lines_with(http, served, "Đáp: hai")
    assert sorted(lines) == sorted(["một", "hai", "Đáp: một", "Đáp: hai"])
    assert lines.index("Đáp: một") < lines.index("Đáp: hai")


async def test_a_stop_lets_the_turn_under_way_finish(served: Served, rasa: FakeRasa) -> None:
    held = Held()
    rasa.behave = held
    async with browser() as http:
        await http.get(served.url)
        await post(http, served, "một", "message-1")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await rasa.arrived.wait()
        ending = asyncio.create_task(served.end(signal.SIGTERM))
        held.release.set()
        assert await ending == 0
        await served.start()
        assert await lines_with(http, served, "Đáp: một") == ["một", "Đáp: một"]
    assert rasa.questions == ["một"]


async def test_the_whole_application_serves_its_parts_and_logs_no_words(
    served: Served, rasa: FakeRasa
) -> None:
    async with browser() as http:
        async with http.get(f"{served.url}/healthz") as response:
            assert await response.text() == "ok"
        async with http.get(f"{served.url}/console/") as response:
            assert response.status == 200
            assert response.url.path == "/console/login"
            assert "Content-Security-Policy" in response.headers
        await http.get(served.url)
        await post(http, served, "bí mật của tôi", "message-1")
        await lines_with(http, served, "Đáp: bí mật của tôi")
        rasa.behave = lambda _body: [{"text": "nửa chừng"}]
        await post(http, served, "bí mật thứ hai", "message-2")
        await lines_with(http, served, Texts(OFFICE)["failure"])
        async with http.get(f"{served.url}/nowhere", headers={"X-Request-ID": "my-request-1"}) as response:
            assert response.status == 404
            assert response.headers["X-Request-ID"] == "my-request-1"
        await rasa.stop()
        async with http.get(f"{served.url}/readyz") as response:
            assert (response.status, await response.json()) == (503, {"database": True, "rasa": False})
    await served.end(signal.SIGTERM)
    log = served.log.read_text()
    assert "bí mật" not in log
    assert "b\\u00ed" not in log
    entries = [json.loads(line) for line in log.splitlines()]
    assert any(entry.get("request_id") == "my-request-1" and entry["status"] == 404 for entry in entries)
    assert any(entry["event"] == "message_done" for entry in entries)


async def test_a_taken_port_is_told_in_one_sentence(served: Served) -> None:
    process = await asyncio.create_subprocess_exec(
        *SERVE,
        cwd=ROOT,
        env=served.environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in told.decode().splitlines()[-1]


def test_a_database_that_was_not_migrated_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    assert main(["serve"]) == 2
    assert "python -m gateway migrate" in capfd.readouterr().err.splitlines()[-1]
