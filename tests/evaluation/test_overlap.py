"""Rows that are nearly a training example are found, whatever their accents."""

from __future__ import annotations

from pathlib import Path

from evaluation.overlap import check_overlap, grams, training_examples


def test_the_same_sentence_without_accents_is_too_close() -> None:
    rows = [{"id": "a", "text": "bao hiem y te ho gia dinh bao nhieu tien"}]
    assert check_overlap(rows, ["Bảo hiểm y tế hộ gia đình bao nhiêu tiền"]) == [
        "a: 'bao hiem y te ho gia dinh bao nhieu tien' ~ 'Bảo hiểm y tế hộ gia đình bao nhiêu tiền'"
    ]


def test_another_sentence_of_the_same_topic_is_not() -> None:
    rows = [{"id": "a", "text": "nhà tôi ba người mua thẻ thì tốn mấy đồng một năm"}]
    assert check_overlap(rows, ["Bảo hiểm y tế hộ gia đình bao nhiêu tiền"]) == []


def test_the_limit_is_six_tenths_of_all_four_grams() -> None:
    # "abcdefgh" has five 4-grams; sharing three of five is 0.6, two of six is less.
    assert len(grams("abcdefgh")) == 5
    assert check_overlap([{"id": "a", "text": "abcdef"}], ["abcdefgh"])
    assert not check_overlap([{"id": "a", "text": "abcde"}], ["abcdefgh"])


def test_messages_shorter_than_four_letters_are_compared_too() -> None:
    assert check_overlap([{"id": "a", "text": "ok"}], ["OK"])
    assert not check_overlap([{"id": "a", "text": "ok"}], ["hi"])


def test_examples_are_read_from_every_file(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "one.yml").write_text(
        "nlu:\n- intent: a\n  examples: |\n    - một\n    - hai\n", encoding="utf-8"
    )
    (tmp_path / "deeper" / "two.yml").write_text(
        "nlu:\n- lookup: a\n  examples: |\n    - ba\n", encoding="utf-8"
    )
    (tmp_path / "rules.yml").write_text("rules: []\n", encoding="utf-8")
    assert sorted(training_examples(tmp_path)) == ["ba", "hai", "một"]
