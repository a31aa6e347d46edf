# Needs Python 3.11 or newer, and make. Everything else is made in .venv here.
.DEFAULT_GOAL := help
.PHONY: help run test check exams faults bench examples docs article backtest ledger register clean

VENV := .venv
PYTHON_IN := $(VENV)/bin/python
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
JOBS ?= 2

# Libraries that bring their own threads would only compete with the worker processes.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY)  ## simulate the reference scenario into out/as_agreed, with figures; resumes
	$(VENV)/bin/simlib run as_agreed -o out/as_agreed

test: check  ## make check, then the tests
	$(PYTHON_IN) -m pytest -n $(JOBS) --dist worksteal

check: $(READY)  ## style, types and layers
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

exams: $(READY)  ## the long tests: many replications against exact answers
	$(PYTHON_IN) -m pytest -n $(JOBS) --dist worksteal -m "slow or exam"

faults: $(READY)  ## kill runs at 200 random points for each way of running, and compare
	PYTHONPATH=tests $(PYTHON_IN) tests/kills.py --kills 200

bench: $(READY) $(BENCH_READY)  ## measure speed and memory beside plain SimPy and a peer
	$(PYTHON_IN) benchmarks/before.py
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PYTHON_IN) benchmarks/bench.py
	$(PYTHON_IN) benchmarks/ensembles.py
	$(PYTHON_IN) benchmarks/counterfactuals.py

examples: $(READY)  ## run the examples; renew their outputs and the figures of the pages
	cd examples && for example in [0-9]*.py; do \
		../$(PYTHON_IN) "$$example" > "$${example%.py}.out" || exit 1; done
	PYTHONPATH=tests $(PYTHON_IN) -m support.notebooks examples/*.ipynb
	rm -rf examples/figures
	$(PYTHON_IN) examples/05_figures.py docs/img 400 > /dev/null

docs: register backtest  ## build the pages that are not committed

register: $(READY)  ## build docs/register.md, how outcomes go with each number included
	rm -rf out/register
	$(VENV)/bin/simlib run as_agreed --option as_agreed --replications 4000 --no-figures -o out/register
	$(VENV)/bin/simlib register as_agreed --results out/register -o docs/register.md --force
	$(PYTHON_IN) tests/built_pages.py

article: $(READY)  ## build docs/article.md: what each sentence of the article moves, and who reads whom
	rm -rf out/article
	$(PYTHON_IN) -m simlib.theatre.questions.article_page out/article docs/article.md

ledger: $(READY)  ## freeze the reference scenario's forecasts again, version 2; version 1 stays as it was frozen
	$(VENV)/bin/simlib forecast as_agreed --replications 4000 \
		-o seeds/ledgers/as_agreed_v2_2024-12-31.json --force
	mkdir -p out
	$(VENV)/bin/simlib forecast as_agreed --as ucdp --replications 2000 -o out/ucdp.csv --force
	$(PYTHON_IN) -c "import hashlib, pathlib; \
		print(hashlib.sha256(pathlib.Path('out/ucdp.csv').read_bytes()).hexdigest())" \
		> seeds/ledgers/as_agreed_v2_2024-12-31_ucdp.sha256

backtest: $(READY)  ## score forecasts of past months beside the baselines; build the page of results
	$(VENV)/bin/simlib backtest -o out/backtest --force
	mkdir -p docs/tables
	cp out/backtest/results.md docs/tables/backtests.md
	$(PYTHON_IN) tests/built_pages.py
	for figure in crps-unit coverage transforms horizons; do \
		cp "out/backtest/$$figure.png" "docs/img/backtests-$$figure.png" || exit 1; done

clean:  ## remove .venv, caches and results
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment of its own is installable even where the system's Python is
# externally managed. uv is used where it is installed: it is quicker, and it finds a Python.
$(PYTHON_IN):
	@if [ -z "$(PYTHON)" ] && command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --clear --seed --python '>=3.11' $(VENV); \
	else \
		for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
			if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
				found=$$python; break; \
			fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo 'simlib needs Python 3.11 or newer: install it (or uv), or say make PYTHON=/path/to/python' >&2; \
			exit 1; \
		fi; \
		$$found -m venv --clear $(VENV) 2>/dev/null || { \
			$$found -m venv --clear --without-pip $(VENV) && \
			$$found -m pip --python $(PYTHON_IN) install --quiet pip; \
		} || { \
			echo "$$found makes no virtual environment with pip in it: install python3-venv, or uv" >&2; \
			rm -rf $(VENV); exit 1; \
		}; \
	fi

$(READY): pyproject.toml requirements-dev.lock | $(PYTHON_IN)
	@echo 'installing the development versions into $(VENV)'
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(PYTHON_IN) -r requirements-dev.lock && \
		uv pip install --quiet --python $(PYTHON_IN) --no-deps -e .; \
	else \
		$(PYTHON_IN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock && \
		$(PYTHON_IN) -m pip install --quiet --disable-pip-version-check --no-deps -e .; \
	fi
	@touch $@

# The peer is optional: where it cannot be installed, the benchmark says so and goes on.
$(BENCH_READY): $(READY)
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(PYTHON_IN) -c requirements-dev.lock gillespy2 scons; \
	else \
		$(PYTHON_IN) -m pip install --quiet --disable-pip-version-check -c requirements-dev.lock gillespy2 scons; \
	fi || echo 'gillespy2 could not be installed; its comparison will be skipped' >&2
	@touch $@
