"""Everything a message says that a rule or a calculator needs, in one call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from vietnamese.amounts import find_amounts, hide_personal_numbers
from vietnamese.circumstances import (
    find_age,
    find_before_32_weeks,
    find_birth_order,
    find_caesarean,
    find_children,
    find_group,
    find_region,
    find_sex,
    find_student,
    find_weeks,
)
from vietnamese.dates import find_dates
from vietnamese.household import find_member_order, find_members
from vietnamese.periods import find_periods
from vietnamese.text import Found, Reading

EntityValue = int | str | bool


@dataclass(frozen=True)
class Entity:
    """One thing understood. `start` and `end` are character positions in the NFC text.

    `value`: đồng for `amount`; months for `period` (`extra`: `recurring`); the ISO first day for `date`
    (`extra`: `precision`, `relation`, `end` and `as_of`, the day to answer for); else as the parsers of
    `household` and `circumstances` say.
    """

    name: str
    value: EntityValue
    start: int
    end: int
    text: str
    extra: dict[str, EntityValue | None] = field(default_factory=dict)


# Each of these speaks for its words before dates, periods and amounts are read from what is left.
_FIRST: tuple[tuple[str, Callable[[Reading], Found[int] | None]], ...] = (
    ("age", find_age),
    ("weeks", find_weeks),
    ("member_order", find_member_order),
    ("birth_order", find_birth_order),
    ("children", find_children),
    ("region", find_region),
)
_WORDS: tuple[tuple[str, Callable[[Reading], Found[str] | Found[bool] | None]], ...] = (
    ("group", find_group),
    ("sex", find_sex),
    ("caesarean", find_caesarean),
    ("before_32_weeks", find_before_32_weeks),
    ("student", find_student),
)


def extract(text: str, today: date) -> list[Entity]:
    """All entities in the order of the text; each kind at most once but `amount`, `period` and `date`.

    Spans of numbers never overlap. `before_32_weeks` may stand on the span of `weeks`.
    """
    whole = Reading.of(text)
    entities: list[Entity] = []
    for name, find_word in _WORDS:
        word = find_word(whole)
        if word is not None:
            entities.append(Entity(name, word.value, word.start, word.end, word.text))
    reading = hide_personal_numbers(whole)
    for name, find_number in _FIRST:
        number = find_number(reading)
        if number is not None:
            entities.append(Entity(name, number.value, number.start, number.end, number.text))
            reading = reading.without([(number.start, number.end)])
    for mention in find_dates(reading, today):
        extra: dict[str, EntityValue | None] = {
            "precision": mention.precision,
            "relation": mention.relation,
            "end": mention.end_date.isoformat(),
            "as_of": mention.as_of(today).isoformat(),
        }
        first_day = mention.start_date.isoformat()
        entities.append(Entity("date", first_day, mention.start, mention.end, mention.text, extra))
        reading = reading.without([(mention.start, mention.end)])
    for period in find_periods(reading):
        rhythm: dict[str, EntityValue | None] = {"recurring": period.recurring}
        entities.append(Entity("period", period.months, period.start, period.end, period.text, rhythm))
        reading = reading.without([(period.start, period.end)])
    if members := find_members(reading):
        entities.append(Entity("members", members.value, members.start, members.end, members.text))
        reading = reading.without([(members.start, members.end)])
    for amount in find_amounts(reading):
        entities.append(Entity("amount", amount.value, amount.start, amount.end, amount.text))
    return sorted(entities, key=lambda entity: (entity.start, entity.end))
