"""Placeholders in topic texts: `{voluntary.rate * poverty.rural | dong}` worked out as of a date."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from knowledge_base.dated import Rules
from knowledge_base.errors import KnowledgeBaseError, UnknownName

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d[\d_]*(?:\.\d+)?)"
    r"|(?P<name>[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)(?:@(?P<at>\d{4}-\d{2}-\d{2}))?(?:\[(?P<index>\d+)\])?"
    r"|(?P<operator>[-+*/()]))"
)
Number = int | Decimal


class InvalidExpression(KnowledgeBaseError):
    """A placeholder that cannot be read or printed."""


def to_dong(amount: Number) -> int:
    """Half up to a whole đồng."""
    return int(Decimal(amount).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def thousands(value: int) -> str:
    """`1234567` as `1.234.567`."""
    return f"{value:,}".replace(",", ".")


def plain(value: Number) -> str:
    """A number with a decimal comma and no trailing zeros: `0,31`, `1,5`, `20`."""
    decimal = Decimal(value)
    if decimal == decimal.to_integral_value():
        return thousands(int(decimal))
    return format(decimal.normalize(), "f").replace(".", ",")


def _age(months: Number) -> str:
    years, rest = divmod(int(months), 12)
    return f"{years} tuổi" + (f" {rest} tháng" if rest else "")


FORMATS: dict[str, Callable[[Number], str]] = {
    "dong": lambda value: f"{thousands(to_dong(value))} đồng",
    "number": lambda value: thousands(to_dong(value)),
    "percent": lambda value: f"{plain(Decimal(value) * 100)}%",
    "count": plain,
    "times": lambda value: f"{plain(value)} lần",
    "days": lambda value: f"{plain(value)} ngày",
    "working_days": lambda value: f"{plain(value)} ngày làm việc",
    "weeks": lambda value: f"{plain(value)} tuần",
    "months": lambda value: f"{plain(value)} tháng",
    "years": lambda value: f"{plain(value)} năm",
    "years_of_age": lambda value: f"{plain(value)} tuổi",
    "hours": lambda value: f"{plain(value)} giờ",
    "people": lambda value: f"{plain(value)} người",
    "age": _age,
}


def placeholders(text: str) -> list[str]:
    """The insides of every `{…}` in a text."""
    return PLACEHOLDER.findall(text)


def names_in(expression: str) -> list[str]:
    """The parameter names an expression uses."""
    return [match["name"] for match in _TOKEN.finditer(expression.partition("|")[0]) if match["name"]]


def _tokens(expression: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    position = 0
    expression = expression.rstrip()
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if not match:
            raise InvalidExpression(f"cannot read {expression[position:]!r} in {{{expression}}}")
        found.append(match)
        position = match.end()
    return found


class _Evaluator:
    """Recursive descent over + - * / and parentheses, in exact arithmetic."""

    def __init__(self, expression: str, rules: Rules) -> None:
        self._expression = expression
        self._rules = rules
        self._rest = _tokens(expression)

    def run(self) -> Number | str:
        value = self._sum()
        if self._rest:
            raise InvalidExpression(f"cannot read the end of {{{self._expression}}}")
        return value

    def _take(self, operators: str) -> str | None:
        if self._rest and self._rest[0]["operator"] and self._rest[0]["operator"] in operators:
            return str(self._rest.pop(0)["operator"])
        return None

    def _number(self, value: Number | str) -> Decimal:
        if isinstance(value, str):
            raise InvalidExpression(f"{{{self._expression}}} calculates with a text")
        return Decimal(value)

    def _sum(self) -> Number | str:
        value = self._product()
        while operator := self._take("+-"):
            left, right = self._number(value), self._number(self._product())
            value = left + right if operator == "+" else left - right
        return value

    def _product(self) -> Number | str:
        value = self._atom()
        while operator := self._take("*/"):
            left, right = self._number(value), self._number(self._atom())
            value = left * right if operator == "*" else left / right
        return value

    def _atom(self) -> Number | str:
        if self._take("("):
            value = self._sum()
            if not self._take(")"):
                raise InvalidExpression(f"a parenthesis is not closed in {{{self._expression}}}")
            return value
        if not self._rest or self._rest[0]["operator"]:
            raise InvalidExpression(f"a value is missing in {{{self._expression}}}")
        token = self._rest.pop(0)
        if token["number"]:
            return Decimal(token["number"].replace("_", ""))
        if token["at"]:
            found = self._rules.value_on(token["name"], date.fromisoformat(token["at"]), announced=True)
        else:
            found = self._rules[token["name"]]
        if token["index"] is not None:
            if isinstance(found, (int, Decimal, str)):
                raise InvalidExpression(f"{token['name']} is a single value and takes no [index]")
            found = found[int(token["index"])]
        if not isinstance(found, (int, Decimal, str)):
            raise InvalidExpression(f"{token['name']} is a list or table: choose one with [index]")
        return found


def evaluate(expression: str, rules: Rules) -> Number | str:
    """The value of an expression without its format. Raises NoValueOnDate, InvalidExpression."""
    return _Evaluator(expression, rules).run()


def render(text: str, rules: Rules, default_format: Callable[[str], str]) -> str:
    """A text with every placeholder replaced; `default_format` gives a parameter's own format.

    Raises NoValueOnDate where a figure is not known on the day, UnknownName for a wrong name.
    """

    def replace(match: re.Match[str]) -> str:
        expression, _, chosen = match[1].partition("|")
        value = evaluate(expression, rules)
        name = chosen.strip()
        if not name:
            names = names_in(expression)
            if len(names) != 1 or re.search(r"[-+*/(]", expression.split("@")[0]):
                raise InvalidExpression(f"{{{match[1]}}} needs a format, like {{… | dong}}")
            name = default_format(names[0])
        if isinstance(value, str):
            return value
        if name not in FORMATS:
            raise UnknownName(f"no format is called {name} (known: {', '.join(sorted(FORMATS))})")
        return FORMATS[name](value)

    return PLACEHOLDER.sub(replace, text)
