# `make test` runs every check; `make demo` runs the example and shows the sandbox.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 4
BIN := $(VENV)/bin
DEMO := docs/examples/agency_directory

.PHONY: test lint types contracts tests newcomer coverage matrix demo docs docs-site walkthroughs wheel licences sbom advisories lock mocks findings audits mutations verdicts benchmarks clean \
	system-packages node-packages generators elsewhere fuzz faults soak secrets screenshots

# Tests start hundreds of interpreters, and each would compile again all that it imports.
export PYTHONDONTWRITEBYTECODE :=

RECEIVERS := tests/strangers/receivers
# Runtimes and servers of the strangers' receivers, as Debian has them.
SYSTEM_PACKAGES := golang-go ruby ruby-rack ruby-sinatra ruby-sqlite3 ruby-webrick puma php-cli \
	php-sqlite3 default-jdk-headless libgoogle-gson-java libhttpmime-java libhttpcore-java \
	libjakarta-annotation-api-java nginx-light apache2 \
	libapache2-mod-wsgi-py3 python3-flask faketime chromium postgresql

test: lint types contracts tests newcomer matrix

# What all tools and tests need, as it was locked: every file has its hash.
LOCK := .ci/requirements.txt

$(VENV)/.ready: pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $@

# Takes the newest versions that pyproject.toml allows.
lock:
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev --all-extras \
		--generate-hashes --no-annotate --no-header pyproject.toml --output-file $(LOCK)

# Needs root. What Debian installs as services is not started: the tests start their own.
system-packages:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq --no-install-recommends \
		$(SYSTEM_PACKAGES) $(shell command -v node >/dev/null || echo nodejs npm)

# Without Node.js, the tests that need it are skipped.
node-packages: $(RECEIVERS)/node_modules/.ready tests/page/node_modules/.ready \
	tests/audit/tools/node_modules/.ready

%/node_modules/.ready: %/package-lock.json
	if command -v npm >/dev/null; then npm ci --prefix $* --silent && touch $@; fi

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff check --quiet --preview --select PLW1514 . # files are read alike on every machine
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

contracts: $(VENV)/.ready
	$(BIN)/lint-imports

# Many tests wait for servers, so that more workers than cores are worth it. The stacks of a test
# that hangs, or crashes Python, come last: amid thousands of dots they would be lost.
STACKS := $(VENV)/stacks.log
tests: $(VENV)/.ready node-packages
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal 2>$(STACKS) || { cat $(STACKS) >&2; exit 1; }
	$(BIN)/python docs/audits.py --check

# Runs the tests with what other machines have: stray files, proxies, another umask, locale and time
# zone; as root of Linux also without IPv6, and without a network.
elsewhere: $(VENV)/.ready node-packages
	cd tests && $(abspath $(BIN))/python -m elsewhere -n $(WORKERS) --dist worksteal

# What is traced takes several times as long, on a busy machine more than the usual bound.
TRACED := -o faulthandler_timeout=900

# Takes half as long again as the tests. pytest loads plugins before pytest-cov starts, so coverage
# starts pytest.
coverage: $(VENV)/.ready node-packages
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n $(WORKERS) --dist worksteal $(TRACED) --ignore tests/strangers \
		|| $(BIN)/coverage run -m pytest -q $(TRACED) --last-failed --last-failed-no-failures none -p no:randomly
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Runs a consumer's test suite with other versions, plugins and options.
matrix: $(VENV)/.ready
	cd tests && $(abspath $(BIN))/python -m matrix

# Has an environment of its own, with what the example needs and no more.
demo: .demo/.ready
	BIN=$(abspath .demo/bin) sh $(DEMO)/demo.sh

# Where uv is there, it takes seconds. Bytecode is compiled for what is imported, which is a third.
UV := $(or $(wildcard $(BIN)/uv),$(shell command -v uv))
DEMO_NEEDS := '.[server]' fastapi pytest-xdist
.demo/.ready: pyproject.toml
	rm -rf .demo
	$(if $(UV),$(UV) venv --quiet --no-python-downloads --python $(PYTHON) .demo \
		&& $(UV) pip install --quiet --python .demo/bin/python $(DEMO_NEEDS) ||) \
	($(PYTHON) -m venv --clear .demo && .demo/bin/python -m pip install --quiet \
		--disable-pip-version-check --no-compile $(DEMO_NEEDS))
	touch $@

# The wheel and the source distribution, built twice: the same files come out.
wheel:
	$(PYTHON) -m venv .wheel
	.wheel/bin/python -m pip install --quiet --disable-pip-version-check build
	rm -rf dist && .wheel/bin/python -m build --outdir dist >/dev/null
	.wheel/bin/python -m build --outdir .wheel/again >/dev/null
	for file in dist/*; do cmp "$$file" ".wheel/again/$$(basename "$$file")" || exit 1; done
	ls -l dist

# The licence of every package that is installed with the wheel and its extras.
licences: $(VENV)/.ready
	$(BIN)/python docs/licences.py

# What the project and its extras install, as a CycloneDX document, from an environment of its own.
sbom: $(VENV)/.ready
	$(BIN)/uv venv --quiet --clear .sbom
	$(BIN)/uv pip install --quiet --python .sbom/bin/python '.[audit,postgres,requests,server]'
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible \
		--validate --output-file .sbom/pytest-turris.cdx.json .sbom/bin/python
	@echo .sbom/pytest-turris.cdx.json

# Holds the lowest versions that are allowed against a clone of https://github.com/pypa/advisory-database.
advisories: $(VENV)/.ready
	$(BIN)/python docs/advisories.py $(or $(DATABASE),$(error say DATABASE=PATH, where a clone of https://github.com/pypa/advisory-database is))

# Tables and numbers on the pages, and the names of the ini keys in the plugin.
docs: $(VENV)/.ready
	$(BIN)/python docs/pages.py

# The site, below .site/en/; SITE_VERSION is the folder of a release next to the others.
SITE_VERSION ?= latest
docs-site: $(VENV)/.ready
	$(BIN)/python docs/build_site.py .site $(SITE_VERSION)
	@echo "open .site/en/$(SITE_VERSION)/index.html"

# Follows the README, the tutorial and the guides with the wheel, in an environment of their own.
newcomer: $(VENV)/.ready
	cd tests && $(abspath $(BIN))/python -m docs.newcomer

# As newcomer, and writes the numbers that a run prints into the pages.
walkthroughs: $(VENV)/.ready
	cd tests && $(abspath $(BIN))/python -m docs.newcomer --record

# Records what each attack reports for broken and for good receivers; tests compare with it.
mutations: $(VENV)/.ready
	$(BIN)/python -m pytest -q -p no:randomly tests/attacks/test_mutation.py --record-mutations
	$(BIN)/python docs/pages.py

# Attacks every receiver of tests/strangers, and writes the table of the verdicts: about ten minutes.
verdicts: $(VENV)/.ready node-packages
	cd tests && $(abspath $(BIN))/python -m strangers.receivers
	cd tests && $(abspath $(BIN))/python -m strangers.clients
	$(BIN)/python docs/pages.py

# Audits the suite of the example, and keeps its report next to it; `make tests` compares with it.
audits: $(VENV)/.ready
	$(BIN)/python docs/audits.py

# Puts all rules for token clients to published libraries, which takes minutes, and keeps the evidence.
findings: $(VENV)/.ready
	cd tests && $(abspath $(BIN))/python -m doubles.clients.findings
	cd tests && $(abspath $(BIN))/python -m doubles.clients.audited_libraries
	$(BIN)/python docs/pages.py

# The server beside other mock servers, which are installed for that.
mocks: $(VENV)/.ready .peers/.ready
	$(BIN)/python benchmarks/mocks.py .peers

.peers/.ready:
	npm install --silent --prefix .peers wiremock @stoplight/prism-cli
	$(PYTHON) -m venv .peers/moto
	.peers/moto/bin/pip install --quiet --disable-pip-version-check 'moto[server]'
	touch $@

# Installs the peers that only the benchmarks need. Each script can also be run by itself.
benchmarks: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group benchmarks
	$(BIN)/python benchmarks/footprint.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/per_test.py
	$(BIN)/python benchmarks/in_process.py
	$(BIN)/python benchmarks/sockets.py
	$(BIN)/python benchmarks/long_test.py
	$(BIN)/python benchmarks/tokens.py
	$(BIN)/python benchmarks/clock.py
	$(BIN)/python benchmarks/server.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/tenants.py
	$(BIN)/python benchmarks/replicas.py
	$(BIN)/python benchmarks/shared_tenants.py
	$(BIN)/python benchmarks/webhooks.py
	$(BIN)/python benchmarks/network.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python benchmarks/page.py

# Takes the pictures of the page again; needs Chromium.
screenshots: $(VENV)/.ready
	$(BIN)/python docs/screenshots.py

# Sends random requests to every operation, and keeps those that fail in tests/fuzz/corpus:
# `make fuzz MINUTES=60 SEED=7`.
fuzz: $(VENV)/.ready
	cd tests && $(abspath $(BIN))/python -m fuzz --minutes $(or $(MINUTES),2) --seed $(or $(SEED),0)

# Lets detect-secrets look at every file; those texts that it takes for secrets and are none are in the baseline.
secrets: $(VENV)/.ready
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

# Raises exceptions at random lines of the core, and looks whether anything is left half done.
faults: $(VENV)/.ready
	cd tests && $(abspath $(BIN))/python -m faults --trials $(or $(TRIALS),4500) --seed $(or $(SEED),0)

# Lets suites come and go at a served sandbox for half an hour, and draws what it held.
soak: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group soak
	cd tests && $(abspath $(BIN))/python -m soak --record --requests $(or $(REQUESTS),2000000) \
		--tenants $(or $(TENANTS),10000)
	$(BIN)/python docs/pages.py

# Generates clients from the OpenAPI description with several generators, compiles them, and calls the
# sandbox with them. Needs npm, and Java with three libraries (system-packages).
generators: $(VENV)/.ready
	$(PYTHON) -m venv .generators
	.generators/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	.generators/bin/python -m pip install --quiet --disable-pip-version-check --group generators \
		python-dateutil urllib3 pydantic typing-extensions
	npm ci --prefix tests/generators/tools --silent
	TURRIS_GENERATORS=$(abspath .generators/bin) $(BIN)/python -m pytest -q tests/generators

clean:
	rm -rf $(VENV) .demo .wheel .sbom dist .matrix .site .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
