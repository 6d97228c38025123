"""Starts whole stacks on free ports in a temporary data folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.__main__ import PORTS, Stack, addresses, migrate
from stack.training import train


def free_ports() -> dict[str, int]:
    """Three ports nobody listens on."""
    probes = [socket.socket() for _ in PORTS]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = dict(zip(PORTS, (probe.getsockname()[1] for probe in probes)))
    for probe in probes:
        probe.close()
    return found


def start_stack(data_dir: Path) -> Stack:
    """A stack that answers; the caller stops it."""
    model = train()
    stack = Stack(free_ports(), data_dir)
    stack.environment |= {"DEVELOPMENT": "1", "RASA_RETRY_SECONDS": "1"}
    try:
        migrate(stack.environment)
        stack.start(model)
        stack.wait_until_answering()
    except BaseException:
        stack.stop()
        raise
    return stack


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack shared by the tests that do not break it."""
    os.environ.pop("DATABASE_URL", None)
    stack = start_stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.stop()


@pytest.fixture()
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that a test may break."""
    stack = start_stack(tmp_path)
    yield stack
    stack.stop()


def url(stack: Stack, name: str = "gateway") -> str:
    """An address of a stack."""
    return addresses(stack.ports)[name]
