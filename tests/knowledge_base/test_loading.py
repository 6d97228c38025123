"""The loader refuses what it does not know, naming file and line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from knowledge_base.errors import InvalidFile, NoValueOnDate, UnknownName
from knowledge_base.loading import load_knowledge_base
from knowledge_base.office import OFFICE_FILE, load_office
from tests.knowledge_base.small_base import PARAMETER, SOURCES, TOPIC, UNITS, write


def test_a_sound_knowledge_base_is_read_exactly(tmp_path: Path) -> None:
    base = load_knowledge_base(write(tmp_path))
    rules = base.law.at(date(2025, 6, 30))
    assert rules["test.rate"] == Decimal("0.10") and not rules.reported
    assert [citation.text for citation in rules.cited()] == ["Điều 3 khoản 2 điểm a Luật thử"]
    later = base.law.at(date(2025, 7, 1))
    assert later["test.rate"] == Decimal("0.20") and later.reported
    assert later.since("test.rate") == date(2020, 1, 1)
    with pytest.raises(NoValueOnDate, match=r"test.rate has no confirmed value on 2019-12-31"):
        base.law.at(date(2019, 12, 31))["test.rate"]
    with pytest.raises(UnknownName):
        rules["test.other"]


def test_a_value_ends_with_null(tmp_path: Path) -> None:
    ended = PARAMETER.replace("value: 0.20", "value: null")
    base = load_knowledge_base(write(tmp_path, parameter=ended))
    assert base.law.at(date(2025, 6, 30))["test.rate"] == Decimal("0.10")
    with pytest.raises(NoValueOnDate):
        base.law.at(date(2025, 7, 1))["test.rate"]


def test_a_value_that_needs_a_check_is_announced_but_not_in_force(tmp_path: Path) -> None:
    flagged = PARAMETER.replace("label: R}", "label: R, needs_official_check: true}")
    rules = load_knowledge_base(write(tmp_path, parameter=flagged)).law.at(date(2025, 7, 1))
    with pytest.raises(NoValueOnDate):
        rules["test.rate"]
    assert rules.value_on("test.rate", date(2025, 7, 1), announced=True) == Decimal("0.20")
    assert rules.reported


def test_the_repository_names_every_line_it_holds() -> None:
    assert sum(1 for _ in load_knowledge_base().law) > 200


# What is broken, how the file reads then, and how the error names it.
BROKEN = [
    ("a missing key", "parameter", ("unit: ratio\n", ""), "parameters/test/rate.yaml:1: missing key unit"),
    (
        "an unknown key",
        "parameter",
        ("unit:", "note: x\nunit:"),
        "parameters/test/rate.yaml:2: unknown key 'note'",
    ),
    (
        "an unknown unit",
        "parameter",
        ("unit: ratio", "unit: rato"),
        "parameters/test/rate.yaml:2: unknown unit 'rato'",
    ),
    (
        "an unknown source",
        "parameter",
        ("source: law, label", "source: lwa, label"),
        "parameters/test/rate.yaml:5: unknown source 'lwa'",
    ),
    (
        "a day twice",
        "parameter",
        ("2025-07-01", "2020-01-01"),
        "parameters/test/rate.yaml:5: duplicate key 2020-01-01",
    ),
    (
        "days out of order",
        "parameter",
        ("2025-07-01", "2019-07-01"),
        "parameters/test/rate.yaml:3: write the start dates in order",
    ),
    (
        "a start that is no day",
        "parameter",
        ("2025-07-01", "July"),
        "parameters/test/rate.yaml:5: the start of a value must be a date",
    ),
    (
        "no values",
        "parameter",
        (PARAMETER[PARAMETER.index("values:") : PARAMETER.index("reviewed")], "values: {}\n"),
        "parameters/test/rate.yaml:3: values must be a mapping from start dates",
    ),
    (
        "a value alone",
        "parameter",
        ("{value: 0.20, source: law, label: R}", "0.20"),
        "parameters/test/rate.yaml:5: write {value:",
    ),
    (
        "a value and a parameter it follows",
        "parameter",
        ("value: 0.20", "value: 0.20, same_as: test.rate"),
        "parameters/test/rate.yaml:5: give either value or same_as",
    ),
    (
        "neither value nor parameter",
        "parameter",
        ("value: 0.20, ", ""),
        "parameters/test/rate.yaml:5: give either value or same_as",
    ),
    (
        "a parameter that does not exist",
        "parameter",
        ("value: 0.20", "same_as: test.other"),
        "test.rate: same_as names no parameter: test.other",
    ),
    (
        "a yes for a value",
        "parameter",
        ("value: 0.20", "value: yes"),
        "parameters/test/rate.yaml:5: a value is",
    ),
    (
        "a list of words",
        "parameter",
        ("value: 0.20", "value: [a, b]"),
        "parameters/test/rate.yaml:5: a value is",
    ),
    (
        "an unknown label",
        "parameter",
        ("label: R", "label: U"),
        "parameters/test/rate.yaml:5: label must be V (verified) or R (reported)",
    ),
    (
        "an article without quotes",
        "parameter",
        ('article: "3 k2 a"', "article: 3"),
        "parameters/test/rate.yaml:4: write the article in quotes",
    ),
    (
        "a review that is no day",
        "parameter",
        ("reviewed_on: 2026-11-21", "reviewed_on: soon"),
        "parameters/test/rate.yaml:6: reviewed_on must be a date",
    ),
    (
        "a yes for a key",
        "parameter",
        ("unit:", "on: x\nunit:"),
        "parameters/test/rate.yaml:2: do not use on, yes or no",
    ),
    ("text that is no YAML", "parameter", ("values:", "values: ["), "parameters/test/rate.yaml:"),
    (
        "a list for a file",
        "parameter",
        (PARAMETER, "- a\n"),
        "parameters/test/rate.yaml: the file must hold one mapping",
    ),
    (
        "a unit of an unknown format",
        "units",
        ("format: dong", "format: dollar"),
        "units.yaml:2: unknown format 'dollar'",
    ),
    (
        "a source without its day",
        "sources",
        ("in_force_from: 2020-01-01, ", ""),
        "sources.yaml:1: missing key in_force_from",
    ),
    (
        "a source from no day",
        "sources",
        ("2020-01-01", "spring"),
        "sources.yaml:1: in_force_from must be a date",
    ),
    (
        "an unknown subject",
        "topic",
        ("subject: voluntary", "subject: cars"),
        "topics/test/topic.yaml:2: unknown subject 'cars'",
    ),
    (
        "an unknown scheme",
        "topic",
        ("scheme: voluntary", "scheme: cars"),
        "topics/test/topic.yaml:3: unknown scheme 'cars'",
    ),
    (
        "an unknown aspect",
        "topic",
        ("aspect: meaning", "aspect: colour"),
        "topics/test/topic.yaml:4: unknown aspect 'colour'",
    ),
    (
        "a button too long",
        "topic",
        ("title: Thử, say", "title: Một cái tên nút quá dài, say"),
        "topics/test/topic.yaml:6: a button's title has at most 20 characters",
    ),
    (
        "an unknown handling",
        "topic",
        ("aspect: meaning", "aspect: meaning\nhandling: robot"),
        "topics/test/topic.yaml:5: handling must be one of",
    ),
    (
        "a wording alone",
        "topic",
        (
            "  2020-01-01:\n    text: Đóng {test.rate}.\n    citations",
            "  2020-01-01: Đóng\n  2021-01-01:\n    citations",
        ),
        "topics/test/topic.yaml:8: write text and citations",
    ),
    (
        "a wording that is no text",
        "topic",
        ("text: Đóng {test.rate}.", "text: 5"),
        "topics/test/topic.yaml:9: text must be text",
    ),
    ("a unit that is a list", "parameter", ("unit: ratio", "unit: [ratio]"), "parameters/test/rate.yaml:2:"),
    ("a source that is a text", "sources", (SOURCES, "law: Luật thử\n"), "sources.yaml:1:"),
    ("a unit that is a text", "units", (UNITS, "ratio: phần\n"), "units.yaml:1:"),
    (
        "a button that is a text",
        "topic",
        ('button: {title: Thử, say: "Thử gì?"}', "button: Thử"),
        "topics/test/topic.yaml:6:",
    ),
    (
        "citations that are a text",
        "topic",
        ('[{source: law, article: "3"}]', "law"),
        "topics/test/topic.yaml:10:",
    ),
    (
        "a source of a citation that is a list",
        "parameter",
        ("source: law, label: R", "source: [law], label: R"),
        "parameters/test/rate.yaml:5:",
    ),
    (
        "a number for a title",
        "topic",
        ("title: Thử\n", "title: 5\n"),
        "topics/test/topic.yaml:1: title must be text",
    ),
    (
        "a number for a button",
        "topic",
        ("{title: Thử, say", "{title: 5, say"),
        "topics/test/topic.yaml:6: title must be text",
    ),
    (
        "labels that are a text",
        "topic",
        ("[bhxh_tu_nguyen/tn_muc_dong]", "bhxh_tu_nguyen/tn_muc_dong"),
        "topics/test/topic.yaml:5:",
    ),
    (
        "a flag in words",
        "parameter",
        ("label: R", "label: R, needs_official_check: later"),
        "parameters/test/rate.yaml:5:",
    ),
    (
        "a wording of an unknown source",
        "topic",
        ("source: law", "source: lwa"),
        "topics/test/topic.yaml:10: unknown source 'lwa'",
    ),
]


@pytest.mark.parametrize(("kind", "file", "change", "message"), BROKEN, ids=[kind for kind, *_ in BROKEN])
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, kind: str, file: str, change: tuple[str, str], message: str
) -> None:
    texts = {"parameter": PARAMETER, "topic": TOPIC, "sources": SOURCES, "units": UNITS}
    broken = texts[file].replace(*change, 1)
    assert broken != texts[file], f"{kind}: nothing was changed"
    with pytest.raises(InvalidFile) as error:
        load_knowledge_base(write(tmp_path, **{file: broken}))
    assert str(error.value).startswith(message)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "sources.yaml").write_bytes("law: {title: Luật}".encode("utf-16"))
    with pytest.raises(InvalidFile, match=r"^sources\.yaml: cannot be read"):
        load_knowledge_base(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hotline:", "hot_line:", "unknown key 'hot_line'"),
        ("monday:", "moonday:", "unknown weekday 'moonday'"),
        ("conversations_days: 365", "conversations_days: 7", "conversations_days: write a whole number"),
        (
            "conversations_days: 365",
            "conversations_days: một năm",
            "conversations_days: write a whole number",
        ),
        ("audit_days: 1095", "audit_days: 9999999999", "audit_days: write a whole number"),
        ("rasa_tracker_days: 30", "rasa_tracker_days: 0", "rasa_tracker_days: write a whole number"),
        ("audit_days: 1095", "audit_days: 364", "audit_days: the audit trail is kept at least as long"),
    ],
)
def test_a_broken_office_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = OFFICE_FILE.read_text(encoding="utf-8")
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    file = tmp_path / "office.yml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidFile, match=rf"^office\.yml:{line}: {message}"):
        load_office(file)
