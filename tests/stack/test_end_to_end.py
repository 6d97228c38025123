"""Questions through the real gateway, Rasa and action server; a dead Rasa loses none of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stack.__main__ import Stack
from stack.training import ROOT, CannotStart
from tests.stack.conftest import free_ports, url

pytestmark = pytest.mark.stack
REFUSED = b"Encountered an exception while running action"  # what Rasa notes when it is away


def begin_asking(stack: Stack, rows: list[dict[str, Any]], folder: Path) -> subprocess.Popen[str]:
    """`python -m gateway ask --batch`, as an officer runs it."""
    questions, answers = folder / "questions.jsonl", folder / "answers.jsonl"
    questions.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "ask", "--batch", str(questions), "--out", str(answers)]
    command += ["--on", "2026-11-21", "--gateway", url(stack)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def answers_of(asking: subprocess.Popen[str], folder: Path) -> dict[str, dict[str, Any]]:
    """What a batch was answered, once it is."""
    _, complaint = asking.communicate()
    assert asking.returncode == 0, complaint
    answers = (folder / "answers.jsonl").read_text(encoding="utf-8")
    return {row["id"]: row for row in map(json.loads, answers.splitlines())}


def ask(stack: Stack, rows: list[dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    return answers_of(begin_asking(stack, rows, folder), folder)


@pytest.mark.parametrize(
    ("question", "figures", "source"),
    [
        (
            "bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu",
            ("3.825.360", "1.366.200", "956.340", "819.720", "683.100"),
            "decree_188_2025",
        ),
        ("dong bhxh tu nguyen muc 5tr dien binh thuong 1 thang bn", ("1.034.000",), "decree_159_2025"),
        (
            "sinh con thu 2 thang 8/2026 luong dong bh 18tr duoc bao nhieu",
            ("131.060.000",),
            "law_113_2025",
        ),
    ],
)
def test_amounts_are_right_dated_and_cited(
    running: Stack, tmp_path: Path, question: str, figures: tuple[str, ...], source: str
) -> None:
    answer = ask(running, [{"id": "q", "text": question}], tmp_path)["q"]
    said = "\n".join(answer["replies"])
    assert all(figure in said for figure in figures)
    assert answer["outcome"] == "answered"
    assert source in [citation["source"] for citation in answer["citations"]]
    assert "Áp dụng tại ngày" in said


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("cho tôi gặp nhân viên", "asked_for_person"),
        ("kiểm tra giúp thẻ bhyt của tôi còn hạn không", "personal_record"),
        ("đã có một con giờ sinh đôi thì được nghỉ mấy tháng", "uncertain_policy"),
    ],
)
def test_what_the_bot_cannot_answer_opens_a_case(
    running: Stack, tmp_path: Path, question: str, reason: str
) -> None:
    answer = ask(running, [{"id": "q", "text": question}], tmp_path)["q"]
    assert answer["outcome"] == "escalated"
    assert "HS-" in "\n".join(answer["replies"]), reason


def test_rasa_logs_json_lines(running: Stack) -> None:
    # Rasa says nothing when it cannot use bot/logging.yml, which keeps citizens' words out of its logs.
    events = []
    for name in ("rasa", "actions"):
        lines = (running.data_dir / f"{name}.log").read_text(encoding="utf-8").splitlines()
        events += [json.loads(line)["event"] for line in lines if line.startswith("{")]
    assert "Rasa server is up and running." in events
    assert any(event.startswith("Action endpoint is up and running") for event in events)


def test_conversation_keeps_its_thread(running: Stack, tmp_path: Path) -> None:
    turns = ["bhyt hộ gia đình 4 người hết bao nhiêu 1 năm", "thế còn người thứ 3?", "6 tháng thì sao?"]
    rows = [{"id": str(n), "text": text, "conversation": "c"} for n, text in enumerate(turns)]
    answers = ask(running, rows, tmp_path)
    assert "3.825.360" in "\n".join(answers["0"]["replies"])
    assert "819.720" in "\n".join(answers["1"]["replies"])
    assert "409.860" in "\n".join(answers["2"]["replies"])


def test_action_server_away_loses_no_question_and_answers_late_in_order(
    running: Stack, tmp_path: Path
) -> None:
    turns = ["bhyt hộ gia đình 4 người hết bao nhiêu 1 năm", "thế còn người thứ 3?"]
    rows = [{"id": str(n), "text": text, "conversation": "away"} for n, text in enumerate(turns)]
    actions, log = running.children["actions"], running.data_dir / "rasa.log"
    os.killpg(actions.pid, signal.SIGKILL)
    actions.wait()
    read = log.stat().st_size
    asking = begin_asking(running, rows, tmp_path)
    while REFUSED not in log.read_bytes()[read:]:
        assert asking.poll() is None
        time.sleep(0.1)  # Rasa is another process: there is nothing to be woken by
    running.start_one("actions")
    answers = answers_of(asking, tmp_path)
    assert "3.825.360" in "\n".join(answers["0"]["replies"])
    assert "819.720" in "\n".join(answers["1"]["replies"])
    assert [answers[number]["outcome"] for number in ("0", "1")] == ["answered", "answered"]


def test_dead_rasa_loses_no_question_and_stops_the_stack(own_stack: Stack, tmp_path: Path) -> None:
    first = ask(own_stack, [{"id": "1", "text": "mức đóng bhxh tự nguyện"}], tmp_path)
    assert first["1"]["outcome"] == "answered"
    rasa = own_stack.children["rasa"]
    os.killpg(rasa.pid, signal.SIGKILL)
    rasa.wait()
    late = ask(own_stack, [{"id": "2", "text": "mức đóng bhyt hộ gia đình"}], tmp_path)
    assert late["2"]["outcome"] == "escalated"
    assert "HS-" in "\n".join(late["2"]["replies"])
    with pytest.raises(CannotStart, match="The rasa process ended"):
        own_stack.watch()
    own_stack.stop()
    assert all(child.poll() is not None for child in own_stack.children.values())


def run_stack(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "DATA_DIR": str(tmp_path), **environment}
    return subprocess.run(
        [sys.executable, "-m", "stack", "--once"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_stack(tmp_path, GATEWAY_PORT=str(port))
    assert done.returncode == 1
    assert (
        done.stderr.strip() == f"Port {port} is taken: stop what uses it, or set GATEWAY_PORT to a free port."
    )


def test_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    done = run_stack(tmp_path, RASA_PORT="many")
    assert (done.returncode, done.stderr.strip()) == (1, "RASA_PORT must be a port number, not 'many'.")


def test_command_line_starts_answers_and_stops(tmp_path: Path) -> None:
    found = free_ports()
    names = {"gateway": "GATEWAY_PORT", "rasa": "RASA_PORT", "actions": "ACTIONS_PORT"}
    done = run_stack(tmp_path, **{names[name]: str(port) for name, port in found.items()})
    assert done.returncode == 0, done.stderr
    assert f"http://127.0.0.1:{found['gateway']}/console" in done.stdout
    assert "quantri" in done.stdout
    for port in found.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
