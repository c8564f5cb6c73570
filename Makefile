# Everything here needs Python 3.10 or newer with `venv`, and an index that pip can install from.
# VENV=FOLDER uses another environment; PYTHON=PATH makes it with another interpreter.

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_NOTEBOOK := notebooks/coffee_orders.ipynb

# A check that ends with 1 has found the crash it is asked for; any other code is a failure of the demo.
DEMO_CHECK = { code=0; crane-agent check $(1) || code=$$?; \
	if [ $$code -ne 1 ]; then echo "demo: expected exit code 1 (a crash is expected), got $$code" >&2; exit 1; fi; }

.DEFAULT_GOAL := help
.PHONY: help demo test check docs demo-wheel bench-startup evals-junobench evals-cells bench-probes soak-rehearsal \
	evals-planted evals-probes test-kernels evals-checker-junobench evals-checker-cells evals-checker-corpus \
	evals-rehearsal-corpus evals-fixes-junobench evals-fact-text test-real-model test-images

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

demo: $(VENV)/.demo ## Judge a cell of the shipped notebook that would crash
	@PATH="$(abspath $(BIN)):$$PATH"; $(call DEMO_CHECK,$(DEMO_NOTEBOOK))

test: $(VENV)/.test ## Run the whole test suite
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(VENV)/.test ## Formatting, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.test ## Make the pages in docs/ from the code
	$(BIN)/python docs/generate.py

demo-wheel: ## Build the wheel, install it in a fresh environment elsewhere, and run the demo there
	@base=$$(./.ci/find-python $(PYTHON)) || exit 1; \
	folder=$$(mktemp -d) || exit 1; trap 'rm -rf "$$folder"' EXIT; trap 'exit 1' INT TERM; \
	echo "installing the wheel in $$folder" && \
	"$$base" -m venv "$$folder/venv" && \
	"$$folder/venv/bin/python" -m pip wheel --quiet --no-deps --wheel-dir "$$folder" . && \
	"$$folder/venv/bin/python" -m pip install --quiet "$$(ls "$$folder"/*.whl)[demo]" && \
	cp -R notebooks "$$folder/notebooks" && cd "$$folder" && PATH="$$folder/venv/bin:$$PATH" && \
	$(call DEMO_CHECK,"$$folder/$(DEMO_NOTEBOOK)")

bench-startup: $(VENV)/.demo ## Time the start-up of the command line
	$(BIN)/python evals/startup.py

# BENCH is the folder of runnable JunoBench cases, BENCH_PYTHON the interpreter that its setup_env.sh builds.
evals-junobench: $(VENV)/.test ## Measure every arm on JunoBench, on from where it stopped: BENCH=FOLDER BENCH_PYTHON=PATH [GRID="--policy NAME ..."]
	$(BIN)/python -m evals.junobench.grid --bench "$(BENCH)" --python "$(BENCH_PYTHON)" --logs build/junobench \
		--rows evals/results/junobench.jsonl --table evals/results/junobench.md $(GRID)

evals-fixes-junobench: $(VENV)/.test ## Fixes on JunoBench, on from where it stopped: BENCH=FOLDER BENCH_PYTHON=PATH
	$(BIN)/python -m evals.fixes.junobench --bench "$(BENCH)" --python "$(BENCH_PYTHON)" \
		--out evals/results/fixes_junobench.jsonl --table evals/results/fixes_junobench.md

evals-fact-text: $(VENV)/.test ## What facts cost on JunoBench, on from where it stopped: BENCH=FOLDER BENCH_PYTHON=PATH
	$(BIN)/python -m evals.fact_text.junobench --bench "$(BENCH)" --python "$(BENCH_PYTHON)" \
		--out evals/results/fact_text.jsonl --table evals/results/fact_text.md

evals-cells: $(VENV)/.test ## Measure on single cells: CELLS=FILE
	$(BIN)/python -m evals.cells --cells "$(CELLS)" \
		--out evals/results/cells.jsonl --fresh --table evals/results/cells.md

soak-rehearsal: $(VENV)/.test ## Rehearse 500 times in one kernel and see what is left: KERNEL_PYTHON=PATH
	$(BIN)/python -m evals.rehearsal.soak $(if $(KERNEL_PYTHON),--python "$(KERNEL_PYTHON)") \
		--table evals/results/rehearsal_soak.md

# KERNEL_PYTHON is another interpreter for the kernel, one with more libraries.
bench-probes: $(VENV)/.test ## Time the probes: KERNEL_PYTHON=PATH
	$(BIN)/python -m evals.probes.bench $(if $(KERNEL_PYTHON),--python "$(KERNEL_PYTHON)") \
		--table evals/results/probes.md

evals-planted: $(VENV)/.test ## Count the planted facts that the probes find: KERNEL_PYTHON=PATH
	$(BIN)/python -m evals.probes.planted $(if $(KERNEL_PYTHON),--python "$(KERNEL_PYTHON)") \
		--table evals/results/probes_planted.md

evals-probes: $(VENV)/.test ## Ask every probe about JunoBench's names, on from where it stopped: BENCH=FOLDER BENCH_PYTHON=PATH
	$(BIN)/python -m evals.probes.junobench --bench "$(BENCH)" --python "$(BENCH_PYTHON)" \
		--out evals/results/probes_junobench.jsonl --table evals/results/probes_junobench.md

# PEER is a folder of its own for the peer: it is on no other path than the kernel's, and there only when it is asked.
PEER ?= build/peer
PEER_VERSION := crane-llm==1.0.1
# NOTEBOOKS gets what the packages ship, CORPUS_VENV is the environment that they are replayed in.
NOTEBOOKS ?= build/notebooks
CORPUS_VENV ?= .venv-corpus

evals-checker-junobench: $(VENV)/.test $(PEER)/.done ## Measure the checker beside its peer, on from where it stopped: BENCH=FOLDER BENCH_PYTHON=PATH
	$(BIN)/python -m evals.checker.junobench --bench "$(BENCH)" --python "$(BENCH_PYTHON)" --peer "$(PEER)" \
		--out evals/results/checker_junobench.jsonl --table evals/results/checker_junobench.md

evals-checker-cells: $(VENV)/.test $(PEER)/.done ## The same on single cells: CELLS=FILE
	$(BIN)/python -m evals.checker.cells --cells "$(CELLS)" --peer "$(PEER)" \
		--out evals/results/checker_cells.jsonl --fresh --table evals/results/checker_cells.md

evals-checker-corpus: $(VENV)/.test $(CORPUS_VENV)/.done $(NOTEBOOKS)/.done ## The checker on notebooks of packages, on from where it stopped
	$(BIN)/python -m evals.checker.corpus replay "$(NOTEBOOKS)" --python "$(CORPUS_VENV)/bin/python" \
		--out evals/results/checker_corpus.jsonl --table evals/results/checker_corpus.md

evals-rehearsal-corpus: $(VENV)/.test $(CORPUS_VENV)/.done $(NOTEBOOKS)/.done ## Rehearsals on the same, on from where it stopped
	$(BIN)/python -m evals.rehearsal.corpus "$(NOTEBOOKS)" --python "$(CORPUS_VENV)/bin/python" \
		--out evals/results/rehearsal_corpus.jsonl --table evals/results/rehearsal_corpus.md

$(PEER)/.done: | $(VENV)/.test
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target "$(PEER)" $(PEER_VERSION)
	@touch $@

# Needs apt-get for the packages that are Debian's.
$(NOTEBOOKS)/.done: evals/checker/corpus_packages.py | $(VENV)/.test
	$(BIN)/python -m evals.checker.corpus fetch "$(NOTEBOOKS)"
	@touch $@

$(CORPUS_VENV)/.done: evals/checker/corpus_environment.txt
	@base=$$(./.ci/find-python $(PYTHON)) && "$$base" -m venv "$(CORPUS_VENV)"
	$(CORPUS_VENV)/bin/python -m pip install --quiet --requirement evals/checker/corpus_environment.txt
	@touch $@

test-kernels: $(VENV)/.test ## Test kernels of all ages: KERNEL_PYTHONS="PATH ..."; those on the PATH if none
	$(BIN)/python -m evals.probes.kernels $(KERNEL_PYTHONS) --table evals/results/kernels.md

test-images: $(VENV)/.test ## Let pip resolve against what notebook services have installed
	$(BIN)/python -m pytest -m slow tests/test_images.py

# MODEL_PYTHON is an interpreter that has the model and its server; without one an environment is made, which may build
# llama.cpp: that takes a compiler, cmake and half an hour.
REAL_MODEL ?= build/real-model
LLAMA_BUILD := -DLLAVA_BUILD=OFF -DLLAMA_CURL=OFF

test-real-model: $(VENV)/.test $(if $(MODEL_PYTHON),,$(REAL_MODEL)/.done) ## A real model end to end: MODEL_PYTHON=PATH
	$(BIN)/python -m evals.real_model --python "$(or $(MODEL_PYTHON),$(REAL_MODEL)/bin/python)" \
		--table evals/results/real_model.md

$(REAL_MODEL)/.done: evals/real_model_environment.txt
	@base=$$(./.ci/find-python $(PYTHON)) && "$$base" -m venv "$(REAL_MODEL)"
	CMAKE_ARGS="$(LLAMA_BUILD)" $(REAL_MODEL)/bin/python -m pip install --quiet \
		--requirement evals/real_model_environment.txt
	@touch $@

# pip runs only when pyproject.toml changed; the sources are used where they lie.
$(VENV)/.demo: EXTRAS := demo
$(VENV)/.test: EXTRAS := demo,test,evals
$(VENV)/.demo $(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

$(BIN)/python:
	@base=$$(./.ci/find-python $(PYTHON)) || exit 1; "$$base" -m venv "$(VENV)"
