"""The errors the knowledge base raises; each message names the thing, the place and the way out."""

from __future__ import annotations

from datetime import date


class KnowledgeBaseError(Exception):
    """Base of everything that can be wrong with the knowledge base or a question put to it."""


class InvalidFile(KnowledgeBaseError):
    """A YAML file breaks a rule of the format; the message names file and line."""

    def __init__(self, path: str, line: int | None, problem: str) -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {problem}")


class NoValueOnDate(KnowledgeBaseError):
    """A parameter or wording has no confirmed value on the date asked about."""

    def __init__(self, name: str, on: date) -> None:
        self.name = name
        self.on = on
        super().__init__(f"{name} has no confirmed value on {on.isoformat()}")


class UnknownName(KnowledgeBaseError):
    """No parameter, topic, calculator or source carries this name."""


class InvalidInput(KnowledgeBaseError):
    """A calculator's input is malformed: a wrong type, an unknown key or a missing one."""
