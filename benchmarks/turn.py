"""Compares a whole turn with a custom action: Rasa's REST channel, action server and back, ours and stock.

Both sides have the same rules, domain and actions; stock Rasa has its own pipeline and store, unpatched. Ours
is trained on everything, stock on a part and over one epoch: what it costs to answer does not depend on that.
Asked are the sentences of the topics' buttons, which the action recognises whatever the pipeline made of
them: both sides answer the same topics.
Both servers, one worker each, run side by side and are asked in turn, so that a busy machine slows both.
Writes docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from benchmarks.candidates import stock_pipeline
from benchmarks.measuring import cpu_seconds, memory_mb, table
from benchmarks.page import write_section
from benchmarks.questions import ROOT, evaluation_questions, examples, subset
from knowledge_base.loading import knowledge_base
from stack.training import bot_environment

READY_WITHIN = 300  # seconds
CONVERSATION = 4  # messages of one sender before a new conversation starts
STOCK_EXAMPLES = 1000
SIDES = ("stock", "ours")


@dataclass(frozen=True)
class Block:
    """One side asked for a while: messages, seconds of wall time, seconds of CPU of both processes."""

    messages: int
    wall: float
    rasa_cpu: float
    actions_cpu: float

    @property
    def turn_ms(self) -> float:
        """CPU of a turn."""
        return 1000 * (self.rasa_cpu + self.actions_cpu) / self.messages

    @property
    def per_second(self) -> float:
        """Messages answered a second."""
        return self.messages / self.wall


def say(text: str) -> None:
    """Progress."""
    print(f"• {text}", flush=True)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def train(side: str, folder: Path) -> Path:
    """The model of one side, unless the folder has it already. Raises CalledProcessError."""
    model = folder / f"{side}.tar.gz"
    if model.exists():
        return model
    say(f"Training {side}")
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    data = [str(ROOT / "bot" / "data")]
    if side == "stock":
        config["pipeline"] = stock_pipeline(epochs=1)
        part: dict[str, str] = {}
        for example in subset(examples(), STOCK_EXAMPLES):
            part[example.label] = f"{part.get(example.label, '')}- {example.text}\n"
        nlu = {"version": "3.1", "nlu": [{"intent": label, "examples": e} for label, e in part.items()]}
        (folder / "nlu.yml").write_text(yaml.safe_dump(nlu, allow_unicode=True, width=1000), encoding="utf-8")
        data = [str(folder / "nlu.yml"), str(ROOT / "bot" / "data" / "rules.yml")]
    file = folder / f"{side}.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "rasa", "train", "--config", str(file), "--domain", "bot/domain.yml"]
    command += [
        "--data",
        *data,
        "--out",
        str(folder),
        "--fixed-model-name",
        "unfinished",
        "--skip-validation",
        "--force",
    ]
    environment = {**bot_environment(), "RASA_CACHE_DIRECTORY": str(folder / "cache")}
    with (folder / f"train-{side}.log").open("wb") as log:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)
    return (folder / "unfinished.tar.gz").rename(model)


def endpoints(side: str, folder: Path) -> Path:
    """The endpoints of one side: ours as they are, stock's with Rasa's own SQLite store and defaults."""
    if side == "ours":
        return ROOT / "endpoints.yml"
    ours = yaml.safe_load((ROOT / "endpoints.yml").read_text(encoding="utf-8"))
    stock = {
        "action_endpoint": {"url": ours["action_endpoint"]["url"]},
        "tracker_store": {"type": "SQL", "dialect": "sqlite", "db": "${RASA_DB}"},
    }
    file = folder / "stock-endpoints.yml"
    file.write_text(yaml.safe_dump(stock), encoding="utf-8")
    return file


@contextlib.contextmanager
def server(name: str, arguments: Sequence[str], port: int, folder: Path, **more: str) -> Iterator[int]:
    """A process that listens on the port; its id. Raises TimeoutError or ChildProcessError."""
    say(f"Starting {name}")
    environment = {**bot_environment(), "SANIC_HOST": "127.0.0.1", **more}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments, "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            if process.poll() is not None:
                raise ChildProcessError(f"{name} ended; see {log.name}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not listen; see {log.name}")
            time.sleep(0.5)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def send(
    port: int, texts: Iterator[str], lock: threading.Lock, count: Iterator[int], failed: list[str]
) -> None:
    """One sender: asks the next text until none is left; a turn without its closing message has failed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in itertools.count():
        with lock:
            text, serial = next(texts, None), next(count)
        if text is None:
            break
        if number % CONVERSATION == 0:
            sender = f"sender-{serial}-{time.monotonic_ns()}"
        body = json.dumps({"sender": sender, "message": text}).encode()
        connection.request("POST", "/webhooks/rest/webhook", body, {"Content-Type": "application/json"})
        messages = json.loads(connection.getresponse().read())
        if not any("turn" in (message.get("custom") or {}) for message in messages):
            failed.append(text)
    connection.close()


def ask(port: int, rasa: int, actions: int, texts: Sequence[str], senders: int) -> Block:
    """Ask all texts by so many senders at once. Raises RuntimeError when a turn failed."""
    waiting, count, lock = iter(texts), itertools.count(), threading.Lock()
    failed: list[str] = []
    threads = [
        threading.Thread(target=send, args=(port, waiting, lock, count, failed)) for _ in range(senders)
    ]
    rasa_before, actions_before, start = cpu_seconds(rasa), cpu_seconds(actions), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.monotonic() - start
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(texts)} turns failed")
    return Block(len(texts), wall, cpu_seconds(rasa) - rasa_before, cpu_seconds(actions) - actions_before)


@contextlib.contextmanager
def profiled(pids: dict[str, int], folder: Path | None) -> Iterator[None]:
    """py-spy beside the processes, one file of collapsed stacks each, where a folder is given."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    spies = []
    for name, pid in pids.items():
        out = str(folder / f"{name}.txt")
        command = ["uvx", "py-spy", "record", "--pid", str(pid), "--format", "raw", "--output", out]
        spies.append(subprocess.Popen([*command, "--duration", "unlimited", "--nonblocking"]))
    yield
    for spy in spies:
        spy.send_signal(signal.SIGINT)
        spy.wait()


def _section(blocks: dict[str, list[Block]], memory: dict[str, float], senders: int) -> str:
    def middle(side: str, number: str) -> float:
        return statistics.median(
            {
                "rasa": 1000 * block.rasa_cpu / block.messages,
                "actions": 1000 * block.actions_cpu / block.messages,
                "turn": block.turn_ms,
                "second": block.per_second,
            }[number]
            for block in blocks[side]
        )

    rows = [
        [
            {"stock": "stock Rasa", "ours": "ours"}[side],
            *(f"{middle(side, number):.1f}" for number in ("rasa", "actions", "turn", "second")),
            f"{memory[side]:,.0f}",
        ]
        for side in SIDES
    ]
    cpu = statistics.median(o.turn_ms / s.turn_ms for s, o in zip(blocks["stock"], blocks["ours"]))
    speed = statistics.median(o.per_second / s.per_second for s, o in zip(blocks["stock"], blocks["ours"]))
    heads = [
        "",
        "Rasa, CPU ms a turn",
        "actions, CPU ms",
        "together, CPU ms",
        "messages a second",
        "Rasa, MB",
    ]
    asked = sum(block.messages for block in blocks["ours"])
    where = (
        f"Measured on {date.today()}, {os.cpu_count()} cores. Asked: the sentences of the topics' buttons, "
        f"over Rasa's REST channel, by {senders} senders at once, {CONVERSATION} messages a conversation; "
        "both sides answer the same topics. One Rasa worker a side, one action server for both; "
        f"{len(blocks['ours'])} rounds in turn, {asked} messages a side, medians. The machine was shared: "
        "the ratios count, not the absolute speed."
    )
    ratios = (
        f"Ours takes **{cpu:.2f}** of stock's CPU a turn and answers **{speed:.1f}** times as much a second."
    )
    return "\n\n".join([where, table(heads, rows), ratios])


def measure(folder: Path, messages: int, senders: int, rounds: int, profile: Path | None) -> str:
    """Train, start, ask both sides in turn; the section for the page."""
    models = {side: train(side, folder) for side in SIDES}
    ports = {name: free_port() for name in (*SIDES, "actions")}
    said = [topic.button.say for topic in knowledge_base().topics.values()]
    with contextlib.ExitStack() as running:
        actions = running.enter_context(
            server("actions", ["rasa_sdk", "--actions", "bot.actions"], ports["actions"], folder)
        )
        pids = {}
        for side in SIDES:
            arguments = ["rasa", "run", "--model", str(models[side])]
            arguments += ["--endpoints", str(endpoints(side, folder))]
            arguments += ["--credentials", "bot/credentials.yml", "--interface", "127.0.0.1"]
            more = {"ACTIONS_PORT": str(ports["actions"]), "RASA_DB": str(folder / f"{side}.db")}
            pids[side] = running.enter_context(server(side, arguments, ports[side], folder, **more))
        for side in SIDES:
            ask(ports[side], pids[side], actions, said[:20], senders)  # warm
        blocks: dict[str, list[Block]] = {side: [] for side in SIDES}
        for turn in range(rounds):
            texts = list(itertools.islice(itertools.cycle(said), turn * messages, (turn + 1) * messages))
            for side in SIDES:
                block = ask(ports[side], pids[side], actions, texts, senders)
                blocks[side].append(block)
                say(f"{side}: {block.turn_ms:.1f} ms CPU a turn, {block.per_second:.1f} messages a second")
        memory = {side: memory_mb(pids[side]) for side in SIDES}
        if profile:
            with profiled({"rasa": pids["ours"], "actions": actions}, profile):
                typed = [q.text for q in evaluation_questions() if not q.outside]
                ask(ports["ours"], pids["ours"], actions, typed, senders)
        return _section(blocks, memory, senders)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turn", description=__doc__)
    parser.add_argument("--messages", type=int, default=150, help="messages a round and side (150)")
    parser.add_argument("--senders", type=int, default=8, help="concurrent senders (8)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    parser.add_argument(
        "--profile", type=Path, help="also profile our turn: collapsed stacks of py-spy go here"
    )
    parser.add_argument(
        "--folder", type=Path, help="keep models here; those that are there are not trained again"
    )
    parser.add_argument("--no-page", action="store_true", help="print, and leave docs/benchmarks.md as it is")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    with contextlib.ExitStack() as cleaning:
        folder = arguments.folder or Path(cleaning.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        section = measure(
            folder.absolute(), arguments.messages, arguments.senders, arguments.rounds, arguments.profile
        )
    print(f"\n{section}\n")
    if not arguments.no_page:
        write_section("A whole turn", section)
        say("Written to docs/benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
