"""Strict YAML: duplicate keys refused, decimals as Decimal, every mapping remembers its line."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.errors import InvalidFile


class Mapping(dict[Any, Any]):
    """A YAML mapping with the line of every key, so that errors can name it."""

    lines: dict[Any, int]
    line: int


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses duplicate keys and never makes a float."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> Mapping:
    result = Mapping()
    result.lines = {}
    result.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, Hashable):
            raise InvalidFile(loader.name, line, "a key must be a plain value")
        if isinstance(key, bool):
            raise InvalidFile(loader.name, line, "do not use on, yes or no as a key (YAML reads a boolean)")
        if key in result:
            shown = repr(key) if isinstance(key, str) else str(key)
            raise InvalidFile(loader.name, line, f"duplicate key {shown}")
        result[key] = loader.construct_object(value_node, deep=True)
        result.lines[key] = line
    return result


def _construct_decimal(loader: _StrictLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(node.value).replace("_", ""))


def _construct_text(loader: _StrictLoader, node: yaml.ScalarNode) -> str:
    return unicodedata.normalize("NFC", loader.construct_scalar(node))


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _construct_decimal)
_StrictLoader.add_constructor("tag:yaml.org,2002:str", _construct_text)


def read_yaml(path: Path, shown_as: str | None = None) -> Mapping:
    """The mapping in a YAML file.

    Raises InvalidFile, naming file and line, when the file is unreadable, not a mapping, or has
    a duplicate key.
    """
    name = shown_as or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(name, None, f"cannot be read: {error}") from error
    loader = _StrictLoader(text)
    loader.name = name
    try:
        document = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InvalidFile(name, line, f"not valid YAML: {error.problem}") from error
    finally:
        loader.dispose()
    if not isinstance(document, Mapping):
        raise InvalidFile(name, None, "the file must hold one mapping")
    return document


def require_keys(mapping: Mapping, name: str, required: set[str], optional: set[str]) -> None:
    """Refuse a mapping with a missing or an unknown key, naming the line."""
    for key in mapping:
        if key not in required | optional:
            known = ", ".join(sorted(required | optional))
            raise InvalidFile(name, mapping.lines[key], f"unknown key {key!r} (known: {known})")
    missing = sorted(required - mapping.keys())
    if missing:
        raise InvalidFile(name, mapping.line, f"missing key {', '.join(missing)}")


def nested(mapping: Mapping, key: Any, name: str) -> Mapping:
    """The mapping below a key, refused when it is anything else."""
    value = mapping[key]
    if not isinstance(value, Mapping):
        raise InvalidFile(name, mapping.lines[key], f"{key} must be a mapping like {{key: value}}")
    return value


def require_texts(mapping: Mapping, name: str, *keys: str) -> None:
    """Refuse a value that is not text."""
    for key in keys:
        if not isinstance(mapping[key], str):
            raise InvalidFile(name, mapping.lines[key], f"{key} must be text; put it in quotes")


def texts(mapping: Mapping, key: str, name: str) -> tuple[str, ...]:
    """The list of texts below a key, empty when the key is missing."""
    value = mapping.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidFile(name, mapping.lines[key], f"{key} must be a list like [one, two]")
    return tuple(value)
