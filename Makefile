# One command an errand. Needs Python 3.11+ and make; everything else goes into .venv.
BIN = .venv/bin
UV = $(BIN)/uv
PIP = VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet
MANAGE = $(BIN)/python demo_project/manage.py
DJANGO = DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django
COMPILE = $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url \
	--generate-hashes --custom-compile-command "make lock"
# Carriers' libraries join the developers' lock with the code that uses them.
LOCKED_EXTRAS = --extra email-esp --extra imap --extra images --extra line --extra parquet --extra pdf --extra postgresql --extra prometheus --extra redis --extra semantic --extra twilio --extra whatsapp

# How many processes the tests share the cores with.
JOBS = auto

.DEFAULT_GOAL := help
.PHONY: help install demo demo-data test test-sqlite before-release test-services test-live test-live-slice test-postgresql test-postgresql-slice test-mariadb test-mariadb-slice upgrades environments schema-cases matrix matrix-slice mutants sequences operations kills chaos test-hosts test-hosts-slice coverage lint accuracy fuzz format train bench reference docs messages lock licences package release clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1#\2/p' Makefile | column -t -s '#' 2>/dev/null || grep -E '^[a-z-]+:.*##' Makefile

# --- environment ------------------------------------------------------------------------------------------------------

$(BIN)/python:
	@sh tools/make_venv.sh .venv

$(UV): requirements/installer.txt | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/.demo-installed: requirements/demo.txt pyproject.toml $(UV)
	@echo "Installing what the demo needs…"
	@$(PIP) -r requirements/demo.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev-installed: requirements/dev.txt pyproject.toml $(UV)
	@echo "Installing what developers need…"
	@$(PIP) -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/.demo-installed $@

.venv/.services-installed: requirements/services.txt .venv/.dev-installed
	@$(PIP) -r requirements/services.txt
	@touch $@

.venv/.matrix-installed: requirements/matrix.txt .venv/.dev-installed
	@$(PIP) -r requirements/matrix.txt
	@touch $@

.venv/.mutants-installed: requirements/mutants.txt .venv/.dev-installed
	@$(PIP) -r requirements/mutants.txt
	@touch $@

.venv/.bench-installed: requirements/bench.txt .venv/.dev-installed
	@$(PIP) -r requirements/bench.txt
	@touch $@

install: .venv/.dev-installed ## the environment in .venv

environments: .venv/.services-installed .venv/.matrix-installed ## the same for all tests and the matrix

# --- demo -------------------------------------------------------------------------------------------------------------

demo: .venv/.demo-installed ## the demo at http://127.0.0.1:8000; Ctrl-C ends it
	@exec $(BIN)/python demo_project/demo.py

demo-data: .venv/.demo-installed ## migrations and demo data, nothing is started
	@$(BIN)/python demo_project/demo.py --data-only

# --- checks -----------------------------------------------------------------------------------------------------------

test: .venv/.dev-installed ## the tests that need no service, on all cores; JOBS=0 runs them in one process
	$(BIN)/python -m pytest --slice -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

test-sqlite: .venv/.dev-installed ## the same with those of a kind that one example shows well enough each day
	CONTACT_GUARD_SEQUENCES=300 CONTACT_GUARD_EVERY_STATE=5 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

test-services: .venv/.services-installed ## the same on PostgreSQL and MariaDB, and what needs Redis, RabbitMQ, Chromium
	$(MAKE) --no-print-directory -j3 -O test-live test-postgresql test-mariadb

test-live: .venv/.services-installed ## of it what needs Redis, RabbitMQ, Chromium
	$(BIN)/python -m pytest --services tests/services $(PYTEST_ARGS)

test-live-slice: .venv/.services-installed ## of that what CI takes
	$(BIN)/python -m pytest --services --slice tests/services $(PYTEST_ARGS)

test-postgresql: .venv/.services-installed ## of it the suite on PostgreSQL
	CONTACT_GUARD_SEQUENCES=60 $(BIN)/python -m pytest --ds tests.settings_postgresql $(PYTEST_ARGS)

test-mariadb: .venv/.services-installed ## of it the suite on MariaDB
	CONTACT_GUARD_SEQUENCES=60 $(BIN)/python -m pytest --ds tests.settings_mariadb $(PYTEST_ARGS)

test-postgresql-slice: .venv/.services-installed ## of the suite what CI takes on PostgreSQL: what may come out differently there
	CONTACT_GUARD_SEQUENCES=20 $(BIN)/python -m pytest --slice --ds tests.settings_postgresql $(PYTEST_ARGS)

test-mariadb-slice: .venv/.services-installed ## the same on MariaDB, and less
	CONTACT_GUARD_SEQUENCES=20 $(BIN)/python -m pytest --slice --ds tests.settings_mariadb $(PYTEST_ARGS)

upgrades: .venv/.services-installed ## upgrades from each migration on SQLite, PostgreSQL and MariaDB (tests run every tenth or twentieth)
	@set -e; for settings in settings settings_postgresql settings_mariadb; do \
		CONTACT_GUARD_EVERY_STATE=1 $(BIN)/python -m pytest --ds tests.$$settings tests/upgrades $(PYTEST_ARGS); done

test-hosts: .venv/.services-installed ## the built wheel in living CRMs from PyPI, by the tutorial; needs PostgreSQL
	$(BIN)/python -m pytest --hosts tests/hosts $(PYTEST_ARGS)

test-hosts-slice: .venv/.services-installed ## of it what CI takes: each host, some on one database alone
	$(BIN)/python -m pytest --hosts --slice tests/hosts $(PYTEST_ARGS)

matrix: .venv/.matrix-installed ## the built package on each Python, Django, database, broker, extra (hours); needs the services
	$(BIN)/nox $(NOX_ARGS)

matrix-slice: .venv/.matrix-installed ## of it what CI takes: the two ends on SQLite, and each extra alone
	$(BIN)/nox --tags slice $(NOX_ARGS) -- slice

before-release: ## what CI takes slices of, whole, one after the other (a day)
	$(MAKE) --no-print-directory test-sqlite test-services test-hosts matrix upgrades schema-cases sequences operations kills chaos
	$(MAKE) --no-print-directory mutants SAMPLE=20
	$(MAKE) --no-print-directory fuzz

schema-cases: .venv/.dev-installed ## requests that schemathesis makes up from the API's schema, as each role; CASES=20 a role and operation
	@$(PIP) -r requirements/schema.txt
	CONTACT_GUARD_SCHEMA_CASES=$${CASES:-4} $(BIN)/python -m pytest tests/api/test_schemathesis.py -rP $(PYTEST_ARGS)

sequences: .venv/.dev-installed ## 10,000 random sequences over every channel; SEQUENCES=500 draws fewer
	CONTACT_GUARD_SEQUENCES=$${SEQUENCES:-10000} $(BIN)/python -m pytest tests/channels/test_sequences.py $(PYTEST_ARGS)

operations: .venv/.dev-installed ## 100,000 random honest operations: verification must hold; OPERATIONS=5000 does fewer
	CONTACT_GUARD_OPERATIONS=$${OPERATIONS:-100000} $(BIN)/python -m pytest tests/verification/test_operations.py -rP $(PYTEST_ARGS)

kills: .venv/.services-installed ## 200 kills of real processes over every channel, and 200 while messages wait; KILLS=50 does fewer; needs PostgreSQL, Redis
	CONTACT_GUARD_KILLS=$${KILLS:-200} $(BIN)/python -m pytest --services tests/services/kills -rP $(PYTEST_ARGS)

chaos: .venv/.services-installed ## faults around real processes, such as a full disk; FAULTS=disk_full,… for some; needs Debian's faketime
	CONTACT_GUARD_CHAOS=$${FAULTS:-all} $(BIN)/python -m pytest --services tests/services/chaos -rP $(PYTEST_ARGS)

mutants: .venv/.mutants-installed ## small faults, one at a time: does a test notice? ONLY=delivery/health.py, SAMPLE=40 a module
	DJANGO_SETTINGS_MODULE=tests.settings$(if $(DB),_$(DB)) $(BIN)/python tools/mutants.py $(ONLY) --sample $(or $(SAMPLE),0) $(if $(TESTS),--tests $(TESTS))

coverage: .venv/.dev-installed ## tests with a report of what they miss
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report

lint: .venv/.dev-installed ## style, types, layers, migrations, translations, API schema, licences
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy --config-file demo_project/mypy.ini demo_project
	$(DJANGO) check --fail-level WARNING
	$(DJANGO) makemigrations --check --dry-run
	$(DJANGO) spectacular --validate --fail-on-warn --custom-settings crm_contact_guard.api.schema.SETTINGS --file /dev/null
	$(BIN)/python tools/messages.py check
	$(BIN)/python tools/licences.py check

accuracy: .venv/.dev-installed ## the detector's figures; fails when one falls below the recorded ones (some minutes)
	$(BIN)/python benchmarks/bench_detection_accuracy.py

format: .venv/.dev-installed ## rewrite the code in the house's style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# PyTorch is large, differs by platform, and is needed here alone: an environment of its own, outside the lock.
.venv/encoder/.installed: requirements/bench.txt
	@sh tools/make_venv.sh .venv/encoder
	@.venv/encoder/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	@.venv/encoder/bin/python -m pip install --quiet --disable-pip-version-check "torch>=2.6"
	@touch $@

train: .venv/.bench-installed .venv/encoder/.installed ## the detector's weights from the labelled data in training/ (an hour)
	$(BIN)/python -m training.train_harassment
	$(BIN)/python -m training.train
	.venv/encoder/bin/python -m training.train_encoder
	$(BIN)/python -m training.train_decision

bench: .venv/.bench-installed ## each claim of speed or size, beside a named peer or limit
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

# --- writing ----------------------------------------------------------------------------------------------------------

fuzz: .venv/.bench-installed ## detection for ten minutes, coverage-guided; MAILS=10000 hostile mails by SMTP and Dovecot (hours)
	$(BIN)/python -m tests.fuzz.scan_target -max_total_time=600 -timeout=10 -max_len=5000
	CONTACT_GUARD_MAILS=$${MAILS:-10000} $(BIN)/python -m pytest --services --timeout=0 -s tests/channels/test_mail_fuzz.py \
		tests/services/test_dovecot_fuzz.py $(PYTEST_ARGS)

reference: .venv/.dev-installed ## the reference pages from the code: settings, checks, commands, API
	$(BIN)/python tools/reference.py write

docs: .venv/.dev-installed ## the documentation in docs/_build; warnings fail
	$(BIN)/python tools/reference.py check
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

messages: .venv/.dev-installed ## collect the texts to translate and compile the translations (needs gettext)
	$(BIN)/python tools/messages.py update

lock: $(UV) ## renew requirements/*.txt from pyproject.toml
	$(COMPILE) pyproject.toml --group dev $(LOCKED_EXTRAS) -o requirements/dev.txt
	$(COMPILE) pyproject.toml --group build --group server --extra semantic -c requirements/dev.txt -o requirements/demo.txt
	$(COMPILE) pyproject.toml --group build --group server --extra postgresql --extra redis -c requirements/dev.txt \
		-o requirements/server.txt
	$(COMPILE) --group services -c requirements/dev.txt -o requirements/services.txt
	$(COMPILE) --group matrix -c requirements/dev.txt -o requirements/matrix.txt
	$(COMPILE) --group installer -c requirements/matrix.txt -o requirements/installer.txt
	$(COMPILE) --group schema -c requirements/dev.txt -o requirements/schema.txt
	$(COMPILE) --group mutants -c requirements/dev.txt -o requirements/mutants.txt
	$(COMPILE) --group training --group peers --group fuzz -c requirements/dev.txt -o requirements/bench.txt

package: .venv/.dev-installed ## wheel and sdist in dist/
	$(BIN)/python -m hatchling build

licences: .venv/.dev-installed ## docs/licences.md from what is installed
	$(BIN)/python tools/licences.py write

release: .venv/.dev-installed ## wheel and sdist of the last commit, built twice and compared byte by byte, in dist/
	$(BIN)/python tools/release.py

clean: ## remove what was built; .venv and the demo's data stay
	rm -rf build dist htmlcov docs/_build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
