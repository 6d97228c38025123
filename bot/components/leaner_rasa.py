"""The methods of Rasa that are replaced by cheaper ones with the same outcome: all of them are here.

Each replacement names the digest of the source it stands for. A Rasa that changed the source is left as it
is, and a test says so. What each costs in stock Rasa: docs/decisions/0003 and 0009.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Dict, List, Optional, Text, Tuple

from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner

Steps = List[Tuple[Text, List[Text]]]

_schema = RemoteAction.action_response_format_spec()
_validator = validator_for(_schema)(_schema)


def _validate_action_result(self: RemoteAction, result: Dict[Text, Any]) -> bool:
    """Rasa checks its own constant schema against the meta-schema every turn, then the result."""
    for error in _validator.iter_errors(result):
        raise ValidationError(f"The action server's response is not valid: {error.message}")
    return True


def _in_order(schema: GraphSchema) -> Steps:
    """Each node and the names it needs, after all nodes that provide them."""
    steps: Steps = []
    placed = set()

    def place(name: Text) -> None:
        if name in placed or name not in schema.nodes:  # the latter: an input, like the message
            return
        placed.add(name)
        needs = list(schema.nodes[name].needs.values())
        for needed in needs:
            place(needed)
        steps.append((name, needs))

    for name in schema.nodes:
        place(name)
    return steps


def _run_graph(
    self: DaskGraphRunner, inputs: Optional[Dict[Text, Any]] = None, targets: Optional[List[Text]] = None
) -> Dict[Text, Any]:
    """Rasa prunes its graph and has dask order it at every run, always alike and for one thread."""
    wanted = tuple(targets or self._graph_schema.target_names)
    orders: Dict[Tuple[Text, ...], Steps] = self.__dict__.setdefault("_orders", {})
    if wanted not in orders:
        orders[wanted] = _in_order(self._graph_schema.minimal_graph_schema(list(wanted)))
    # A node gets (name, output) of what it needs, or the bare name of what nothing provides.
    results: Dict[Text, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
    try:
        for name, needs in orders[wanted]:
            results[name] = self._instantiated_nodes[name](*(results.get(need, need) for need in needs))
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return {name: results[name][1] for name in wanted}


@dataclass(frozen=True)
class Replaced:
    """A method of Rasa 3.6.21, the digest of its source, and what stands for it."""

    owner: type
    original: Callable[..., Any]
    known_source: str
    replacement: Callable[..., Any]

    @property
    def name(self) -> str:
        return self.original.__name__

    def source_digest(self) -> str:
        """Names the method as Rasa ships it."""
        return sha256(inspect.getsource(self.original).encode()).hexdigest()[:16]


REPLACED = (
    Replaced(RemoteAction, RemoteAction._validate_action_result, "f8cdb4be68123961", _validate_action_result),
    Replaced(DaskGraphRunner, DaskGraphRunner.run, "45f0f52f574f3aa9", _run_graph),
)


def apply() -> None:
    """Put the replacements in place where Rasa is as we know it."""
    for method in REPLACED:
        if method.source_digest() == method.known_source:
            setattr(method.owner, method.name, method.replacement)
