"""Trains the Rasa model when, and only when, something it is made of has changed."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from knowledge_base.loading import load_knowledge_base

ROOT = Path(__file__).resolve().parent.parent
BOT_PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
MODELS = ROOT / "models"
# Every file that ends up in a model. Topic texts do not; their facets do (see `fingerprint`).
MADE_OF = (
    "config.yml",
    "bot/domain.yml",
    "bot/data/**/*.yml",
    "bot/components/**/*.py",
    "bot/uv.lock",
    "vietnamese/**/*.py",
)
STEP = re.compile(r"(?:Starting to train|Finished training) component '\w+'|model is trained")
NEEDED_DISK = 500_000_000  # bytes: a model, its temporary copy and the databases


class CannotStart(Exception):
    """One sentence that says what is in the way and what to do about it."""


def bot_environment() -> dict[str, str]:
    """The environment of every Rasa process: no telemetry, none of its libraries' warnings.

    Linear algebra has one thread: several wait for each other longer than a row of a hundred numbers takes.
    """
    return {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }


def fingerprint() -> str:
    """Names the model that the present files make."""
    digest = hashlib.sha256()
    for pattern in MADE_OF:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    for topic in load_knowledge_base().topics.values():
        facets = (topic.id, topic.title, topic.scheme, topic.aspect, topic.evaluation_labels)
        digest.update(repr(facets).encode())
    return digest.hexdigest()[:16]


def model_path() -> Path:
    """Where the model of the present files is, or will be."""
    return MODELS / f"{fingerprint()}.tar.gz"


def train(force: bool = False) -> Path:
    """The trained model of the present files; trains it first where it is missing.

    Raises CannotStart when the disk is full or Rasa's training fails.
    """
    model = model_path()
    if model.exists() and not force:
        return model
    if not BOT_PYTHON.exists():
        raise CannotStart("The Rasa environment is missing: run `uv sync --project bot` from the root.")
    MODELS.mkdir(exist_ok=True)
    if shutil.disk_usage(MODELS).free < NEEDED_DISK:
        raise CannotStart(f"The disk is almost full: free {NEEDED_DISK // 1_000_000} MB and try again.")
    command = [str(BOT_PYTHON), "-m", "rasa", "train", "--config", "config.yml"]
    command += ["--domain", "bot/domain.yml", "--data", "bot/data", "--out", str(MODELS)]
    command += ["--fixed-model-name", model.name.removesuffix(".tar.gz"), "--skip-validation", "--force"]
    log = MODELS / "training.log"
    if _run(command, log) != 0 or not model.exists():
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise CannotStart(f"Rasa's training failed; {log} ends: {''.join(last)}")
    for old in MODELS.glob("*.tar.gz"):
        if old != model:
            old.unlink()
    return model


def _run(command: list[str], log: Path) -> int:
    """Run Rasa's training with everything it says in `log` and its steps on the terminal."""
    print("• Training: reading examples", flush=True)
    with (
        log.open("wb") as file,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=bot_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as training,
    ):
        assert training.stdout is not None
        for line in training.stdout:
            file.write(line)
            step = STEP.search(line.decode(errors="replace"))
            if step:
                print(f"• Training: {step[0].lower()}", flush=True)
    return training.returncode


def main() -> int:
    """Command line: train when something changed."""
    parser = argparse.ArgumentParser(prog="python -m stack.training", description=__doc__)
    parser.add_argument("--force", action="store_true", help="train even if nothing changed")
    arguments = parser.parse_args()
    try:
        print(f"Model: {train(arguments.force)}")
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
