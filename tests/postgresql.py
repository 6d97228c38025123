"""The PostgreSQL server that tests make their databases on."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")


def unreachable(error: Exception) -> NoReturn:
    """Fail in CI; elsewhere leave the test out, and say why."""
    reason = f"PostgreSQL cannot be reached at {URL}: {error!r} (set TEST_POSTGRES_URL)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    print(f"\nleft out: {reason}")
    pytest.skip(reason)
