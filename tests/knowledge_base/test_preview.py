"""The preview of another day shows every difference and nothing else."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from knowledge_base.__main__ import main
from knowledge_base.loading import knowledge_base, load_knowledge_base
from knowledge_base.preview import compare, page
from tests.knowledge_base.small_base import PARAMETER, TOPIC, write

BEFORE, CHANGE = date(2025, 6, 30), date(2025, 7, 1)


def test_nothing_differs_from_the_same_day() -> None:
    same = compare(knowledge_base(), CHANGE, CHANGE)
    assert (same.answers, same.unanswered, same.parameters) == ((), (), ())
    assert page(same).count("Không có.") == 3


def test_a_changed_figure_shows_both_wordings_and_marks_the_word(tmp_path: Path) -> None:
    comparison = compare(load_knowledge_base(write(tmp_path)), BEFORE, CHANGE)
    assert [change.topic.id for change in comparison.answers] == ["test.second", "test.third", "test.topic"]
    assert not comparison.unanswered
    (parameter,) = comparison.parameters
    assert (parameter.before, parameter.after, parameter.source) == ("10%", "20%", "Luật thử")
    html = page(comparison)
    assert "Đóng <del>10%.\n\n</del>" in html and "<ins>20%." in html
    assert "cần cơ quan BHXH xác nhận" in html  # the new value rests on one secondary source


def test_a_changed_authority_alone_is_a_difference(tmp_path: Path) -> None:
    later = '  2025-07-01:\n    text: Có.\n    citations: [{source: law, article: "4"}]\nnext:'
    topic = TOPIC.replace("Đóng {test.rate}.", "Có.").replace("next:", later)
    comparison = compare(load_knowledge_base(write(tmp_path, topic=topic)), BEFORE, CHANGE)
    assert "test.topic" in [change.topic.id for change in comparison.answers]
    assert "Điều <del>3 </del>Luật thử." in page(comparison)


def test_a_value_that_waits_for_a_check_leaves_topics_without_answer(tmp_path: Path) -> None:
    flagged = PARAMETER.replace("label: R}", "label: R, needs_official_check: true}")
    comparison = compare(load_knowledge_base(write(tmp_path, parameter=flagged)), BEFORE, CHANGE)
    assert not comparison.answers and len(comparison.unanswered) == 3
    assert comparison.unanswered[0].after == (
        "test.rate: giá trị từ 01/07/2025 còn chờ kiểm tra bản chính; "
        "kiểm tra xong thì bỏ needs_official_check."
    )
    (parameter,) = comparison.parameters
    assert parameter.after == "chưa có (đã công bố 20%, chờ kiểm tra)"


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("parameter", "value: 0.20", "value: null", "test.rate: giá trị đã kết thúc từ 01/07/2025"),
        (
            "topic",
            "next:",
            "  2025-07-01:\n    text: null\nnext:",
            "Chủ đề không có câu chữ cho ngày 01/07/2025",
        ),
    ],
)
def test_the_reason_for_no_answer_is_named(
    tmp_path: Path, file: str, old: str, new: str, reason: str
) -> None:
    text = {"parameter": PARAMETER, "topic": TOPIC}[file].replace(old, new)
    comparison = compare(load_knowledge_base(write(tmp_path, **{file: text})), BEFORE, CHANGE)
    change = next(change for change in comparison.unanswered if change.topic.id == "test.topic")
    assert isinstance(change.after, str) and change.after.startswith(reason)


def test_a_topic_answered_for_the_first_time_is_shown(tmp_path: Path) -> None:
    older = TOPIC.replace("  2020-01-01:\n", "  2019-01-01:\n")
    base = load_knowledge_base(write(tmp_path, topic=older))
    second, _, topic = compare(base, date(2019, 12, 31), date(2020, 1, 1)).answers
    assert second.before == "Chủ đề không có câu chữ cho ngày 31/12/2019 (topics/test/second.yaml)."
    assert topic.before == "test.rate: chưa ghi giá trị cho ngày 31/12/2019."


def test_text_is_escaped(tmp_path: Path) -> None:
    topic = TOPIC.replace("Đóng", "Đóng <b>").replace("title: Thử\n", "title: Thử <i>\n")
    html = page(compare(load_knowledge_base(write(tmp_path, topic=topic)), BEFORE, CHANGE))
    assert "<b>" not in html and "<i>" not in html and "&lt;b&gt;" in html and "Thử &lt;i&gt;" in html


def test_the_command_writes_a_page_that_needs_no_other_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "preview.html"
    assert main(["preview", "--on", "2027-01-01", "--out", str(out)]) == 0
    html = out.read_text(encoding="utf-8")
    assert '<html lang="vi">' in html and 'name="viewport"' in html
    assert not re.search(r"src=|https?:|<link|@import|url\(", html)
    for changed in ("poverty.rural: giá trị từ 01/01/2027", "pension.age ", "voluntary.contribution_level "):
        assert changed in html
    summary, path = capsys.readouterr().out.splitlines()
    assert "câu trả lời khác đi" in summary and path == str(out)
