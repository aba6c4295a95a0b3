# `make help` lists what there is. Every target can be run again at any time; what is finished is kept.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
CLUSTER := $(BIN)/python -m e2e.cluster
MODEL := models/tiny_coder/tiny-coder.gguf
# The server needs llama.cpp's library only: no tools, no image or audio models. Its kernels for AVX512-FP16 are left out:
# they add up attention of few tokens number by number where a head has 64 numbers (docs/performance.md).
NO_FP16 := -U__AVX512FP16__
LLAMA := -DLLAVA_BUILD=OFF -DCMAKE_C_FLAGS=$(NO_FP16) -DCMAKE_CXX_FLAGS=$(NO_FP16)
# What llama.cpp gets from us: kernels, and how they are built in.
KERNELS := inference_server/llama.cmake $(sort $(wildcard inference_server/kernels/*))
# pip keeps what it compiled by the source alone: so it gets a cache for each way to compile it.
WHEELS = $(or $(CODEMODEL_CACHE),$(HOME)/.cache/codemodel)/wheels-$(firstword $(shell { echo '$(LLAMA)'; cat $(KERNELS); } | cksum))

.PHONY: help up down status serve test test-unit test-operator e2e e2e-scaling report bench-server bench-operator bench-fetch lint format crds lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: .venv/ready ## kind cluster, operator, model hub and a served model; prints a URL and an answer
	@$(CLUSTER) up

down: .venv/ready ## remove the cluster, and Docker if `make up` started it; caches stay
	@$(CLUSTER) down

status: .venv/ready ## where Docker, the node and the CodeModels stand
	@$(CLUSTER) status

serve: .venv/engine ## the server, tiny-coder and the page alone, on 127.0.0.1:8080, without a cluster
	@$(BIN)/codemodel-server --model $(MODEL) --model-name tiny-coder --host 127.0.0.1 --port $${PORT:-8080} --management-port $${MANAGEMENT_PORT:-0}

test: .venv/engine .venv/browser up ## all tests: unit, integration and end to end on the cluster
	$(BIN)/python -m pytest

test-unit: .venv/engine .venv/browser ## the tests that need no cluster
	$(BIN)/python -m pytest --ignore=e2e/tests $(addprefix --ignore=operator/tests/,control_plane faults generated)

test-operator: .venv/ready up ## the operator on a control plane of its own: faults, made-up CodeModels, rights
	$(BIN)/python -m pytest operator/tests

e2e: .venv/engine up ## the end-to-end suite on the cluster
	$(BIN)/python -m pytest e2e/tests

e2e-scaling: .venv/engine up ## the autoscaler with the cooldown of a real service, 300 s (about a quarter of an hour)
	CODEMODEL_E2E_COOLDOWN=300 $(BIN)/python -m pytest e2e/tests/test_scaling.py

report: .venv/engine up ## all load scenarios on the cluster and their report (PROFILE=ci: less than 15 minutes)
	@$(BIN)/python -m e2e.campaign --profile $(or $(PROFILE),full) $(ARGS)

bench-server: .venv/engine ## our server against llama-server and llama_cpp.server (ARGS="--quick --only infill")
	@$(BIN)/python -m inference_server.benchmarks $(ARGS)

bench-operator: up ## the operator on the cluster, 100 CodeModels one at a time and 1,000 at once (ARGS="--many 100")
	@$(BIN)/python -m e2e.operator_benchmark $(ARGS)

bench-fetch: .venv/ready ## codemodel-fetch against curl and sha256sum on a file of 2 GiB (ARGS="--runs 1")
	@$(BIN)/python -m delivery.benchmarks $(ARGS)

lint: .venv/engine ## ruff, mypy, import layers, and the generated files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m codemodel_operator.api.crd | diff - crds/codemodels.codemodel.dev.yaml

format: .venv/ready ## let ruff format and fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

crds: .venv/ready ## write the CRD from the pydantic models
	$(BIN)/python -m codemodel_operator.api.crd > crds/codemodels.codemodel.dev.yaml

# Without index lines, so that a machine's own mirror is used.
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	--no-emit-package codemodel-delivery
lock: .venv/ready ## pin every dependency anew, with hashes
	$(COMPILE) --upgrade operator/pyproject.toml -o operator/requirements.txt
	$(COMPILE) --upgrade inference_server/pyproject.toml -o inference_server/requirements.txt
	$(COMPILE) --upgrade --group dev operator/pyproject.toml -c operator/requirements.txt \
		-c inference_server/requirements.txt -o requirements.txt
	$(COMPILE) --upgrade e2e/security/checkov.in -o e2e/security/checkov.txt
	$(COMPILE) --upgrade inference_server/benchmarks/llama_cpp_server.in -c requirements.txt \
		-o inference_server/benchmarks/llama_cpp_server.txt

clean: ## remove what was made in this checkout (caches shared between checkouts stay)
	rm -rf .venv build bin artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A Debian package that is lacking, on a machine where we may install it.
install = { apt-get update -q && apt-get install -y -q $(1); } || { echo "Install $(1), then run it again."; exit 1; }

# Python's packages in two parts, because a bring-up does not need llama.cpp compiled for this machine.
.venv/ready: requirements.txt delivery/pyproject.toml operator/pyproject.toml inference_server/pyproject.toml e2e/pyproject.toml
	@echo "Installing the Python packages …"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv || { $(call install,python3-venv) && $(PYTHON) -m venv .venv; }
	@$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e delivery -e operator -e inference_server -e e2e
	@touch $@

.venv/engine: .venv/ready inference_server/requirements.txt $(KERNELS)
	@command -v g++ > /dev/null || { $(call install,g++); }
	@echo "Installing the server's packages; llama.cpp is compiled once (about three minutes) …"
	@$(BIN)/pip uninstall -qqq --yes llama-cpp-python
	@CMAKE_ARGS="$(LLAMA) -DCMAKE_PROJECT_llama_cpp_INCLUDE=$(CURDIR)/inference_server/llama.cmake" \
		$(BIN)/pip install --quiet --cache-dir $(WHEELS) --require-hashes -r inference_server/requirements.txt
	@touch $@

# The page is tried in the distribution's Chromium.
.venv/browser: .venv/ready
	@command -v chromium > /dev/null || { $(call install,chromium); }
	@touch $@
