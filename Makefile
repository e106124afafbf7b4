# Every target sets up what it needs: a virtual environment in .venv (for serving little is installed, for the rest torch and more),
# the Debian packages, the assets of the people.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
SERVING := $(VENV)/ready-to-serve
READY := $(VENV)/ready
ASSETS := .cache/people/ready
FAMILY := mini
TARGET := cpu
PEOPLE := 100
QUICK :=
NETWORK := unet
PRECISION := fp8
ROWS :=
EXPORT :=

.DEFAULT_GOAL := help
.PHONY: help setup assets engines run serve bench evaluate quantize gpu-check parity check format test test-fast clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv and install what the project needs

$(SERVING): requirements/serve.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements/serve.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

REQUIREMENTS := $(wildcard requirements/*.txt requirements/targets/*.txt)
$(READY): $(SERVING) $(REQUIREMENTS) scripts/install-debian-packages.sh
	sh scripts/install-debian-packages.sh
	$(RUN) -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$(REQUIREMENTS))
	@touch $@

assets: $(ASSETS)  ## fetch and prepare what the synthetic people are made from

$(ASSETS): $(READY) training/people/packages.py training/people/prepare.py training/people/catalogue.py
	$(RUN) -m training.people assets
	@touch $@

# Of sd15 and sdxl, networks that have no graph yet are exported first, with the weights of EXPORT="--weights FILE", else with random ones.
engines: $(if $(filter mini,$(FAMILY)),$(SERVING),$(READY))  ## build the engines: FAMILY=mini TARGET=cpu (or tensorrt-rtx, tensorrt)
	@$(if $(filter mini,$(FAMILY)),true,$(RUN) -W ignore -m export missing --family $(FAMILY) $(EXPORT))
	@if [ -f requirements/targets/$(TARGET).txt ]; then \
		$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements/targets/$(TARGET).txt; fi
	$(RUN) -m engines build --family $(FAMILY) --target $(TARGET)

run: engines  ## start the server, make portraits of the sample person, stop the server; out/portrait.png, out/sheet.png
	$(RUN) -m scripts.first_portraits

serve: engines  ## the server in the foreground, on loopback
	$(RUN) -m server_config

bench: engines $(ASSETS)  ## what serving costs, and others beside it: out/bench.json, docs/performance.md (ROWS="unet mixed": only these)
	$(RUN) -W ignore -m measure.bench $(ROWS)

evaluate: engines $(ASSETS)  ## portraits of people nobody trained on, graded: out/evaluate.json (PEOPLE=100, or QUICK=1)
	$(RUN) -W ignore -m measure.evaluate $(if $(QUICK),--quick,--people $(PEOPLE))

# Model Optimizer wants other packages than the rest: an environment of its own.
QUANTIZING := .venv-quantize
QUANTIZER := $(QUANTIZING)/ready
$(QUANTIZER): requirements/apart/quantize.txt
	$(PYTHON) -m venv $(QUANTIZING)
	$(QUANTIZING)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

quantize: engines $(ASSETS) $(QUANTIZER)  ## a network in fewer bits, and its plan: NETWORK=unet PRECISION=fp8 (or int8)
	$(RUN) -W ignore -m measure.trajectories --network $(NETWORK)
	$(RUN) -m engines quantize --family $(FAMILY) --network $(NETWORK) --precision $(PRECISION)
	$(RUN) -m engines build $(NETWORK) --family $(FAMILY) --target tensorrt-rtx-$(PRECISION)

# TENSORRT: the version of the package tensorrt to install first, from NVIDIA's package index
gpu-check: TARGET := tensorrt
gpu-check: $(READY)  ## for the owner of a GPU: build, check, measure; out/gpu-check/report.md (TARGET=tensorrt or tensorrt-rtx; cpu: a dry run)
	@$(if $(filter cpu,$(TARGET)),true,$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements/apart/gpu-check.txt)
	@$(if $(TENSORRT),$(RUN) -m pip install --quiet --disable-pip-version-check tensorrt==$(TENSORRT),true)
	$(RUN) -W ignore -m gpu_check $(if $(filter cpu,$(TARGET)),--dry-run,--target $(TARGET)) --family $(FAMILY)

parity: $(READY)  ## every network by two runtimes: docs/parity.md
	$(RUN) -W ignore -m export.parity

check: $(READY)  ## format, lint, types, and that the server's configs are what the specs say
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(RUN) -m pytest -q tests/engines/test_engines.py -k committed_configs

format: $(READY)  ## bring the code into its format
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

test-fast: $(READY)  ## tests that need no assets, no weights and no server
	$(RUN) -m pytest -m "not slow and not assets and not server and not released and not modelopt and not large"

test: $(ASSETS)  ## all tests
	$(RUN) -m pytest

clean:  ## remove the environment, the caches and the outputs
	rm -rf $(VENV) $(QUANTIZING) .cache out build
