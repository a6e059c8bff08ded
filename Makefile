# All build results and environments are inside the checkout. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := python/ferroscope/_core.abi3.so
RUST_SOURCES := $(shell find rust -type f -not -path '*/target/*') Cargo.toml Cargo.lock
# The current SDKs are in $(VENV). Older major versions have environments of their own. `sdks-oldest` has the major versions
# that Mirascope v1.25.7 requires. In the last one every dependency has the lower bound of pyproject.toml.
OLDER_SDKS := sdks-oldest sdks-older sdks-lowest
sdks-oldest := openai==1.109.* anthropic[bedrock]<1 google-genai==1.75.* groq<1 mistralai==1.12.* cohere<6
sdks-older := openai>=2,<3 anthropic[bedrock]>=1,<2 google-genai>=2,<3 mistralai>=2,<3 cohere>=6,<7 boto3==1.35.* aiobotocore==2.15.*
sdks-lowest := pydantic==2.7.* orjson==3.9.* docstring-parser==0.15 typing-extensions==4.12.* pytest==8.* \
	openai==1.60.* anthropic[bedrock]==0.50.* groq==0.30.* cohere==5.16.* azure-ai-inference==1.0.0b9 azure-identity==1.15.* aiohttp==3.9.*

# Files of the contract whose outcome does not depend on the SDK's version: they run with the current SDKs only. So do rows
# with the SDK and the format of another row (the marker `same_sdk`).
SAME_WITH_ANY_SDK := test_batches test_copies test_direct_proxies test_hedging test_hostile_servers test_many_at_once test_native_hazards \
	test_proxies test_shared_streams test_start_page test_structured_surface test_web_events

# The tests of the older SDKs, one after the other, run at the same time as those of the current ones: most of the time of
# both is waiting.
comma := ,
space := $() $()
OLDER_SUITES := $(subst $(space),$(comma),$(OLDER_SDKS:%=test-%))
STAGES := test-rust test-python+$(OLDER_SUITES) test-prices

.PHONY: help demo page test test-fast test-rust test-python test-sdks test-prices prices lint lint-rust lint-python wheel audit docs bench bench-full count-instructions tools clean
.DEFAULT_GOAL := help
# Keep the environments, which are intermediate targets of the tests.
.SECONDARY:

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.demo $(CORE) ## Demonstrate the library, without a key
	@$(BIN)/python -m ferroscope demo
	@echo '`make page` opens the chat page of this demo, without a key.'

page: $(VENV)/.demo $(CORE) ## Serve a chat page on this machine, without a key
	@$(BIN)/python -m ferroscope demo --page

test: $(VENV)/.test $(CORE) ## Build everything and run all tests, even after a failure, with a summary at the end
	+@$(PYTHON) tools/run_suites.py --make '$(MAKE) --no-print-directory' $(STAGES)

test-fast: $(VENV)/.test $(CORE) ## Run the Python unit tests without the slow ones, in less than a minute
	$(BIN)/python -m pytest tests/python/unit -m 'not slow' --ignore-glob='*/test_testing_*'

test-rust: | tools ## Run the tests of the core
	cargo test --package ferroscope-core --package ferroscope-transport --locked

test-python: $(VENV)/.test $(CORE) ## Run the Python tests with the current SDKs
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

test-sdks: $(OLDER_SDKS:%=test-%) ## Run the tests of SDKs with their older major versions

test-sdks-%: .venvs/sdks-%/.installed $(CORE)
	PYTHONPATH=python .venvs/sdks-$*/bin/python -m pytest $(PYTEST_OPTIONS) -m 'not same_sdk' tests/python/contract \
		$(SAME_WITH_ANY_SDK:%=--ignore=tests/python/contract/%.py)

# The source packages of the prices are pinned, and cached after the first download.
test-prices: $(VENV)/.venv ## Check that the price table is up to date with its pinned sources
	$(BIN)/python tools/build_prices.py --check --quiet --sources .venvs/price-sources

prices: $(VENV)/.venv ## Write the price table, and print where its sources disagree
	$(BIN)/python tools/build_prices.py --sources .venvs/price-sources

lint: lint-rust lint-python ## Run every linter and type checker

lint-rust: | tools
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; \
	else echo 'cargo-deny is not installed: licences and sources are not checked (cargo install cargo-deny)'; fi

lint-python: $(VENV)/.lint $(CORE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m mypy
	MYPYPATH=python $(BIN)/python -m mypy $(filter-out examples/ray_% examples/test_%,$(wildcard examples/*.py))
	$(BIN)/basedpyright
	$(BIN)/python -m mypy.stubtest ferroscope._core --ignore-disjoint-bases

# On Linux, zig links the wheel against the C library of manylinux2014. The sdist is built with the crates of the wheel.
wheel: $(VENV)/.wheel ## Build the wheel and the sdist, check them, and try each in an empty environment
	rm -rf dist .venvs/wheel .venvs/sdist
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/maturin build --release --locked --out dist $(if $(filter Linux,$(shell uname -s)),\
		--zig --compatibility manylinux2014)
	$(BIN)/maturin sdist --out dist
	$(BIN)/abi3audit --strict dist/*.whl
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv .venvs/wheel
	.venvs/wheel/bin/pip install --quiet dist/*.whl
	cd dist && PATH=/nonexistent ../.venvs/wheel/bin/python ../tests/wheel_smoke.py
	@for newer in python3.12 python3.13 python3.14 python3.15; do \
	if $$newer -c 'import ensurepip, venv' 2>/dev/null; then \
	$$newer -m venv --clear .venvs/wheel-$$newer && .venvs/wheel-$$newer/bin/pip install --quiet dist/*.whl && \
	(cd dist && PATH=/nonexistent ../.venvs/wheel-$$newer/bin/python ../tests/wheel_smoke.py) || exit 1; \
	else echo "$$newer is not installed: the wheel is not tried with it"; fi; done
	.venvs/wheel/bin/pip install --quiet "$$(ls dist/*.whl)[openai]"
	cd dist && PATH=/nonexistent ../.venvs/wheel/bin/python -m ferroscope demo --brief
	$(PYTHON) -m venv .venvs/sdist
	CARGO_TARGET_DIR="$(CURDIR)/target" .venvs/sdist/bin/pip install --quiet dist/*.tar.gz
	cd dist && PATH=/nonexistent ../.venvs/sdist/bin/python ../tests/wheel_smoke.py

audit: $(VENV)/.wheel ## Check the workflows, and look for known vulnerabilities in the dependencies where the data can be had
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@if command -v actionlint >/dev/null; then actionlint; \
	else echo 'actionlint is not installed: expressions and shell scripts of the workflows are not checked'; fi
	@if $(BIN)/pip-audit --strict --progress-spinner off .; then :; \
	else echo 'pip-audit has failed, or has no data here: see above'; fi
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check advisories; \
	else echo 'cargo-deny is not installed: the advisories of crates are not checked'; fi

docs: $(VENV)/.docs $(CORE) ## Build the documentation site, and fail on a broken link or an undocumented name
	PYTHONPATH=tools $(BIN)/python tools/build_docs.py

bench: $(VENV)/.test $(CORE) ## Compare with other libraries, each in its own environment
	$(BIN)/python benches/python/run.py

bench-full: $(VENV)/.bench $(CORE) ## Measure streams under TLS beside all libraries, and write docs/performance.md
	$(BIN)/python benches/python/bench_full.py

count-instructions: | tools ## Count the instructions of the core's benches, and compare them with their budget
	$(PYTHON) tools/count_instructions.py

clean: ## Remove all build results
	rm -rf target dist $(VENV) .venvs $(CORE)

tools:
	@command -v $(PYTHON) >/dev/null || { echo 'python3 is missing: install Python 3.11 or newer'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'python3 is too old: install Python 3.11 or newer, or run make PYTHON=/path/to/it'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'python3 has no venv: install it (Debian: python3-venv)'; exit 1; }
	@command -v cargo >/dev/null || { echo 'cargo is missing: install Rust 1.88 or newer (rustup)'; exit 1; }
	@command -v cc >/dev/null || { echo 'cc is missing: install a C compiler (Debian: gcc)'; exit 1; }

# Old versions of pip cannot read dependency groups, so upgrade it.
$(VENV)/.venv: | tools
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.venv pyproject.toml
	@echo 'Installing the dependencies of the demo'
	$(BIN)/pip install --quiet --group demo
	@touch $@

$(VENV)/.test: $(VENV)/.demo pyproject.toml
	@echo 'Installing the dependencies of the tests, which takes about a minute'
	$(BIN)/pip install --quiet --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test pyproject.toml
	$(BIN)/pip install --quiet --group lint
	@touch $@

# Large packages, which the tests use where they are installed.
$(VENV)/.cluster: $(VENV)/.test pyproject.toml
	$(BIN)/pip install --quiet --group cluster
	@touch $@

$(VENV)/.wheel: $(VENV)/.demo pyproject.toml
	$(BIN)/pip install --quiet --group wheel
	@touch $@

$(VENV)/.bench: $(VENV)/.test pyproject.toml
	$(BIN)/pip install --quiet --group bench
	@touch $@

$(VENV)/.docs: $(VENV)/.lint pyproject.toml
	$(BIN)/pip install --quiet --group docs
	@touch $@

.venvs/%/.installed: pyproject.toml | tools
	@echo 'Installing the SDKs of .venvs/$*, which takes about a minute'
	$(PYTHON) -m venv .venvs/$*
	.venvs/$*/bin/pip install --quiet --upgrade 'pip>=25.1'
	.venvs/$*/bin/pip install --quiet --group sdks $(foreach requirement,$($*),'$(requirement)')
	@touch $@

$(CORE): $(RUST_SOURCES) pyproject.toml | $(VENV)/.demo
	@echo 'Building the core, which takes about two minutes the first time'
	$(BIN)/maturin develop --release --locked
	@touch $@
