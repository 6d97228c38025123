"""A small knowledge base of one parameter and three topics, written to a folder, some files replaced."""

from __future__ import annotations

from pathlib import Path

SOURCES = """law: {title: Luật thử, in_force_from: 2020-01-01, read: full}
"""
UNITS = """ratio: {format: percent, meaning: phần}
VND: {format: dong, meaning: đồng}
"""
PARAMETER = """description: A rate
unit: ratio
values:
  2020-01-01: {value: 0.10, source: law, article: "3 k2 a", label: V}
  2025-07-01: {value: 0.20, source: law, label: R}
reviewed_on: 2026-11-21
"""
TOPIC = """title: Thử
subject: voluntary
scheme: voluntary
aspect: meaning
evaluation_labels: [bhxh_tu_nguyen/tn_muc_dong]
button: {title: Thử, say: "Thử gì?"}
wordings:
  2020-01-01:
    text: Đóng {test.rate}.
    citations: [{source: law, article: "3"}]
next: [test.second, test.third]
reviewed_on: 2026-11-21
"""


def write(root: Path, **changed: str) -> Path:
    """Write the small knowledge base below `root`, the files named by keyword with another text."""
    files = {
        "sources.yaml": changed.get("sources", SOURCES),
        "units.yaml": changed.get("units", UNITS),
        "parameters/test/rate.yaml": changed.get("parameter", PARAMETER),
        "topics/test/topic.yaml": changed.get("topic", TOPIC),
        "topics/test/second.yaml": TOPIC.replace("test.second", "test.topic"),
        "topics/test/third.yaml": TOPIC.replace("test.third", "test.topic"),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root
