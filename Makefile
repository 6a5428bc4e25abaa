# Every target works on a clean checkout: the environments it needs are made on demand, from hash-pinned
# lock files, and made again when a lock file changes.
#
#   PY=3.11   another Python than the best one found (its environment is kept beside the first)
#   ARCH=...  build for one architecture only (arm64 or x86_64)

.DEFAULT_GOAL := help

VENV := .venv$(PY:%=-%)
PYTHON := $(VENV)/bin/python
RUN := PYTHONPATH=layers/dora $(PYTHON)

SAM_VENV := .venv-sam
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$(or $(AWS_DEFAULT_REGION),us-east-1) $(SAM_VENV)/bin/sam

# An environment is named ready by a stamp that carries its lock file's checksum.
checksum = $(firstword $(shell cksum < $1))
READY := $(VENV)/.ready-$(call checksum,requirements-dev.txt)
SAM_READY := $(SAM_VENV)/.ready-$(call checksum,requirements-sam.txt)

.SILENT:
.PHONY: help demo test lint format validate build simulator lock clean

help:  ## this list
	grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /|/' | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: $(READY)  ## a whole trading session against the simulator [DATA= START= CYCLES= MARKETS= SEED= TIER= PLANT=]
	$(RUN) -m tests.demo $(if $(DATA),--data '$(DATA)') $(if $(START),--start '$(START)') \
	    $(if $(CYCLES),--cycles $(CYCLES)) $(if $(MARKETS),--markets $(MARKETS)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(TIER),--tier $(TIER)) $(if $(PLANT),--plant $(PLANT))

test: $(READY)  ## all tests but the long ones
	$(PYTHON) -m pytest -n 2 -m 'not long'

lint: $(READY) validate  ## style, format, types, template
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy

format: $(READY)  ## rewrite to the house format
	$(PYTHON) -m ruff check --fix-only --quiet
	$(PYTHON) -m ruff format

validate: $(SAM_READY)  ## check template.yaml
	$(SAM) validate --lint

# `sam build` wants the deployed Python on PATH for the functions; the layers take it by its full name.
# SAM tells a makefile layer nothing about the architecture, hence SAM_BUILD_ARCH beside the parameter.
# Not cached: SAM's cache knows neither that variable nor whether the interpreter was there last time.
# sam_build(architecture, folder)
sam_build = target=$$(.ci/find-python 3.13 2>/dev/null); \
    PATH="$${target:+$${target%/*}:}$$PATH" TARGET_PYTHON=$$target PIP_PYTHON=$(abspath $(PYTHON)) \
    SAM_BUILD_ARCH=$1 $(SAM) build --no-cached --build-dir $2 --parameter-overrides Architecture=$1

build: $(READY) $(SAM_READY)  ## sam build: arm64 into .aws-sam/build, x86_64 into .aws-sam/build-x86_64 [ARCH=]
	$(if $(filter x86_64,$(ARCH)),,$(call sam_build,arm64,.aws-sam/build))
	$(if $(filter arm64,$(ARCH)),,$(call sam_build,x86_64,.aws-sam/build-x86_64))

simulator: $(READY)  ## serve the simulated exchange on port 8099
	$(RUN) -m tests.simulator --port 8099

# Needs uv. Versions stay as they are unless UPGRADE=1.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
RUNTIME_LOCK := layers/dependencies/requirements.txt

lock:  ## write the lock files anew from pyproject.toml [UPGRADE=1]
	$(LOCK) pyproject.toml -o $(RUNTIME_LOCK)
	$(LOCK) pyproject.toml --group dev -c $(RUNTIME_LOCK) -o requirements-dev.txt
	$(LOCK) --group pyproject.toml:sam -o requirements-sam.txt

clean:  ## remove everything that was made
	rm -rf .venv .venv-* .aws-sam build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find functions layers tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY):
	.ci/make-venv $(VENV) requirements-dev.txt $(PY)
	touch $@

$(SAM_READY):
	.ci/make-venv $(SAM_VENV) requirements-sam.txt
	touch $@
