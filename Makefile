# The commands of the README. Everything that is needed is installed by them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export PATH := $(HOME)/.local/bin:$(PATH)
BOT := uv run --frozen --project bot
UV := uv run --frozen

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: ## install both Python environments as their lock files say
	@command -v uv >/dev/null && uv --version >/dev/null 2>&1 || { echo "• Installing uv"; \
	  python3 -m pip install --quiet --user uv 2>/dev/null \
	  || python3 -m pip install --quiet --user --break-system-packages uv \
	  || { echo "uv cannot be installed: install pip for python3, or uv itself." >&2; exit 1; }; }
	@echo "• Installing the two environments"
	@uv sync --frozen --quiet || { echo "Python 3.11 or newer is missing and could not be fetched." >&2; exit 1; }
	@uv sync --frozen --quiet --project bot --python 3.10 || { echo "Python 3.10 (needed by Rasa) is missing and could not be fetched." >&2; exit 1; }

run: install ## start everything on SQLite and print the addresses; CHANNELS=simulated adds a fanpage and Zalo
	@CHANNELS="$(CHANNELS)" $(UV) python -m stack

train: install ## train the model if something it is made of changed
	@$(UV) python -m stack.training

ask: ## ask the running stack one question: make ask Q="..."
	@$(UV) python -m gateway ask "$(Q)"

lint: install ## ruff, mypy, yamllint, the knowledge base's own check, Rasa's data validation
	$(UV) ruff check .
	$(UV) ruff format --check .
	$(UV) mypy
	$(UV) yamllint --strict .
	$(UV) python -m knowledge_base check
	RASA_TELEMETRY_ENABLED=false SQLALCHEMY_SILENCE_UBER_WARNING=1 $(BOT) rasa data validate --config config.yml --domain bot/domain.yml --data bot/data

test: install ## run every test
	@bash tests/install_services.sh
	$(UV) pytest
	$(BOT) pytest -c bot/pytest.ini --rootdir . tests/bot

preview: install ## show which answers change on another day: make preview DATE=2027-01-01
	@$(UV) python -m knowledge_base preview --on $(or $(DATE),$(error write a day, like make preview DATE=2027-01-01)) --out reports/preview.html

soak: install ## kill the gateway 200 times under load and count what became of every message
	@$(UV) python -m tests.soak --kills $(or $(KILLS),200)

burst: install ## 200 messages a second for 30 seconds: how fast they are acknowledged, and that none is lost
	@$(UV) python -m tests.soak --burst 200 --seconds 30

evaluate: install ## put evaluation/ to the running stack (or to one of its own) and write a report
	@if [ -f "$${DATA_DIR:-var}/stack.json" ]; then $(UV) python -m evaluation; \
	  else DEVELOPMENT=1 $(UV) python -m stack --then .venv/bin/python -m evaluation; fi

benchmark: install ## measure understanding and a whole turn against stock Rasa (an hour): make benchmark PHRASES=more.tsv
	$(BOT) python -m benchmarks.understanding $(if $(PHRASES),--phrases "$(PHRASES)")
	$(BOT) python -m benchmarks.turn

.PHONY: help install run train ask lint test preview soak burst evaluate benchmark
