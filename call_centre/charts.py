"""Charts of the board as SVG, drawn by matplotlib; the same figures stand in tables beside them."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from datetime import date

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from call_centre.statistics import Figures
from call_centre.suggestions import topic_title
from call_centre.texts import say

MAIN = "#0b4f8a"
SECOND = "#b35c00"
TOPICS_DRAWN = 8
LONGEST_LABEL = 42  # characters


def _count_upwards(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)


def _by_day(axes: Axes, figures: Figures) -> None:
    days: list[date] = list(figures.by_day)
    labels = [f"{day:%d/%m}" for day in days]
    opened = [figures.by_day[day][0] for day in days]
    answered = [figures.by_day[day][1] for day in days]
    axes.plot(labels, opened, color=MAIN, marker="o", label="Mở")
    axes.plot(labels, answered, color=SECOND, marker="s", linestyle="--", label="Đã trả lời")
    axes.set_xticks(range(0, len(days), max(1, len(days) // 10)))
    axes.legend(frameon=False)
    _count_upwards(axes)


def _by_hour(axes: Axes, figures: Figures) -> None:
    axes.bar([str(one.hour) for one in figures.by_hour], [one.opened for one in figures.by_hour], color=MAIN)
    _count_upwards(axes)


def _by_score(axes: Axes, figures: Figures) -> None:
    bars = axes.bar([str(score) for score in figures.by_score], list(figures.by_score.values()), color=MAIN)
    axes.bar_label(bars)
    _count_upwards(axes)


def _by_topic(axes: Axes, figures: Figures) -> None:
    shown = [one for one in figures.by_topic if one.escalated][:TOPICS_DRAWN][::-1]
    titles = [topic_title(one.topic) or say("names", "no_topic") for one in shown]
    labels = [textwrap.shorten(title, LONGEST_LABEL, placeholder="…") for title in titles]
    bars = axes.barh(range(len(shown)), [100 * one.rate for one in shown], color=MAIN)
    axes.bar_label(bars, [f"{one.rate:.0%} ({one.escalated})" for one in shown], padding=3)
    axes.set_yticks(range(len(shown)), labels)
    axes.set_xlim(0, 100)


CHARTS: dict[str, Callable[[Axes, Figures], None]] = {
    "by_day": _by_day,
    "by_hour": _by_hour,
    "by_topic": _by_topic,
    "by_score": _by_score,
}


def draw(name: str, figures: Figures) -> bytes:
    """The chart `name` as an SVG file. Raises KeyError for a chart that does not exist."""
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.add_subplot()
    CHARTS[name](axes, figures)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True)
    return buffer.getvalue()
