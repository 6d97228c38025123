"""The Vietnamese sentences of `texts.yaml`, in the voice of one office."""

from __future__ import annotations

from pathlib import Path

from knowledge_base.office import Office
from knowledge_base.yaml_files import read_yaml

TEXTS_FILE = Path(__file__).with_name("texts.yaml")


class Texts:
    """Sentences by key, filled with the office's names."""

    def __init__(self, office: Office, path: Path = TEXTS_FILE) -> None:
        citizen = office.address_citizen_as
        names = {
            "citizen": citizen,
            "Citizen": citizen[0].upper() + citizen[1:],
            "assistant": office.assistant_name,
            "office": office.name,
            "hotline": office.hotline,
        }
        raw = read_yaml(path, path.name)
        self.examples: list[str] = raw.pop("examples")
        self._sentences: dict[str, str] = {key: text.format(**names) for key, text in raw.items()}

    def __getitem__(self, key: str) -> str:
        return self._sentences[key]
