# `make` alone lists what there is.
PYTHON ?= python3
UV     := $(shell command -v uv 2>/dev/null)
BIN    := .venv/bin
PORT   ?= 8000
export PORT
unexport PYTHONDONTWRITEBYTECODE  # a hundred processes of the tests would compile everything anew
ifdef UV
PIP    := uv pip install -q --python .venv --require-hashes --no-deps
else
PIP    := $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps
endif

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/.ready static/vendor/.ready ## set everything up and start the portal on http://127.0.0.1:8000
	@exec $(BIN)/python -m portal.run

test: .venv/.ready static/vendor/.ready ## every test, on SQLite, PostgreSQL and in a browser
	$(BIN)/python -m pytest

proof: .venv/.ready static/vendor/.ready ## every test on both databases and for long, the races in full, 100,000 odd requests; takes two hours
	PORTAL_TEST_PROOF=1 $(BIN)/python -m pytest
	PORTAL_TEST_PROOF=1 $(BIN)/python -m pytest -m proof -n 0

bench: .venv/.ready ## what pages and bookings cost beside bare Flask, with few and many visits; the desk, mail, the ledger
	$(BIN)/python -m benchmarks.web
	$(BIN)/python -m benchmarks.web_first_view
	$(BIN)/python -m benchmarks.diary
	$(BIN)/python -m benchmarks.board
	$(BIN)/python -m benchmarks.mail
	$(BIN)/python -m benchmarks.ledger

lint: .venv/.ready ## formatting, style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! grep -l '://' requirements*.lock package.json package-lock.json .npmrc || { echo 'a lock or npm file holds a download address'; exit 1; }

check: lint audit test schema sbom ## all that CI runs

audit: .venv/.ready ## whether a weakness of a dependency is known; without a connection it says so and goes on
	$(BIN)/python .ci/dependencies.py audit

sbom: .venv/.ready ## write dist/sbom.cdx.json: what the portal is made of
	$(BIN)/python .ci/dependencies.py sbom

schema: .venv/.ready ## the migrations build exactly the tables of the models
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && export PORTAL_DATA_DIR="$$data" \
	&& $(BIN)/flask --app wsgi db upgrade 2>/dev/null && $(BIN)/flask --app wsgi db check

rules: .venv/.ready ## write docs/clinical-rules.md from the rules
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && PORTAL_DATA_DIR="$$data" $(BIN)/flask --app portal rules > "$$data/rules" && cp "$$data/rules" docs/clinical-rules.md

settings: .venv/.ready ## write docs/settings.md from the settings
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && PORTAL_DATA_DIR="$$data" $(BIN)/flask --app portal settings > "$$data/settings" && cp "$$data/settings" docs/settings.md

format: .venv/.ready ## let ruff format and tidy the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## renew the lock files (needs uv and npm)
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml -o requirements.lock
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --group node -o requirements-node.lock
	npm install --package-lock-only

.venv/.ready: requirements-dev.lock
ifdef UV
	uv venv -q --clear --python '>=3.11' .venv
else
	$(PYTHON) -m venv --clear .venv
endif
	$(PIP) -r requirements-dev.lock
	@touch $@

static/vendor/.ready: package-lock.json .venv/.ready
	@command -v npm >/dev/null || $(PIP) -r requirements-node.lock
	$(BIN)/python portal/assets.py
	@touch $@

clean: ## remove what was built; your data in var/ stays
	rm -rf .venv node_modules static/vendor dist

.PHONY: help run test proof bench lint check audit sbom schema rules settings format lock clean
