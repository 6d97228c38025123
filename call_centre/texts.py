"""The Vietnamese sentences and names of `texts.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from knowledge_base.yaml_files import read_yaml

TEXTS_FILE = Path(__file__).with_name("texts.yaml")


@cache
def _texts() -> dict[str, dict[str, str]]:
    return dict(read_yaml(TEXTS_FILE, TEXTS_FILE.name))


def say(section: str, key: str, **values: object) -> str:
    """The sentence `key` of `section` with its placeholders filled. Raises KeyError when it is missing."""
    return _texts()[section][key].format(**values)


def names(section: str) -> dict[str, str]:
    """Every name of a section, in the order of the file."""
    return _texts()[section]


def name(section: str, key: str | None) -> str:
    """What `key` is called; a key without a name is shown as it is."""
    return "" if key is None else _texts()[section].get(key, key)
