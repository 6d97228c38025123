"""Rasa's command line with the logs of bot/logging.yml: `python -m bot.server run …` for `rasa run …`.

Rasa 3.6.21 reads `--logging-config-file` and then puts its own coloured console in the place of what it read.
"""

from __future__ import annotations

import rasa.utils.io
from rasa.__main__ import main


def _keep_configured_logging(loglevel: object) -> None:
    """Stands for `rasa.utils.io.configure_colored_logging`."""


if __name__ == "__main__":
    rasa.utils.io.configure_colored_logging = _keep_configured_logging
    main()
