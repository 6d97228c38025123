"""`check` finds each kind of mistake an officer can make, and says where it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge_base import __main__ as command_line
from knowledge_base.checking import Report, check
from knowledge_base.loading import load_knowledge_base
from tests.knowledge_base.small_base import PARAMETER, SOURCES, TOPIC, UNITS, write

TODAY = date(2026, 11, 22)
TEXTS = {"parameter": PARAMETER, "topic": TOPIC, "sources": SOURCES, "units": UNITS}
EXAMPLES = "".join(
    f"- intent: ask_topic/test.{name}\n  examples: |\n    - đóng mấy phần trăm\n"
    for name in ("topic", "second", "third")
)


def report_of(root: Path, examples: str = EXAMPLES, **changed: str) -> Report:
    """What `check` says of the small knowledge base with some files replaced."""
    base = load_knowledge_base(write(root / "knowledge_base", **changed))
    (root / "bot_data").mkdir()
    (root / "bot_data" / "nlu.yml").write_text(f"nlu:\n{examples}", encoding="utf-8")
    return check(base, TODAY, root / "bot_data")


def broken(file: str, old: str, new: str) -> dict[str, str]:
    """One file of the small knowledge base with a mistake in it."""
    assert old in TEXTS[file]
    return {file: TEXTS[file].replace(old, new, 1)}


def test_a_sound_knowledge_base_has_no_problem(tmp_path: Path) -> None:
    report = report_of(tmp_path)
    assert report.problems == () and report.notices == ()
    assert report.summary == "3 topics, 1 parameters, 1 sources: 0 problems, 0 notices"


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        pytest.param(
            "topic",
            "Đóng {test.rate}.",
            "Đóng 22%.",
            "topics/test/topic.yaml:8: '22%' is typed into the text; write a placeholder like {health.rate}",
            id="a figure typed into a text",
        ),
        pytest.param(
            "topic",
            "Đóng {test.rate}.",
            "Trong 30 ngày đóng {test.rate}.",
            "topics/test/topic.yaml:8: '30 ngày' is typed into the text; "
            "write a placeholder like {health.rate}",
            id="a duration typed into a text",
        ),
        pytest.param(
            "parameter",
            "{value: 0.20, source",
            "{value: null, source",
            "topics/test/topic.yaml:8: on 2025-07-01: test.rate has no confirmed value on 2025-07-01",
            id="a placeholder without a value",
        ),
        pytest.param(
            "topic",
            "  2020-01-01:\n",
            "  2019-01-01:\n",
            "topics/test/topic.yaml:8: on 2019-01-01: test.rate has no confirmed value on 2019-01-01",
            id="a wording older than its figure",
        ),
        pytest.param(
            "topic",
            "{test.rate}",
            "{test.rat}",
            "topics/test/topic.yaml:8: no parameter is called test.rat",
            id="a placeholder of an unknown name",
        ),
        pytest.param(
            "topic",
            "{test.rate}",
            "{test.rate * | percent}",
            "topics/test/topic.yaml:8: a value is missing in {test.rate * }",
            id="a bad expression",
        ),
        pytest.param(
            "topic",
            "{test.rate}",
            "{test.rate * 2}",
            "topics/test/topic.yaml:8: {test.rate * 2} needs a format, like {… | dong}",
            id="an expression without a format",
        ),
        pytest.param(
            "topic",
            "Đóng {test.rate}.",
            "Đóng {test.rate}, nhớ mang giấy tờ." + " Hỏi thêm ở xã." * 60,
            "topics/test/topic.yaml:8: the reply of 2020-01-01 has 982 characters (at most 900)",
            id="a reply too long",
        ),
        pytest.param(
            "topic",
            "[bhxh_tu_nguyen/tn_muc_dong]",
            "[]",
            "topics/test/topic.yaml: evaluation_labels is empty",
            id="a topic without labels",
        ),
        pytest.param(
            "topic",
            '    text: Đóng {test.rate}.\n    citations: [{source: law, article: "3"}]',
            "    text: Có, vẫn đóng được.",
            "topics/test/topic.yaml:8: an answer needs a citation",
            id="an answer without a citation",
        ),
        pytest.param(
            "topic",
            "test.second, test.third",
            "test.second",
            "topics/test/topic.yaml: next names 1 topics (write 2 or 3)",
            id="too few next questions",
        ),
        pytest.param(
            "topic",
            "test.second, test.third",
            "test.second, test.fourth",
            "topics/test/topic.yaml: next names no topic: test.fourth",
            id="a next question that does not exist",
        ),
        pytest.param(
            "topic",
            "test.second, test.third",
            "test.second, test.topic",
            "topics/test/topic.yaml: next offers test.topic, "
            "which is this topic itself or stands there twice",
            id="a topic that offers itself",
        ),
        pytest.param(
            "sources",
            "2020-01-01",
            "2021-01-01",
            "test.rate: 2020-01-01 is before law came into force",
            id="a value older than its source",
        ),
        pytest.param(
            "parameter",
            "label: V}",
            "label: V, needs_official_check: true}",
            "test.rate: 2020-01-01 needs an official check and cannot be labelled V",
            id="a verified value that waits for a check",
        ),
    ],
)
def test_a_mistake_is_a_problem(tmp_path: Path, file: str, old: str, new: str, problem: str) -> None:
    report = report_of(tmp_path, **broken(file, old, new))
    assert problem in report.problems
    assert all(report.problems.count(line) == 1 for line in report.problems)


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        pytest.param(
            ("parameter", "unit: ratio\n", "unit: ratio\nunit: ratio\n"),
            "parameters/test/rate.yaml:3: duplicate key 'unit'",
            id="a key twice",
        ),
        pytest.param(
            ("parameter", "unit: ratio", "unit: rato"),
            "parameters/test/rate.yaml:2: unknown unit 'rato' (add it to units.yaml)",
            id="an unknown unit",
        ),
        pytest.param(
            ("parameter", "source: law, label", "source: decree, label"),
            "parameters/test/rate.yaml:5: unknown source 'decree' (add it to sources.yaml)",
            id="an unknown source",
        ),
        pytest.param(
            ("parameter", "description:", "descriptoin:"),
            "parameters/test/rate.yaml:1: unknown key 'descriptoin' "
            "(known: description, reviewed_on, unit, values)",
            id="an unknown key",
        ),
        pytest.param(
            ("parameter", "2025-07-01", "2019-07-01"),
            "parameters/test/rate.yaml:3: write the start dates in order, each once",
            id="start dates out of order",
        ),
        pytest.param(
            ("parameter", "2025-07-01", "2020-01-01"),
            "parameters/test/rate.yaml:5: duplicate key 2020-01-01",
            id="a start date twice",
        ),
        pytest.param(
            ("topic", "next:", "  2019-01-01:\n    text: null\nnext:"),
            "topics/test/topic.yaml:7: write the start dates in order, each once",
            id="wordings that overlap",
        ),
    ],
)
def test_a_file_out_of_form_stops_the_check_with_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    mistake: tuple[str, str, str],
    error: str,
) -> None:
    write(tmp_path, **broken(*mistake))
    monkeypatch.setattr(command_line, "knowledge_base", lambda: load_knowledge_base(tmp_path))
    assert command_line.main(["check", "--on", "2026-11-22"]) == 2
    assert capsys.readouterr().err == f"{error}\n"


def test_a_repeated_parameter_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path / "knowledge_base")
    copy = tmp_path / "knowledge_base" / "parameters" / "test" / "tariff.yaml"
    copy.write_text(PARAMETER, encoding="utf-8")
    assert report_of(tmp_path).problems == ("test.tariff repeats test.rate: same description and history",)


def test_a_topic_without_examples_and_examples_without_topic_are_problems(tmp_path: Path) -> None:
    examples = EXAMPLES.replace("ask_topic/test.topic", "ask_topic/test.tpic")
    assert report_of(tmp_path, examples).problems == (
        "topics/test/topic.yaml: no examples of ask_topic/test.topic in bot/data",
        "bot/data: ask_topic/test.tpic names no topic",
    )


@pytest.mark.parametrize(
    ("file", "notice"),
    [
        ("topic", "topics/test/topic.yaml: last reviewed on 2026-05-25"),
        ("parameter", "test.rate: last reviewed on 2026-05-25"),
    ],
)
def test_a_review_older_than_180_days_is_a_notice(tmp_path: Path, file: str, notice: str) -> None:
    report = report_of(tmp_path, **broken(file, "2026-11-21", "2026-05-25"))
    assert report.problems == () and report.notices == (notice,)


def test_a_review_of_180_days_ago_is_still_fresh(tmp_path: Path) -> None:
    report = report_of(tmp_path, **broken("topic", "2026-11-21", "2026-05-26"))
    assert report.notices == ()


def test_a_value_that_waits_for_a_check_and_an_unused_parameter_are_notices(tmp_path: Path) -> None:
    write(tmp_path / "knowledge_base")
    unused = tmp_path / "knowledge_base" / "parameters" / "test" / "unused.yaml"
    unused.write_text(
        PARAMETER.replace("A rate", "Another rate")
        .replace("2025-07-01", "2027-01-01")
        .replace("label: R}", "label: R, needs_official_check: true}"),
        encoding="utf-8",
    )
    report = report_of(tmp_path)
    assert report.problems == ()
    assert report.notices == (
        "test.unused: used by no topic and no calculator",
        "test.unused: the value of 2027-01-01 still needs an official check",
    )


def test_problems_fail_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, **broken("topic", "{test.rate}", "22%"))
    monkeypatch.setattr(command_line, "knowledge_base", lambda: load_knowledge_base(tmp_path))
    assert command_line.main(["check", "--on", "2026-11-22"]) == 1
    assert "problem: topics/test/topic.yaml:8: '22%' is typed into the text" in capsys.readouterr().err
