"""Parameters with a history: the value in force on a date, and the citation it rests on."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from knowledge_base.errors import NoValueOnDate, UnknownName

Label = Literal["V", "R"]
Scalar = int | Decimal | str
Value = Scalar | tuple[Scalar, ...] | MappingType[int, Scalar]


@dataclass(frozen=True)
class Source:
    """A legal document that may be cited."""

    id: str
    title: str
    in_force_from: date
    read: str


@dataclass(frozen=True)
class Citation:
    """An article of a source, as a citizen reads it: `Điều 36 khoản 1` (`where`) of `title`."""

    source: str
    article: str
    where: str
    title: str

    @property
    def text(self) -> str:
        """The whole citation: `Điều 36 khoản 1 Luật BHXH 41/2024/QH15`."""
        return f"{self.where} {self.title}".strip()

    def as_json(self) -> dict[str, str]:
        return {"source": self.source, "article": self.article, "text": self.text}


@dataclass(frozen=True)
class DatedValue:
    """One value of a parameter from a day on; `value` None ends the history, `same_as` follows another."""

    start: date
    value: Value | None
    same_as: str | None
    citation: Citation
    label: Label
    needs_official_check: bool


@dataclass(frozen=True)
class Parameter:
    """A figure of the law with its unit and its whole history, oldest first."""

    name: str
    description: str
    unit: str
    values: tuple[DatedValue, ...]
    reviewed_on: date

    def entry(self, on: date) -> DatedValue | None:
        """The entry that has started by `on`, whatever its standing; None before the first."""
        started = [entry for entry in self.values if entry.start <= on]
        return started[-1] if started else None


class Rules:
    """The law as it stands on one day; remembers which citations were used to answer."""

    def __init__(self, law: Parameters, on: date) -> None:
        self._law = law
        self.on = on
        self._cited: dict[Citation, None] = {}
        self.reported = False  # a value used so far rests on one secondary source (label R)

    def __getitem__(self, name: str) -> Value:
        """The value of a parameter. Raises NoValueOnDate, never returns the nearest value."""
        return self.value_on(name, self.on)

    def value_on(self, name: str, on: date, announced: bool = False) -> Value:
        """The value on another day; `announced` also gives one that still needs an official check."""
        parameter = self._law[name]
        entry = parameter.entry(on)
        if entry is None or (entry.value is None and entry.same_as is None):
            raise NoValueOnDate(name, on)
        if entry.needs_official_check and not announced:
            raise NoValueOnDate(name, on)
        self._cited[entry.citation] = None
        self.reported = self.reported or entry.label == "R"
        if entry.same_as is not None:
            return self.value_on(entry.same_as, on, announced)
        assert entry.value is not None
        return entry.value

    def since(self, name: str) -> date:
        """The first day a rule has a value: before it the rule did not exist."""
        return self._law[name].values[0].start

    def amount(self, name: str) -> int:
        """An integer value: đồng, months, days, years or people."""
        value = self[name]
        if not isinstance(value, int):
            raise TypeError(f"{name} is not a whole number on {self.on}")
        return value

    def rate(self, name: str) -> Decimal:
        """A rate or multiple as Decimal."""
        value = self[name]
        if not isinstance(value, (int, Decimal)):
            raise TypeError(f"{name} is not a single number on {self.on}")
        return Decimal(value)

    def rates(self, name: str) -> tuple[Decimal, ...]:
        """A list of rates, in the law's order."""
        value = self[name]
        if not isinstance(value, tuple):
            raise TypeError(f"{name} is not a list on {self.on}")
        return tuple(Decimal(item) for item in value)

    def table(self, name: str) -> dict[int, Decimal]:
        """A table of rates by year or step."""
        value = self[name]
        if not isinstance(value, MappingType):
            raise TypeError(f"{name} is not a table on {self.on}")
        return {key: Decimal(item) for key, item in value.items()}

    def cited(self) -> tuple[Citation, ...]:
        """The citations of every value used so far, in order of use."""
        return tuple(self._cited)


class Parameters:
    """All parameters by name."""

    def __init__(self, parameters: MappingType[str, Parameter]) -> None:
        self._parameters = dict(parameters)

    def __getitem__(self, name: str) -> Parameter:
        try:
            return self._parameters[name]
        except KeyError:
            raise UnknownName(f"no parameter is called {name}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._parameters.values())

    def at(self, on: date) -> Rules:
        """The law as it stands on `on` (Asia/Ho_Chi_Minh)."""
        return Rules(self, on)

    def change_dates(self) -> tuple[date, ...]:
        """Every day on which some parameter takes a new value, oldest first."""
        return tuple(sorted({entry.start for parameter in self for entry in parameter.values}))
