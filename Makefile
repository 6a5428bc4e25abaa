# Every target works on a clean checkout: the environments it needs are made on demand, from hash-pinned
# lock files, and made again when a lock file changes.
#
#   PY=3.11   another Python than the best one found (its environment is kept beside the first)
#   ARCH=...  build for one architecture only (arm64 or x86_64)

.DEFAULT_GOAL := help

VENV := .venv$(PY:%=-%)
PYTHON := $(VENV)/bin/python
RUN := PYTHONPATH=layers/dora:functions/operator $(PYTHON)

SAM_VENV := .venv-sam
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$(or $(AWS_DEFAULT_REGION),us-east-1) $(SAM_VENV)/bin/sam

# The foreign clients need Python 3.13, the proxy Node 18.20 or newer.
CONTRACT := tests/contract
CONTRACT_VENV := .venv-contract

# An environment is named ready by a stamp that carries its lock file's checksum.
checksum = $(firstword $(shell cksum < $1))
READY := $(VENV)/.ready-$(call checksum,requirements-dev.txt)
SAM_READY := $(SAM_VENV)/.ready-$(call checksum,requirements-sam.txt)
CONTRACT_READY := $(CONTRACT_VENV)/.ready-$(call checksum,$(CONTRACT)/requirements.txt)
PROXY_READY := $(CONTRACT)/node_modules/.ready-$(call checksum,$(CONTRACT)/package-lock.json)
EMULATOR_LOCK := tests/emulator/requirements.txt
OPERATOR_VENV := .venv-operator
OPERATOR_LOCK := functions/operator/requirements.txt
OPERATOR_READY := $(OPERATOR_VENV)/.ready-$(call checksum,$(OPERATOR_LOCK))
EMULATOR_READY := .venv-emulator/.ready-$(call checksum,$(EMULATOR_LOCK))

# A name that no target knows is a slip of the pen: what it was to set would silently keep its default.
KNOWN := ARCH BASE BRAKE CYCLES DATA DAYS ENGINE EVENT EXPLAIN FILE FUNCTION GROUP_BY HOURS KEY_FILE KEY_ID \
    MARKETS ONLY OUT PAID PARAMETERS PLAN PLANT PRINT PY QUICK SEED SEEDS SERIES SET SPLIT STAGE START STRATEGY \
    SWEEP TIER UPGRADE
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command,$(origin $(name))),$(name)))
$(if $(filter-out $(KNOWN),$(GIVEN)),$(error No target knows $(strip $(filter-out $(KNOWN),$(GIVEN))); \
    there are: $(KNOWN)))

.SILENT:
.PHONY: help demo screenshot replay replay-cycle fetch-history test battery mutants soak bench contract lint format validate build deploy artifacts emulator local-invoke simulator lock clean install-operator

help:  ## this list
	grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /~/' | awk -F'~' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: $(READY)  ## a whole trading session against the simulator [DATA= START= CYCLES= MARKETS= SEED= TIER= PLANT=]
	$(RUN) -m tests.demo $(if $(DATA),--data '$(DATA)') $(if $(START),--start '$(START)') \
	    $(if $(CYCLES),--cycles $(CYCLES)) $(if $(MARKETS),--markets $(MARKETS)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(TIER),--tier $(TIER)) $(if $(PLANT),--plant $(PLANT))

screenshot: demo  ## the picture of a demo's report that the README shows, made anew by chromium (Debian's package)
	chromium --headless $(if $(filter 0,$(shell id -u)),--no-sandbox) --hide-scrollbars --window-size=1280,1000 \
	    --virtual-time-budget=5000 --screenshot=tests/demo/report.png 'file://$(CURDIR)/build/demo/report.html'

replay-cycle: $(READY)  ## an archived cycle decided again: FILE=<cycle id>.json.gz [EXPLAIN=ticker]
	$(RUN) -m tests.replay_cycle '$(FILE)' $(if $(EXPLAIN),--explain '$(EXPLAIN)')

# By whole files: the stack that one makes for all its tests is made once. In their order: the small ones come last.
test: $(READY)  ## all tests but the long ones and the battery
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not long' --ignore tests/battery

battery: $(READY)  ## the faults of the acceptance battery, the crash sweeps included, and every other long test
	$(PYTHON) -m pytest -n 2 tests/battery tests/bench
	$(PYTHON) -m pytest -n 2 -m long \
	    $(addprefix --ignore tests/,battery bench artifacts contract emulator)

mutants: $(READY)  ## switch off each guard of an order in turn; some test must notice
	$(RUN) -m tests.mutants

soak: $(READY)  ## virtual days under every kind of fault [SEEDS= HOURS= SEED= MARKETS= PAID=1 GROUP_BY=event PLAN=]
	$(RUN) -m tests.soak $(if $(SEEDS),--seeds $(SEEDS)) $(if $(HOURS),--hours $(HOURS)) \
	    $(if $(SEED),--seed $(SEED)) $(if $(MARKETS),--markets $(MARKETS)) $(if $(PAID),--paid) \
	    $(if $(GROUP_BY),--group-by $(GROUP_BY)) \
	    $(if $(PLAN),--plan '$(PLAN)')

bench: $(READY)  ## what a cycle costs: CPU, calls, write units, tokens, dollars [MARKETS=10,100 ONLY= OUT= QUICK=1]
	$(RUN) -m tests.bench $(if $(MARKETS),--markets $(MARKETS)) $(if $(ONLY),--only $(ONLY)) \
	    $(if $(OUT),--out '$(OUT)') $(if $(QUICK),--quick)

replay: $(READY)  ## what a strategy would have done on recorded markets [DATA= STRATEGY= SET= SWEEP= SPLIT= BRAKE= OUT=]
	$(RUN) -m tests.replay $(if $(DATA),--data '$(DATA)') $(if $(STRATEGY),--strategy '$(STRATEGY)') \
	    $(if $(SET),--set '$(SET)') $(if $(SWEEP),--sweep '$(SWEEP)') $(if $(SPLIT),--split $(SPLIT)) \
	    $(if $(BRAKE),--brake $(BRAKE)) $(if $(OUT),--out '$(OUT)')

fetch-history: $(READY)  ## a series' trades and candles as a recording, for bounds: SERIES= DAYS= [BASE= OUT= KEY_ID= KEY_FILE=]
	$(RUN) -m tests.history --series '$(SERIES)' --days '$(DAYS)' $(if $(BASE),--base-url '$(BASE)') \
	    $(if $(OUT),--out '$(OUT)') $(if $(KEY_ID),--key-id '$(KEY_ID)') $(if $(KEY_FILE),--key-file '$(KEY_FILE)')

contract: $(READY) $(CONTRACT_READY) $(PROXY_READY)  ## foreign judges: a validating proxy, two clients that nobody here wrote
	$(PYTHON) -m pytest $(CONTRACT)

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
# Not cached: SAM's cache knows neither that variable nor whether the interpreter was there last time. What it
# says at the end on its standard output is a hint to deploy that knows nothing of the architecture.
# sam_build(architecture, folder)
sam_build = target=$$(.ci/find-python 3.13 2>/dev/null); \
    PATH="$${target:+$${target%/*}:}$$PATH" TARGET_PYTHON=$$target PIP_PYTHON='$(CURDIR)/$(PYTHON)' \
    SAM_BUILD_ARCH=$1 $(SAM) build --no-cached --build-dir $2 --parameter-overrides Architecture=$1 >/dev/null \
    && echo 'Built for $1: $2$(if $(filter x86_64,$1), (make deploy ARCH=x86_64), (make deploy))'

build: $(READY) $(SAM_READY)  ## sam build: arm64 into .aws-sam/build, x86_64 into .aws-sam/build-x86_64 [ARCH=]
	$(if $(filter x86_64,$(ARCH)),,$(call sam_build,arm64,.aws-sam/build))
	$(if $(filter arm64,$(ARCH)),,$(call sam_build,x86_64,.aws-sam/build-x86_64))

# What was built, made again when a source is newer. The processor here decides which of the two can be run.
BUILT_ARM := .aws-sam/build/template.yaml
BUILT_X86 := .aws-sam/build-x86_64/template.yaml
BUILT_HERE := $(if $(filter aarch64 arm64,$(shell uname -m)),$(BUILT_ARM),$(BUILT_X86))
BUILT_FROM := template.yaml $(shell find functions/cycle functions/session layers -type f -not -path '*/__pycache__/*')

$(BUILT_ARM): $(BUILT_FROM) | $(READY) $(SAM_READY)
	$(call sam_build,arm64,$(@D)) >&2

$(BUILT_X86): $(BUILT_FROM) | $(READY) $(SAM_READY)
	$(call sam_build,x86_64,$(@D)) >&2

deploy: $(READY) $(SAM_READY) $(if $(filter x86_64,$(ARCH)),$(BUILT_X86),$(BUILT_ARM))  ## deploy what was built, and its test events [STAGE=kalshi-demo|prod ARCH= PARAMETERS='AlarmEmail=...' PRINT=1]
	$(PYTHON) .ci/deploy $(SAM_VENV)/bin/sam '$(or $(STAGE),kalshi-demo)' '$(or $(ARCH),arm64)' $(PARAMETERS) $(if $(PRINT),--print)

artifacts: $(READY) $(BUILT_ARM) $(BUILT_X86)  ## tests of what was built, for both architectures
	$(PYTHON) -m pytest tests/artifacts

emulator: $(READY) $(SAM_READY) $(EMULATOR_READY) $(BUILT_HERE)  ## run what was built as Lambda runs it
	$(PYTHON) -m pytest tests/emulator

local-invoke: $(READY) $(SAM_READY) $(EMULATOR_READY) $(BUILT_HERE)  ## one invocation in a world made for it: EVENT=events/cycle.json [FUNCTION= ENGINE=emulator]
	$(RUN) -m tests.emulator '$(or $(EVENT),events/cycle.json)' $(if $(FUNCTION),--function $(FUNCTION)) \
	    $(if $(ENGINE),--engine $(ENGINE))

simulator: $(READY)  ## serve the simulated exchange on port 8099
	$(RUN) -m tests.simulator --port 8099

install-operator: $(READY) $(OPERATOR_READY)  ## the command `dora`, and what `dora local up` needs
	echo "ready: $(CURDIR)/$(OPERATOR_VENV)/bin/dora --help"

# Needs uv. Versions stay as they are unless UPGRADE=1.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
RUNTIME_LOCK := layers/dependencies/requirements.txt

lock:  ## write the lock files anew from pyproject.toml [UPGRADE=1]
	$(LOCK) pyproject.toml -o $(RUNTIME_LOCK)
	$(LOCK) pyproject.toml --group dev -c $(RUNTIME_LOCK) -o requirements-dev.txt
	$(LOCK) pyproject.toml --group operator -c requirements-dev.txt -o $(OPERATOR_LOCK)
	$(LOCK) --group pyproject.toml:sam -o requirements-sam.txt
	$(subst 3.11,3.13,$(LOCK)) $(CONTRACT)/requirements.in -o $(CONTRACT)/requirements.txt
	cd $(CONTRACT) && npm install --package-lock-only --ignore-scripts --no-audit --no-fund \
	    --omit-lockfile-registry-resolved
	$(LOCK) --group pyproject.toml:emulator -o $(EMULATOR_LOCK)

clean:  ## remove everything that was made
	rm -rf .venv .venv-* $(CONTRACT)/node_modules .aws-sam build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find functions layers tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY):
	.ci/make-venv $(VENV) requirements-dev.txt $(PY) >&2
	touch $@

# The command runs from the checkout: two paths are all that is installed beside the packages.
$(OPERATOR_READY):
	.ci/make-venv $(OPERATOR_VENV) $(OPERATOR_LOCK) >&2
	printf '%s\n' '$(CURDIR)/layers/dora' '$(CURDIR)/functions/operator' \
	    >"$$($(OPERATOR_VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])')/dora.pth"
	printf '#!/bin/sh\nexec "%s" -m dora_operator "$$@"\n' '$(CURDIR)/$(OPERATOR_VENV)/bin/python' >$(OPERATOR_VENV)/bin/dora
	chmod +x $(OPERATOR_VENV)/bin/dora
	touch $@

# The client is compiled for the Python that runs the functions.
$(EMULATOR_READY):
	.ci/make-venv .venv-emulator $(EMULATOR_LOCK) 3.13 >&2
	touch $@

$(SAM_READY):
	.ci/make-venv $(SAM_VENV) requirements-sam.txt >&2
	touch $@

# The source archive of one client carries the exchange's document, for checkouts that stand alone.
$(CONTRACT_READY):
	.ci/make-venv $(CONTRACT_VENV) $(CONTRACT)/requirements.txt 3.13
	sed -n '/^kalshi-sdk==/,/# via/p' $(CONTRACT)/requirements.txt >$(CONTRACT_VENV)/source.txt
	$(CONTRACT_VENV)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	    --no-binary kalshi-sdk --require-hashes -r $(CONTRACT_VENV)/source.txt --dest $(CONTRACT_VENV)/source
	tar -xzf $(CONTRACT_VENV)/source/*.tar.gz -C $(CONTRACT_VENV)/source --strip-components=1
	cp $(CONTRACT_VENV)/source/specs/openapi.yaml $(CONTRACT_VENV)/openapi.yaml
	touch $@

$(PROXY_READY):
	cd $(CONTRACT) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@
