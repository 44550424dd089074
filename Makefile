# Every target works from a bare clone that has python3 (>= 3.11), cargo (>= 1.95) and a C compiler: what is missing
# is put into .venv. The files .venv/.deps and .venv/.core are stamps, so that a second run starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEPS := $(VENV)/.deps
CORE := $(VENV)/.core
BENCH := $(VENV)/.bench
RUST := $(shell find core/src -name '*.rs' 2>/dev/null) core/Cargo.toml core/Cargo.lock
CARGO_PY := PYO3_PYTHON=$(abspath $(BIN)/python)
PIP_LOUD := PATH="$(abspath $(BIN)):$$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -c constraints.txt
PIP := $(PIP_LOUD) --quiet
COMPILE := $(BIN)/maturin develop --release --locked --skip-install
OUT ?= demo-out

.DEFAULT_GOAL := help
.PHONY: help setup demo cookbook ablations test test-long check format bench mutants peers docs site dist clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(CORE) ## make .venv with everything that development needs, and build the native core

# Compiled first, with cargo's own progress: pip would say nothing while it does so, and then finds it done.
$(DEPS): SHELL := bash
$(DEPS): pyproject.toml constraints.txt scripts/make_venv.py
	$(PYTHON) scripts/make_venv.py $(VENV)
	$(PIP) maturin
	@echo "Compiling the native core: some minutes, once."
	$(COMPILE)
	@echo "Installing what development needs: some minutes, once. Of the downloads the larger ones are named."
	@set -o pipefail; MATURIN_PEP517_ARGS=--locked $(PIP_LOUD) --no-build-isolation -e '.[dev]' \
		| awk '/Downloading .* MB\)|Installing build|Building|Installing collected/ {print substr($$0, 1, 100); fflush()}'
	@touch $@

$(CORE): $(DEPS) $(RUST)
	$(COMPILE)
	@touch $@

$(BENCH): $(CORE)
	$(PIP) --no-build-isolation -e '.[bench]'
	@touch $@

demo: $(CORE) ## turn this machine's own Python code into a corpus with a ledger and a report
	$(BIN)/codemill run quickstart --out $(OUT)
	@echo "The report: $(OUT)/report.html"
	@echo "Look at every file: $(BIN)/codemill view $(OUT)"
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] && command -v xdg-open >/dev/null; then xdg-open $(OUT)/report.html; fi

cookbook: $(CORE) ## run examples/cookbook.sh: from raw code to a model that chats (below cookbook-out/)
	PATH="$(abspath $(BIN)):$$PATH" sh examples/cookbook.sh

ABLATE = $(BIN)/codemill ablate $(if $(DATA),--data "$(DATA)") --input "$(INPUT)"
ALGORITHMS := ablations-out/algorithm-packages

ablations: $(CORE) ## three ablations at the scale of two cores, over INPUT=folder (below ablations-out/); DATA=benchmark
	$(ABLATE) --out ablations-out/rules rules
	$(ABLATE) --out ablations-out/dedup_level dedup_level
	test -d $(ALGORITHMS) || $(BIN)/pip download --quiet --no-deps --require-hashes -r examples/algorithms.txt -d $(ALGORITHMS)
	$(ABLATE) --input $(ALGORITHMS) --out ablations-out/annealing annealing

test: $(CORE) ## run the tests, Python and Rust, except those that need a GPU and the long chains
	cargo test --quiet --locked --manifest-path core/Cargo.toml
	$(BIN)/pytest -m 'not gpu and not long' --numprocesses $$(nproc) --dist loadfile

test-long: $(CORE) ## run the chains that take minutes each, from end to end
	$(BIN)/pytest -m 'long and not gpu' --numprocesses $$(nproc) --dist loadfile

check: $(CORE) ## lint, formatting, types, and what is over the size budget
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cargo fmt --manifest-path core/Cargo.toml --check
	$(CARGO_PY) cargo clippy --quiet --locked --manifest-path core/Cargo.toml --all-targets --features python -- -D warnings
	$(BIN)/python scripts/size_budget.py

format: $(CORE) ## rewrite the sources as `make check` wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cargo fmt --manifest-path core/Cargo.toml

bench: $(BENCH) ## time codemill beside its peers (downloads packages to work on)
	$(BIN)/python -m bench

mutants: $(CORE) ## break the code in 200 places and ask the tests (hours; not part of CI)
	$(BIN)/python scripts/mutants.py

peers: ## .peers: an environment with the peers of `python -m bench.redact`
	python3 -m venv .peers
	.peers/bin/pip install --quiet -r bench/redact_peers.txt
	.peers/bin/pip install --quiet --no-deps dolma

docs: $(CORE) ## write the generated pages again and run every code block of README.md and docs/
	$(BIN)/python scripts/catalogue_pages.py
	$(BIN)/pytest tests/test_docs.py

site: $(CORE) ## the documentation as a site with a search (site/)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "Look at it, with its search: python3 -m http.server --bind 127.0.0.1 --directory site"

dist: $(CORE) ## a wheel for any Linux with glibc 2.17 or newer (dist/), and a try of it in an empty environment
	$(PIP) ziglang
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/maturin build --release --locked --zig --compatibility manylinux2014 --out dist
	$(BIN)/python scripts/try_wheel.py dist

clean: ## remove what the other targets made
	rm -rf $(VENV) core/target demo-out demo-model cookbook-out ablations-out site dist codemill/_core*.so
