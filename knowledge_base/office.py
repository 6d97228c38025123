"""The identity of one office, read from `office.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from knowledge_base.errors import InvalidFile
from knowledge_base.yaml_files import Mapping, read_yaml, require_keys

OFFICE_FILE = Path(__file__).resolve().parent.parent / "office.yml"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Address:
    """One place where citizens are received."""

    name: str
    address: str
    phone: str


@dataclass(frozen=True)
class Retention:
    """How long each kind of record is kept, in days."""

    conversations_days: int  # messages, and closed cases with all that was written about them
    rasa_tracker_days: int
    audit_days: int  # who did what to which case, after the case is gone


@dataclass(frozen=True)
class Office:
    """What the assistant says about the office it works for."""

    name: str
    short_name: str
    assistant_name: str
    address_citizen_as: str
    hotline: str
    local_phone: str
    website: str
    addresses: tuple[Address, ...]
    where_to_pay: tuple[str, ...]
    channels: dict[str, str]
    working_hours: dict[int, tuple[tuple[time, time], ...]]  # weekday (Monday is 0) to opening spans
    holidays: dict[date, str]
    answer_within_minutes: int  # working minutes
    retention: Retention


def _working_hours(hours: Mapping, name: str) -> dict[int, tuple[tuple[time, time], ...]]:
    result: dict[int, tuple[tuple[time, time], ...]] = {}
    for day, spans in hours.items():
        line = hours.lines[day]
        if day not in WEEKDAYS:
            raise InvalidFile(name, line, f"unknown weekday {day!r} (write {', '.join(WEEKDAYS)})")
        try:
            parsed = tuple(
                (time.fromisoformat(start), time.fromisoformat(end))
                for start, end in (span.split("-") for span in spans)
            )
        except (ValueError, AttributeError) as error:
            raise InvalidFile(name, line, f"{day}: write spans like 07:30-11:30") from error
        if any(start >= end for start, end in parsed):
            raise InvalidFile(name, line, f"{day}: a span must end after it starts")
        result[WEEKDAYS.index(day)] = parsed
    return result


# Platforms repeat what they delivered, and accept answers, for days.
SHORTEST_RETENTION = {"conversations_days": 30, "rasa_tracker_days": 1, "audit_days": 30}
LONGEST_RETENTION = 36_500


def _retention(periods: Mapping, name: str) -> Retention:
    require_keys(periods, name, set(Retention.__dataclass_fields__), set())
    for period, days in periods.items():
        shortest = SHORTEST_RETENTION[period]
        if type(days) is not int or not shortest <= days <= LONGEST_RETENTION:
            problem = f"{period}: write a whole number of days from {shortest} to {LONGEST_RETENTION}"
            raise InvalidFile(name, periods.lines[period], problem)
    if periods["audit_days"] < periods["conversations_days"]:
        problem = "audit_days: the audit trail is kept at least as long as conversations_days"
        raise InvalidFile(name, periods.lines["audit_days"], problem)
    return Retention(**periods)


def load_office(path: Path = OFFICE_FILE) -> Office:
    """The office described in `path`. Raises InvalidFile naming file and line."""
    name = path.name
    raw = read_yaml(path, name)
    fields = set(Office.__dataclass_fields__)
    require_keys(raw, name, fields, set())
    for address in raw["addresses"]:
        require_keys(address, name, {"name", "address", "phone"}, set())
    return Office(
        **{
            **raw,
            "addresses": tuple(Address(**address) for address in raw["addresses"]),
            "where_to_pay": tuple(raw["where_to_pay"]),
            "working_hours": _working_hours(raw["working_hours"], name),
            "holidays": dict(raw["holidays"]),
            "channels": dict(raw["channels"]),
            "retention": _retention(raw["retention"], name),
        }
    )
