"""Asking from the command line: the endpoint, the files, and every way to get them wrong."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, unused_port

from gateway.__main__ import main
from gateway.asking import AskError, ask_batch, ask_one, read_batch
from gateway.evaluation import Evaluation
from gateway.tables import Conversation
from tests.gateway.fakes import FakeRasa, Gateway, handover, turn


def endpoint(gateway: Gateway, development: bool) -> web.Application:
    app = web.Application()
    evaluation = Evaluation(gateway.database, gateway.signals, gateway.inbox, development)
    app.router.add_post("/evaluation/ask", evaluation.ask)
    return app


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[TestServer]:
    running = TestServer(endpoint(gateway, development=True))
    async with running:
        yield running


def url(server: TestServer) -> str:
    return str(server.make_url("")).rstrip("/")


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


async def test_a_question_takes_the_path_of_a_citizens_and_its_turn_comes_back(
    gateway: Gateway, server: TestServer, rasa: FakeRasa
) -> None:
    offer = {"title": "6 tháng", "payload": "Đóng 6 tháng?"}
    rasa.behave = lambda _body: [{"text": "Một"}, {"text": "Hai", "buttons": [offer]}, turn()]
    answer = await ask_one(url(server), "đóng bao nhiêu", "2026-08-01")
    assert answer.pop("latency_ms") >= 0
    assert answer == {
        "replies": ["Một", "Hai"],
        "buttons": [{"title": "6 tháng", "say": "Đóng 6 tháng?"}],
        "intent": "ask_topic",
        "confidence": 0.9,
        "topics": ["voluntary.contribution_rate"],
        "outcome": "answered",
        "citations": [{"source": "law_41_2024", "article": "36", "text": "Điều 36"}],
        "as_of": "2026-11-21",
        "failure": None,
    }
    assert rasa.asked[0]["metadata"] == {"as_of": "2026-08-01", "channel": "evaluation"}
    assert (await gateway.conversation()).channel == "evaluation"


async def test_the_promise_of_a_case_is_among_the_replies(
    gateway: Gateway, server: TestServer, rasa: FakeRasa
) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    answer = await ask_one(url(server), "gặp nhân viên", None)
    assert answer["outcome"] == "escalated"
    assert answer["replies"][0] == "Em chuyển ngay."
    assert (await gateway.case()).number in answer["replies"][1]


async def test_a_failed_turn_is_told_as_escalated(server: TestServer, rasa: FakeRasa) -> None:
    rasa.behave = lambda _body: []
    answer = await ask_one(url(server), "hỏi", None)
    assert (answer["outcome"], answer["failure"], answer["intent"]) == ("escalated", "no_answer", None)


async def test_a_batch_keeps_conversations_together_and_in_order(
    gateway: Gateway, server: TestServer, rasa: FakeRasa, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"id": "a1", "text": "một", "conversation": "a", "topic": "ignored"},
        {"id": "x", "text": "lẻ"},
        {"id": "a2", "text": "hai", "conversation": "a", "on": "2026-01-01"},
        {"id": 4, "text": "ba", "conversation": "a"},
    ]
    out = io.StringIO()
    lines = read_batch(write_lines(tmp_path / "q.jsonl", *rows), "2026-11-21")
    await ask_batch(url(server), lines, out, parallel=8)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == ["a1", "x", "a2", 4]
    assert [answer["replies"] for answer in answers] == [["Đáp: một"], ["Đáp: lẻ"], ["Đáp: hai"], ["Đáp: ba"]]
    assert set(answers[0]) >= {
        "id", "replies", "buttons", "intent", "confidence", "topics", "outcome", "citations", "latency_ms",
    }  # fmt: skip
    assert [text for text in rasa.questions if text != "lẻ"] == ["một", "hai", "ba"]
    dates = {body["message"]: body["metadata"]["as_of"] for body in rasa.asked}
    assert dates == {"một": "2026-11-21", "lẻ": "2026-11-21", "hai": "2026-01-01", "ba": "2026-11-21"}
    assert len(await gateway.all(Conversation)) == 2
    assert "4/4" in capsys.readouterr().err


async def test_the_title_of_a_button_just_offered_is_a_tap(
    server: TestServer, rasa: FakeRasa, tmp_path: Path
) -> None:
    offer = {"title": "6 tháng", "payload": "Đóng 6 tháng?"}
    rasa.behave = lambda _body: [{"text": "Mấy tháng?", "buttons": [offer]}, turn("asked")]
    rows = [
        {"id": 1, "text": "đóng", "conversation": "a"},
        {"id": 2, "text": "6 tháng", "conversation": "a"},
    ]
    await ask_batch(url(server), read_batch(write_lines(tmp_path / "q", *rows), None), io.StringIO(), 1)
    assert rasa.questions == ["đóng", "Đóng 6 tháng?"]


async def test_two_runs_of_a_file_do_not_share_conversations(
    gateway: Gateway, server: TestServer, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "q", {"id": 1, "text": "một", "conversation": "a"})
    for _ in range(2):
        await ask_batch(url(server), read_batch(path, None), io.StringIO(), 1)
    assert len(await gateway.all(Conversation)) == 2


async def test_a_date_is_refused_outside_development(
    gateway: Gateway, tmp_path: Path, rasa: FakeRasa
) -> None:
    server = TestServer(endpoint(gateway, development=False))
    async with server:
        with pytest.raises(AskError, match="DEVELOPMENT=1") as refused:
            await ask_one(url(server), "hỏi", "2026-01-01")
        assert refused.value.exit_code == 2
        lines = read_batch(write_lines(tmp_path / "q", {"id": 1, "text": "x", "on": "2026-01-01"}), None)
        with pytest.raises(AskError, match=r"line 1: .*DEVELOPMENT=1"):
            await ask_batch(url(server), lines, io.StringIO(), 1)
        assert rasa.asked == []
        assert (await ask_one(url(server), "hỏi", None))["replies"] == ["Đáp: hỏi"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
async def test_whoever_comes_through_a_proxy_is_refused(
    gateway: Gateway, server: TestServer, header: str
) -> None:
    async with (
        TestClient(server) as client,
        client.post("/evaluation/ask", json={"text": "x"}, headers={header: "1"}) as response,
    ):
        assert response.status == 403
    assert await gateway.inbox_rows() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"text": ""}, 400),
        ({"text": 5}, 400),
        ({"text": "x" * 2001}, 400),
        ({"text": "x", "conversation": 5}, 400),
        ({"text": "x", "on": "hôm nay"}, 400),
        ({"text": "x", "on": 20261121}, 400),
    ],
)
async def test_a_malformed_question_is_refused(server: TestServer, body: Any, status: int) -> None:
    async with TestClient(server) as client, client.post("/evaluation/ask", json=body) as response:
        assert response.status == status
        assert (await response.json())["message"]


@pytest.mark.parametrize(
    ("second_line", "complaint"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: write one JSON object a line"),
        ('{"text": "x"}', "line 2: id is missing"),
        ('{"id": "b"}', "line 2: text must be"),
        ('{"id": "b", "text": "  "}', "line 2: text must be"),
        ('{"id": "b", "text": "x", "conversation": 5}', "line 2: conversation must be"),
        ('{"id": "b", "text": "x", "on": "21/11/2026"}', "line 2: '21/11/2026' is not a date"),
        ('{"id": "a", "text": "x"}', "line 2: the id 'a' is already that of line 1"),
    ],
)
def test_a_bad_line_is_named_in_one_sentence(
    second_line: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text('{"id": "a", "text": "hỏi"}\n' + second_line + "\n", encoding="utf-8")
    out = tmp_path / "a.jsonl"
    command = ["ask", "--batch", str(questions), "--out", str(out), "--gateway", "http://127.0.0.1:1"]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "complaint"),
    [
        ([], 2, "give either one question or --batch FILE"),
        (["hỏi", "--batch", "q"], 2, "give either one question or --batch FILE"),
        (["--batch", "q"], 2, "--batch and --out go together"),
        (["hỏi", "--out", "a"], 2, "--batch and --out go together"),
        (["--batch", "missing.jsonl", "--out", "a"], 2, "missing.jsonl cannot be read"),
        (["hỏi", "--parallel", "0"], 2, "--parallel"),
        (["hỏi", "--on", "mai"], 2, "'mai' is not a date"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_sentence(
    arguments: list[str], exit_code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", *arguments, "--gateway", "http://127.0.0.1:1"]) == exit_code
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1


def test_without_a_running_stack_one_is_told_how_to_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(["ask", "hỏi"]) == 1
    assert "make run" in capsys.readouterr().err
    (tmp_path / "stack.json").write_text(json.dumps({"gateway": f"http://127.0.0.1:{unused_port()}"}))
    assert main(["ask", "hỏi"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["serve"], ["migrate"], ["ask"]])
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 5
