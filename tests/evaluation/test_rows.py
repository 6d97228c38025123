"""Every evaluation row and dialogue is well formed, and every working is worked out right."""

from __future__ import annotations

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from evaluation.__main__ import ROOT, read_rows
from evaluation.comparing import amount_of
from evaluation.dated_figures import DAY, days_asked
from knowledge_base.calculators import calculate
from knowledge_base.loading import knowledge_base

ROWS = read_rows(sorted(ROOT.glob("questions_*.jsonl")))
DIALOGUES = read_rows([ROOT / "dialogues.jsonl"])
WORKED = [row for row in ROWS if "working" in row]
STYLES = {"formal", "casual", "teencode", "no_diacritics", "typo"}
NEEDS = {"answer", "calculate", "personal_record", "human"}
OUTCOMES = {"answered", "asked", "escalated", "declined", "chitchat"}
KEYS = {"id", "text", "topic", "subtopic", "style", "needs", "expected"}
OPTIONAL = {"polarity", "on", "working", "fact", "clarify_ok", "file"}
OUTSIDE = (
    "chao_hoi bot_meta tan_gau thoi_tiet_tin_tuc ngan_hang bao_hiem_thuong_mai thu_tuc_hanh_chinh"
    " phap_luat_khac hoc_tap_cong_nghe mua_sam_du_lich suc_khoe chui_boi vo_nghia tan_cong_prompt lua_dao"
)
OPERATIONS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def labels() -> set[str]:
    """Every label: those the knowledge base declares, and those outside it."""
    inside = {label for topic in knowledge_base().topics.values() for label in topic.evaluation_labels}
    return inside | {f"out_of_scope/oos_{name}" for name in OUTSIDE.split()}


def work_out(formula: str) -> int:
    """The whole đồng of a formula as people write it: `22% × 1.500.000 − 66.000`."""
    plain = re.sub(r"(?<=\d)\.(?=\d{3})", "", formula)
    for written, read in ((",", "."), ("×", "*"), ("−", "-"), ("^", "**"), ("%", "/100")):
        plain = plain.replace(written, read)

    def value(node: ast.expr) -> Decimal:
        if isinstance(node, ast.Constant):
            return Decimal(ast.get_source_segment(plain, node) or "")
        assert isinstance(node, ast.BinOp), f"not arithmetic: {formula}"
        return OPERATIONS[type(node.op)](value(node.left), value(node.right))

    return int(value(ast.parse(plain.strip(), mode="eval").body).quantize(Decimal(1), ROUND_HALF_UP))


def test_there_are_enough_rows_of_each_kind() -> None:
    assert len(ROWS) >= 520 and len(DIALOGUES) >= 60
    assert sum(row["topic"] == "out_of_scope" for row in ROWS) >= 90
    assert len(WORKED) >= 90
    styles = Counter(row["style"] for row in ROWS)
    assert {style for style, n in styles.items() if n >= 0.15 * len(ROWS)} == STYLES
    assert {row["needs"] for row in ROWS} == NEEDS
    assert sum("on" in row or len(days_asked(row)) > 1 for row in ROWS) >= 25


def test_every_label_has_at_least_four_rows() -> None:
    counts = Counter(f"{row['topic']}/{row['subtopic']}" for row in ROWS)
    assert counts.keys() == labels()
    assert {label: n for label, n in counts.items() if n < 4} == {}


def test_ids_and_texts_stand_once() -> None:
    everything = [*ROWS, *DIALOGUES]
    assert [name for name, n in Counter(row["id"] for row in everything).items() if n > 1] == []
    assert [said for said, n in Counter(row["text"] for row in ROWS).items() if n > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_row(row: dict[str, Any]) -> None:
    assert row.keys() >= KEYS and row.keys() - KEYS <= OPTIONAL
    assert row["style"] in STYLES and row["needs"] in NEEDS
    assert row["text"] == row["text"].strip() != ""
    assert row.get("polarity", "yes") in {"yes", "no", "depends"}
    assert row.get("fact", "none") == "none" and row.get("clarify_ok", True) is True
    assert all(alternative.strip() for entry in row["expected"] for alternative in entry.split("|"))
    date.fromisoformat(row.get("on", DAY))
    if row["needs"] == "calculate":
        assert "working" in row
    if row["needs"] == "answer" and row["topic"] != "out_of_scope":
        # Without a fact nothing can be required; with one something must be, or the answer is a yes or a no.
        assert bool(row["expected"]) or "polarity" in row or row.get("fact") == "none"
        assert not (row["expected"] and row.get("fact") == "none")


@pytest.mark.parametrize("row", WORKED, ids=lambda row: row["id"])
def test_working(row: dict[str, Any]) -> None:
    working = row["working"]
    formula, _, result = working["formula"].rpartition("=")
    assert work_out(formula) == working["result"]
    assert amount_of(result) == working["result"]
    assert [amount_of(entry) for entry in row["expected"]] == [working["result"]]


@pytest.mark.parametrize(
    "row", [row for row in WORKED if "calculator" in row["working"]], ids=lambda row: row["id"]
)
def test_calculator_agrees_with_the_working(row: dict[str, Any]) -> None:
    working = row["working"]
    value: Any = calculate(
        working["calculator"], working["inputs"], date.fromisoformat(row.get("on", DAY))
    ).outputs
    for step in working["output"].split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    assert value == working["result"]


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue["id"])
def test_dialogue(dialogue: dict[str, Any]) -> None:
    assert dialogue.keys() - {"on"} == {"id", "tags", "turns", "file"}
    assert dialogue["tags"] and dialogue["turns"]
    for turn in dialogue["turns"]:
        assert turn.keys() - {"outcome"} == {"user", "expect", "keys", "not_keys"}
        assert turn["user"].strip() and turn["expect"].strip()
        assert all(alternative.strip() for key in turn["keys"] for alternative in key.split("|"))
        assert not turn.get("outcome") or set(turn["outcome"].split("|")) <= OUTCOMES
        assert turn["keys"] or turn.get("outcome"), "a turn must be able to fail"
