# Tanabata's commands. `make run` is all a newcomer needs; everything lands in .venv and .data.
# Paths are relative, so a folder with spaces in its name will do.

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long test-spark check bench bench-insight bench-quick openapi conformance statements access rights sbom lock packages venv
.DELETE_ON_ERROR:

# Asked while this file is read: make must not take the stamps of an environment that broke for good ones.
BROKEN := $(shell .ci/venv --check || rm -f .venv/stamp-run .venv/stamp-dev)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SPARK_PIP := .venv-spark/bin/python -m pip --disable-pip-version-check --quiet
LOCK := compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --quiet

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: .venv/stamp-run ## Everything that `run` needs, without running; leaves .venv/bin/tanabata

run: setup ## Database, demonstration town and server on port 8000 (PORT changes it); Ctrl-C stops
	@exec .venv/bin/tanabata up

test: .venv/stamp-dev packages ## The tests, with bounded samples
	@$(PY) -m pytest -n 2 -m "not long"

test-long: .venv/stamp-dev packages ## All tests in full sizes (hours)
	@$(PY) -m pytest -n 2 --hypothesis-profile=searching

test-spark: .venv-spark/stamp ## Every measure asked of Spark, the same figures (needs Java 17 or 21; installs 3 GB into .venv-spark once)
	@.venv-spark/bin/python -m pytest tests/spark

check: .venv/stamp-dev ## Style, types, walls, migrations, lock files, secrets
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	rm -rf .venv/migrations && $(PY) -m infra.database.as_sql .venv/migrations
	.venv/bin/squawk --config infra/database/squawk.toml .venv/migrations/*.sql
	@! grep -nE '://|index-url|find-links| @ ' requirements*.lock \
	  || { echo "a lock file names a host: make lock"; exit 1; }
	.ci/secrets

bench: .venv/stamp-dev ## Payments over HTTP against pgbench, and much more: half an hour, figures in bench.json and bench.svg
	@$(PY) -m infra.benchmarks.run --json bench.json --chart bench.svg
	@$(PY) -m infra.benchmarks.insight --json bench.json

bench-insight: .venv/stamp-dev ## Only the lake: 10 million payments refreshed, a dashboard, a day beside payments
	@$(PY) -m infra.benchmarks.insight --json bench.json

bench-quick: .venv/stamp-dev ## The references and three results of it: 2 minutes
	@$(PY) -m infra.benchmarks.run --quick --json bench.json --chart bench.svg

conformance: setup ## Hold the fifteen invariants, each against its mutant, and write docs/conformance.md
	@.venv/bin/tanabata conformance --write docs/conformance.md

statements: .venv/stamp-dev packages ## Try every statement on security and business without its guard, and write docs/statements.md (half an hour); ONLY="Business API" tries some and writes nothing
	@$(PY) -m tests.statements $(ONLY)

access: setup ## Write who may do what to docs/access.md, for review
	@.venv/bin/tanabata access

sbom: .venv/stamp-dev ## Everything that an installation runs, with hashes (CycloneDX), in dist/sbom.json
	@mkdir -p dist && $(PY) -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o dist/sbom.json && echo dist/sbom.json

openapi: setup ## Write the APIs' documents to docs/openapi
	@.venv/bin/tanabata openapi

rights: setup ## Write which role may do what in the database to docs/database-rights.md
	@$(PY) -m infra.database.rights docs/database-rights.md

lock: venv ## Resolve the dependencies anew into the three lock files
	@command -v uv >/dev/null || [ -x .venv/uv/bin/uv ] || { $(PY) -m venv .venv/uv && .venv/uv/bin/pip install --quiet uv; }
	PATH="$$PATH:$$PWD/.venv/uv/bin" uv pip $(LOCK) --upgrade --output-file requirements.lock
	PATH="$$PATH:$$PWD/.venv/uv/bin" uv pip $(LOCK) --upgrade --group dev --constraint requirements.lock --output-file requirements-dev.lock
	PATH="$$PATH:$$PWD/.venv/uv/bin" uv pip $(LOCK) --upgrade --extra spark --constraint requirements-dev.lock --output-file requirements-spark.lock

.venv/stamp-run: requirements.lock pyproject.toml | venv
	@echo "installing the dependencies (once; a minute or two)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

.venv/stamp-dev: requirements-dev.lock pyproject.toml | venv
	@echo "installing the dependencies and the tools of tests and checks (once; a minute or two)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@ .venv/stamp-run

# PySpark is published as source only. What packs it is installed first, by its hash, and fetches nothing itself.
.venv-spark/stamp: requirements-dev.lock requirements-spark.lock pyproject.toml | venv
	@echo "installing Spark and the tools of tests (once; several minutes)"
	@$(PY) -m venv --clear .venv-spark
	@$(SPARK_PIP) install --require-hashes -r requirements-dev.lock
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements-spark.lock >.venv-spark/setuptools.lock
	@$(SPARK_PIP) install --require-hashes -r .venv-spark/setuptools.lock
	@$(SPARK_PIP) install --require-hashes --no-build-isolation -r requirements-spark.lock
	@$(SPARK_PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

venv:
	@.ci/venv

packages:
	@.ci/packages
