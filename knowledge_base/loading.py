"""Reads the knowledge base from its YAML files, strictly: what is not known is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge_base.dated import Citation, DatedValue, Parameter, Parameters, Source, Value
from knowledge_base.errors import InvalidFile, UnknownName
from knowledge_base.expressions import FORMATS
from knowledge_base.topics import ASPECTS, SCHEMES, SUBJECTS, Button, Topic, Wording
from knowledge_base.yaml_files import Mapping, nested, read_yaml, require_keys, require_texts, texts

ROOT = Path(__file__).resolve().parent
BUTTON_TITLE_LENGTH = 20  # Messenger's limit for quick replies
HANDLINGS = ("answer", "personal_record", "human", "uncertain")


@dataclass(frozen=True)
class Unit:
    """A unit and the format its values are printed in."""

    id: str
    format: str
    meaning: str


@dataclass(frozen=True)
class KnowledgeBase:
    """Everything the assistant may say about policy."""

    sources: dict[str, Source]
    units: dict[str, Unit]
    law: Parameters
    topics: dict[str, Topic]

    def topic(self, topic_id: str) -> Topic:
        """A topic by id. Raises UnknownName."""
        try:
            return self.topics[topic_id]
        except KeyError:
            raise UnknownName(f"no topic is called {topic_id}") from None

    def format_of(self, parameter: str) -> str:
        """The format in which a parameter's unit is printed."""
        return self.units[self.law[parameter].unit].format


def _files(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Every YAML file below a folder: its path, how errors name it, and its dotted name."""
    for path in sorted(folder.rglob("*.yaml")):
        relative = path.relative_to(folder)
        yield path, str(path.relative_to(folder.parent)), ".".join(relative.with_suffix("").parts)


def _date(value: Any, name: str, line: int | None, what: str) -> date:
    if type(value) is not date:
        raise InvalidFile(name, line, f"{what} must be a date like 2026-07-01")
    return value


def _citation(raw: Mapping, sources: dict[str, Source], name: str) -> Citation:
    require_texts(raw, name, "source")
    source_id, article = raw["source"], raw.get("article")
    if source_id not in sources:
        raise InvalidFile(name, raw.lines["source"], f"unknown source {source_id!r} (add it to sources.yaml)")
    if article is not None and not isinstance(article, str):
        raise InvalidFile(name, raw.lines["article"], 'write the article in quotes, like "36" or "36 k2"')
    return Citation(source_id, article or "", _where(article or ""), sources[source_id].title)


def _where(article: str) -> str:
    """`36 k2 a` as `Điều 36 khoản 2 điểm a`."""
    if not article:
        return ""
    number, *rest = article.split()
    words = [f"Điều {number}"]
    for part in rest:
        is_clause = part.startswith("k") and part[1:].isdigit()
        words.append(f"khoản {part[1:]}" if is_clause else f"điểm {part}")
    return " ".join(words)


def _value(raw: Any, name: str, line: int) -> Value | None:
    if raw is None or (isinstance(raw, (int, Decimal, str)) and not isinstance(raw, bool)):
        return raw
    if isinstance(raw, list) and raw and all(isinstance(item, (int, Decimal)) for item in raw):
        return tuple(raw)
    if isinstance(raw, Mapping) and all(
        isinstance(key, int) and isinstance(item, (int, Decimal)) for key, item in raw.items()
    ):
        return dict(raw)
    raise InvalidFile(name, line, "a value is a number, a text, a list of numbers or a table by whole number")


def _dated_value(start: Any, raw: Mapping, line: int, sources: dict[str, Source], name: str) -> DatedValue:
    if not isinstance(raw, Mapping):
        raise InvalidFile(name, line, "write {value: …, source: …, article: …, label: V}")
    require_keys(raw, name, {"source", "label"}, {"value", "same_as", "article", "needs_official_check"})
    if ("value" in raw) == ("same_as" in raw):
        raise InvalidFile(name, line, "give either value or same_as")
    if raw["label"] not in ("V", "R"):
        raise InvalidFile(name, raw.lines["label"], "label must be V (verified) or R (reported)")
    if not isinstance(raw.get("needs_official_check", False), bool):
        raise InvalidFile(
            name, raw.lines["needs_official_check"], "needs_official_check must be true or false"
        )
    return DatedValue(
        start=_date(start, name, line, "the start of a value"),
        value=_value(raw.get("value"), name, line),
        same_as=raw.get("same_as"),
        citation=_citation(raw, sources, name),
        label=raw["label"],
        needs_official_check=raw.get("needs_official_check", False),
    )


def _in_order(starts: list[date], name: str, line: int) -> None:
    if starts != sorted(set(starts)):
        raise InvalidFile(name, line, "write the start dates in order, each once")


def _parameter(
    path: Path, name: str, id_: str, sources: dict[str, Source], units: dict[str, Unit]
) -> Parameter:
    raw = read_yaml(path, name)
    require_keys(raw, name, {"description", "unit", "values", "reviewed_on"}, set())
    require_texts(raw, name, "description", "unit")
    if raw["unit"] not in units:
        raise InvalidFile(name, raw.lines["unit"], f"unknown unit {raw['unit']!r} (add it to units.yaml)")
    if not isinstance(raw["values"], Mapping) or not raw["values"]:
        raise InvalidFile(name, raw.lines["values"], "values must be a mapping from start dates")
    values = tuple(
        _dated_value(start, value, raw["values"].lines[start], sources, name)
        for start, value in raw["values"].items()
    )
    _in_order([value.start for value in values], name, raw.lines["values"])
    reviewed_on = _date(raw["reviewed_on"], name, raw.lines["reviewed_on"], "reviewed_on")
    return Parameter(id_, raw["description"], raw["unit"], values, reviewed_on)


def _wording(start: Any, raw: Mapping, line: int, sources: dict[str, Source], name: str) -> Wording:
    if not isinstance(raw, Mapping):
        raise InvalidFile(name, line, "write text and citations below the start date")
    require_keys(raw, name, {"text"}, {"citations", "label"})
    text = raw["text"]
    if text is not None and not isinstance(text, str):
        raise InvalidFile(name, raw.lines["text"], "text must be text, or null where the answer ends")
    label = raw.get("label", "V")
    if label not in ("V", "R"):
        raise InvalidFile(name, raw.lines["label"], "label must be V (verified) or R (reported)")
    citations = raw.get("citations", [])
    if not isinstance(citations, list) or not all(isinstance(citation, Mapping) for citation in citations):
        raise InvalidFile(name, raw.lines["citations"], "citations must be a list of {source: …, article: …}")
    for citation in citations:
        require_keys(citation, name, {"source"}, {"article"})
    return Wording(
        start=_date(start, name, line, "the start of a wording"),
        text=text.strip() if text else None,
        citations=tuple(_citation(citation, sources, name) for citation in citations),
        label=label,
        line=line,
    )


def _topic(path: Path, name: str, id_: str, sources: dict[str, Source]) -> Topic:
    raw = read_yaml(path, name)
    require_keys(
        raw,
        name,
        {"title", "subject", "scheme", "aspect", "evaluation_labels", "button", "wordings", "reviewed_on"},
        {"handling", "next", "calculator"},
    )
    for key, known in (("subject", SUBJECTS), ("scheme", SCHEMES), ("aspect", ASPECTS)):
        if raw[key] not in known:
            raise InvalidFile(name, raw.lines[key], f"unknown {key} {raw[key]!r} (known: {', '.join(known)})")
    handling = raw.get("handling", "answer")
    if handling not in HANDLINGS:
        raise InvalidFile(name, raw.lines["handling"], f"handling must be one of {', '.join(HANDLINGS)}")
    require_texts(raw, name, "title")
    button = nested(raw, "button", name)
    require_keys(button, name, {"title", "say"}, set())
    require_texts(button, name, "title", "say")
    if len(button["title"]) > BUTTON_TITLE_LENGTH:
        problem = f"a button's title has at most {BUTTON_TITLE_LENGTH} characters: {button['title']!r}"
        raise InvalidFile(name, button.line, problem)
    if not isinstance(raw["wordings"], Mapping) or not raw["wordings"]:
        raise InvalidFile(name, raw.lines["wordings"], "wordings must be a mapping from start dates")
    wordings = tuple(
        _wording(start, wording, raw["wordings"].lines[start], sources, name)
        for start, wording in raw["wordings"].items()
    )
    _in_order([wording.start for wording in wordings], name, raw.lines["wordings"])
    return Topic(
        id=id_,
        path=name,
        title=raw["title"],
        subject=raw["subject"],
        scheme=raw["scheme"],
        aspect=raw["aspect"],
        handling=handling,
        evaluation_labels=texts(raw, "evaluation_labels", name),
        button=Button(button["title"], button["say"]),
        wordings=wordings,
        next=texts(raw, "next", name),
        calculator=raw.get("calculator"),
        reviewed_on=_date(raw["reviewed_on"], name, raw.lines["reviewed_on"], "reviewed_on"),
    )


def load_knowledge_base(root: Path = ROOT) -> KnowledgeBase:
    """The knowledge base below `root`. Raises InvalidFile, naming file and line."""
    sources: dict[str, Source] = {}
    raw_sources = read_yaml(root / "sources.yaml", "sources.yaml")
    for id_ in raw_sources:
        raw = nested(raw_sources, id_, "sources.yaml")
        require_keys(raw, "sources.yaml", {"title", "in_force_from", "read"}, set())
        require_texts(raw, "sources.yaml", "title", "read")
        start = _date(raw["in_force_from"], "sources.yaml", raw.line, "in_force_from")
        sources[id_] = Source(id_, raw["title"], start, raw["read"])
    units: dict[str, Unit] = {}
    raw_units = read_yaml(root / "units.yaml", "units.yaml")
    for id_ in raw_units:
        raw = nested(raw_units, id_, "units.yaml")
        require_keys(raw, "units.yaml", {"format", "meaning"}, set())
        if raw["format"] not in FORMATS and raw["format"] != "text":
            raise InvalidFile("units.yaml", raw.line, f"unknown format {raw['format']!r}")
        units[id_] = Unit(id_, raw["format"], raw["meaning"])
    parameters = {
        id_: _parameter(path, name, id_, sources, units) for path, name, id_ in _files(root / "parameters")
    }
    law = Parameters(parameters)
    for parameter in law:
        for entry in parameter.values:
            if entry.same_as is not None and entry.same_as not in law:
                raise InvalidFile(parameter.name, None, f"same_as names no parameter: {entry.same_as}")
    topics = {id_: _topic(path, name, id_, sources) for path, name, id_ in _files(root / "topics")}
    return KnowledgeBase(sources, units, law, topics)


@lru_cache(maxsize=1)
def knowledge_base() -> KnowledgeBase:
    """The knowledge base of this repository, read once per process."""
    return load_knowledge_base()
