# One entry for everything. `make` alone lists the targets.
# the first interpreter that runs and is new enough; a version manager may offer names that do not run
PYTHON ?= $(shell for name in python3.12 python3.11 python3; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
export PYTHONDONTWRITEBYTECODE ?=

.DEFAULT_GOAL := help
.PHONY: vendor help run rehearsal test test-units test-browser test-postgresql check fix docs bench demo lock messages catalogues clean screenshots

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

$(VENV)/.run: requirements/app.lock
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/app.lock
	@touch $@

$(VENV)/.dev: requirements/dev.lock
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@ $(VENV)/.run

PO := $(wildcard */translations/*/LC_MESSAGES/messages.po)
MO := $(PO:.po=.mo)
# a catalogue without a header counts as fuzzy as a whole; fuzzy messages are refused by tools/untranslated.py
%.mo: %.po | $(VENV)/.run
	@$(BIN)/pybabel --quiet compile --use-fuzzy --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

catalogues: $(VENV)/.run $(MO)

run: catalogues ## set up, migrate, seed and serve the whole product on 127.0.0.1:$${PORT:-8000}
	@$(BIN)/python -m app.supervisor

rehearsal: catalogues ## a sandbox copy of data/ in accelerated time on 127.0.0.1:8100 (FRESH=1 copies again)
	@$(BIN)/python -m app.rehearsal $(if $(FRESH),--fresh)

browser: # the browser tests need Chromium; installed where we may
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	  else echo "Chromium is not installed: the browser tests will fail. Install the package 'chromium'."; fi; }

test: $(VENV)/.dev catalogues browser ## everything: units on SQLite, the browser (and the journey on SQLite in it), PostgreSQL; the last two wait often
	@$(MAKE) --no-print-directory -j3 --output-sync=target --old-file=browser test-browser test-units test-postgresql

test-units: $(VENV)/.dev catalogues
	$(BIN)/pytest -n 2 --dist loadfile -q --ignore tests/browser --ignore tests/journeys tests

test-browser: $(VENV)/.dev catalogues browser
	$(BIN)/pytest -q tests/browser

test-postgresql: $(VENV)/.dev catalogues
	$(BIN)/pytest -q --database postgresql -m postgresql tests

check: $(VENV)/.dev catalogues ## lint, types, import contracts, templates, catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint app marketplace payments delivery approvals

fix: $(VENV)/.dev ## format and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.dev ## PACKAGE=payments: extract its messages and update its Chinese catalogue
	@test -n "$(PACKAGE)" || { echo "say PACKAGE=app|marketplace|payments|delivery|approvals"; exit 1; }
	@mkdir -p $(PACKAGE)/translations
	@$(BIN)/pybabel --quiet extract -F babel.cfg -k N_ -k lazy_gettext --no-location --sort-output --project Chaoshi --omit-header -o /tmp/$(PACKAGE).pot $(PACKAGE)
	@if [ -f $(PACKAGE)/translations/zh_Hans_CN/LC_MESSAGES/messages.po ]; then \
	  $(BIN)/pybabel --quiet update --no-fuzzy-matching --ignore-obsolete --omit-header -l zh_Hans_CN -i /tmp/$(PACKAGE).pot -d $(PACKAGE)/translations; \
	else $(BIN)/pybabel --quiet init -l zh_Hans_CN -i /tmp/$(PACKAGE).pot -d $(PACKAGE)/translations; fi
	@$(BIN)/python tools/untranslated.py $(PACKAGE)
	@$(MAKE) --no-print-directory catalogues

docs: $(VENV)/.dev catalogues ## write the generated parts of docs/ (state diagrams, problem pages)
	$(BIN)/flask --app wsgi docs build

bench: $(VENV)/.dev catalogues ## run the benchmarks
	$(BIN)/python -m benchmarks

demo: catalogues ## fill the database with demonstration data
	$(BIN)/flask --app wsgi db upgrade
	$(BIN)/flask --app wsgi demo seed

screenshots: $(VENV)/.dev catalogues browser ## take the pictures of docs/screenshots
	$(BIN)/python -m tests.browser.screenshots

vendor: ## copy the front-end packages of package.json to app/web/static/vendor (needs Node; the result is committed)
	npm ci --ignore-scripts --no-audit --no-fund
	node tools/vendor.mjs

lock: $(VENV)/.dev ## resolve requirements/*.in again
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements/app.in -o requirements/app.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements/dev.in -o requirements/dev.lock

clean: ## remove the environment, caches and the demonstration data
	rm -rf $(VENV) data .mypy_cache .ruff_cache .pytest_cache */translations/*/LC_MESSAGES/*.mo
