"""Checks action results with one prepared validator instead of re-checking the schema every turn.

Rasa 3.6.21 calls `jsonschema.validate` in `RemoteAction._validate_action_result`, which first checks its own
constant schema against the meta-schema: 79 % of the CPU of a turn (docs/decisions/0003). The result is
validated exactly as before.
"""

from __future__ import annotations

import inspect
from hashlib import sha256
from typing import Any

from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction

# Of the source of the method replaced: a Rasa that changed it is not patched, and a test says so.
KNOWN_SOURCE = "f8cdb4be68123961"

_schema = RemoteAction.action_response_format_spec()
_validator = validator_for(_schema)(_schema)


def source_digest() -> str:
    """Names the method as Rasa ships it."""
    return sha256(inspect.getsource(_ORIGINAL).encode()).hexdigest()[:16]


def _validate_action_result(self: RemoteAction, result: dict[str, Any]) -> bool:
    for error in _validator.iter_errors(result):
        raise ValidationError(f"The action server's response is not valid: {error.message}")
    return True


_ORIGINAL = RemoteAction._validate_action_result


def apply() -> None:
    """Put the prepared validator in place, if Rasa is as we know it."""
    if source_digest() == KNOWN_SOURCE:
        RemoteAction._validate_action_result = _validate_action_result  # type: ignore[method-assign]
