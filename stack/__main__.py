"""`make run`: train if needed, migrate, start the three processes, wait until a question is answered."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from simulators import meta, zalo
from stack.training import BOT_PYTHON, ROOT, CannotStart, bot_environment, train

READY_WITHIN = 180  # seconds until Rasa must answer; it usually takes under 30
STOP_WITHIN = 10  # seconds a child is given to end by itself
PORTS = {"gateway": ("GATEWAY_PORT", 8080), "rasa": ("RASA_PORT", 5005), "actions": ("ACTIONS_PORT", 5055)}
SIMULATORS = {"meta": ("META_SIMULATOR_PORT", 8090), "zalo": ("ZALO_SIMULATOR_PORT", 8091)}
PASSWORD_FILE = "first-password.txt"


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"• {text}", flush=True)


def simulated() -> bool:
    """Whether the platforms are simulated. Raises CannotStart on nonsense."""
    channels = os.environ.get("CHANNELS", "")
    if channels not in ("", "simulated"):
        raise CannotStart(f"CHANNELS must be empty or simulated, not {channels!r}.")
    return channels == "simulated"


def ports() -> dict[str, int]:
    """The ports from the environment. Raises CannotStart on nonsense or a port in use."""
    found: dict[str, int] = {}
    wanted = {**PORTS, **SIMULATORS} if simulated() else PORTS
    for name, (variable, default) in wanted.items():
        value = os.environ.get(variable, str(default))
        if not value.isdecimal() or not 0 < int(value) < 65536:
            raise CannotStart(f"{variable} must be a port number, not {value!r}.")
        found[name] = int(value)
    if len(set(found.values())) < len(found):
        names = [variable for variable, _ in wanted.values()]
        raise CannotStart(f"{', '.join(names[:-1])} and {names[-1]} must differ.")
    for name, port in found.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                variable = wanted[name][0]
                raise CannotStart(
                    f"Port {port} is taken: stop what uses it, or set {variable} to a free port."
                ) from None
    return found


def simulated_channels(found: dict[str, int]) -> dict[str, str]:
    """The settings with which gateway and simulators know each other."""
    pages = {name: f"http://127.0.0.1:{found[name]}" for name in SIMULATORS}
    # A refresh token is good once; the gateway's database may remember the last run's.
    token = secrets.token_urlsafe(16)
    return {
        **meta.environment(meta.Account(), pages["meta"]),
        **zalo.environment(zalo.Account(), pages["zalo"], token),
        **{SIMULATORS[name][0]: str(found[name]) for name in SIMULATORS},
    }


class Stack:
    """The processes, started in order and stopped together."""

    def __init__(self, found: dict[str, int], data_dir: Path) -> None:
        self.ports = found
        self.data_dir = data_dir
        self.commands: dict[str, list[str]] = {}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **bot_environment(),
            **{variable: str(found[name]) for name, (variable, _) in PORTS.items()},
            "DATA_DIR": str(data_dir),
            "SANIC_HOST": "127.0.0.1",  # where the action server listens
            "RASA_DB": str(data_dir / "rasa.db"),
        }
        if "meta" in found:
            self.environment |= simulated_channels(found)

    def start(self, model: Path) -> None:
        """Start action server, Rasa and gateway; their output goes to log files in the data folder."""
        bot = str(BOT_PYTHON)
        actions = [bot, "-m", "rasa_sdk", "--actions", "bot.actions", "--port", str(self.ports["actions"])]
        actions += ["--logging-config_file", "bot/logging.yml"]  # spelt so by rasa_sdk
        rasa = [bot, "-m", "bot.server", "run", "--model", str(model), "--endpoints", "endpoints.yml"]
        rasa += ["--credentials", "bot/credentials.yml", "--port", str(self.ports["rasa"])]
        rasa += ["--interface", "127.0.0.1", "--logging-config-file", "bot/logging.yml"]
        self.commands = {
            "actions": actions,
            "rasa": rasa,
            "gateway": [sys.executable, "-m", "gateway", "serve"],
        }
        if "meta" in self.ports:
            self.commands["simulators"] = [sys.executable, "-m", "simulators"]
        for name in self.commands:
            say(f"Starting {name}" + (f" on port {self.ports[name]}" if name in self.ports else ""))
            self.start_one(name)

    def start_one(self, name: str) -> None:
        """Start one of them, or start it again after its end."""
        with (self.data_dir / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                self.commands[name],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raises CannotStart when a child has ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                tail = self._tail(name)
                raise CannotStart(f"The {name} process ended (code {child.returncode}). {tail}")

    def _tail(self, name: str) -> str:
        log = self.data_dir / f"{name}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"Its log {log} ends: {lines[-1]}" if lines else f"Its log {log} is empty."

    def wait_until_answering(self) -> None:
        """Ask a real question through the gateway until it is answered."""
        say("Waiting until a question is answered")
        deadline = time.monotonic() + READY_WITHIN
        url = f"http://127.0.0.1:{self.ports['gateway']}"
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if self._ready(url) and self._answers(url):
                    return
            time.sleep(0.5)
        raise CannotStart(f"No question was answered within {READY_WITHIN} s. {self._tail('rasa')}")

    def _ready(self, url: str) -> bool:
        with urllib.request.urlopen(f"{url}/readyz", timeout=20) as response:
            return bool(response.status == 200)

    def _answers(self, url: str) -> bool:
        body = json.dumps({"id": "ready", "text": "xin chào"}).encode()
        request = urllib.request.Request(
            f"{url}/evaluation/ask", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return bool(json.load(response).get("outcome") == "chitchat")

    def watch(self) -> None:
        """Return never: raises CannotStart as soon as a child ends."""
        while True:
            self.check()
            time.sleep(0.5)

    def stop(self) -> None:
        """End every child, politely first."""
        for child in reversed(self.children.values()):
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def migrate(environment: dict[str, str]) -> None:
    """Bring the database to the present schema. Raises CannotStart."""
    say("Bringing the database up to date")
    command = [sys.executable, "-m", "gateway", "migrate"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        raise CannotStart(f"The database could not be migrated: {lines[-1]}")


def addresses(found: dict[str, int]) -> dict[str, str]:
    """What `stack.json` says."""
    gateway = f"http://127.0.0.1:{found['gateway']}"
    return {
        "gateway": gateway,
        "console": f"{gateway}/console",
        "rasa": f"http://127.0.0.1:{found['rasa']}",
        "actions": f"http://127.0.0.1:{found['actions']}",
    }


def run(once: bool, then: list[str]) -> int:
    """Start everything and watch over it, or until `then` has run; the exit code.

    Raises CannotStart or Stopped; nothing is left running.
    """
    found = ports()
    data_dir = Path(os.environ.get("DATA_DIR", "var")).absolute()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"DATA_DIR {data_dir} cannot be used: {error.strerror}.") from None
    say("Looking whether the model is up to date (training takes about a minute)")
    model = train()
    stack = Stack(found, data_dir)
    summary = data_dir / "stack.json"
    try:
        migrate(stack.environment)
        stack.start(model)
        stack.wait_until_answering()
        summary.write_text(json.dumps(addresses(found), indent=2) + "\n", encoding="utf-8")
        _print_addresses(found, data_dir)
        if then:
            return subprocess.run(then, cwd=ROOT, env=stack.environment, check=False).returncode
        if not once:
            stack.watch()
        return 0
    finally:
        summary.unlink(missing_ok=True)
        stack.stop()


def _print_addresses(found: dict[str, int], data_dir: Path) -> None:
    where = addresses(found)
    print(f"\nChat page:  {where['gateway']}/\nConsole:    {where['console']}")
    if "meta" in found:
        print(f"Fanpage:    http://127.0.0.1:{found['meta']}/ (simulated)")
        print(f"Zalo:       http://127.0.0.1:{found['zalo']}/ (simulated)")
    password = data_dir / PASSWORD_FILE
    if password.exists():
        one_time = password.read_text(encoding="utf-8").strip()
        print(f"First login: quantri, one-time password {one_time}")
    print("Ctrl-C stops everything.", flush=True)


def _stopped(number: int, frame: FrameType | None) -> None:
    for again in (signal.SIGTERM, signal.SIGINT):  # a second Ctrl-C must not leave a child behind
        signal.signal(again, signal.SIG_IGN)
    raise Stopped


def main() -> int:
    """Run the stack; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop again once a question was answered")
    parser.add_argument(
        "--then", nargs=argparse.REMAINDER, default=[], help="run this command against the stack, then stop"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _stopped)
    signal.signal(signal.SIGINT, _stopped)
    try:
        return run(arguments.once, arguments.then)
    except Stopped:
        print("\nStopped.")
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
