"""Trains the Rasa model when, and only when, something it is made of has changed."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOT_PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
MODELS = ROOT / "models"
# Everything that ends up in a model. Topic texts do not, but their facets do.
MADE_OF = (
    "config.yml",
    "bot/domain.yml",
    "bot/data/**/*.yml",
    "bot/components/**/*.py",
    "bot/uv.lock",
    "vietnamese/**/*.py",
    "knowledge_base/topics/**/*.yaml",
    "knowledge_base/topics.py",
)
NEEDED_DISK = 500_000_000  # bytes: a model, its temporary copy and the databases


class CannotStart(Exception):
    """One sentence that says what is in the way and what to do about it."""


def bot_environment() -> dict[str, str]:
    """The environment of every Rasa process: no telemetry, none of its libraries' warnings."""
    return {
        **os.environ,
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
    done = subprocess.run(command, cwd=ROOT, env=bot_environment(), check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0 or not model.exists():
        raise CannotStart("Rasa's training failed: the lines above say where.")
    for old in MODELS.glob("*.tar.gz"):
        if old != model:
            old.unlink()
    return model


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
