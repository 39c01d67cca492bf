# The commands of the course. `make lab` and `make test` need nothing but make and a Python; check_python.py says which.
PYTHON ?= python3
# A further package index for torch and torchvision alone: `make lab TORCH_INDEX=https://…`, as pytorch.org names them.
TORCH_INDEX ?=
VENV := .venv/bin/python
NBVAL := COURSE_HEADLESS=1 COURSE_STRICT=1 OMP_NUM_THREADS=1 $(VENV) -m pytest --nbval-lax -n 2 --dist loadscope --nbval-cell-timeout 300 -p no:cacheprovider
# Kernels and commands that tests start have as many threads as cores. Where these are busy, a thread that waits for
# another by spinning, as is usual, takes four times the processor's time; the results are the same.
UNIT := OMP_WAIT_POLICY=PASSIVE $(VENV) -m pytest
# .venv's own Python, or while there is none that will do, the one named. It does nothing where all is there already.
INSTALL = @python=$(VENV); $$python check_python.py 2>/dev/null || python=$(PYTHON); $$python install.py --torch-index='$(TORCH_INDEX)'

# Packages of another Python stay out, and the kernel found first is the one of .venv.
unexport PYTHONPATH PYTHONHOME PYTHONUSERBASE
export PYTHONNOUSERSITE := 1
export JUPYTER_PATH := $(CURDIR)/course_lib/jupyter$(if $(JUPYTER_PATH),:$(JUPYTER_PATH))

.PHONY: lab test test-thorough test-hub test-elsewhere check setup setup-dev notebooks student-zip pictures bench scoreboard calibrate checkpoints \
    test-processors test-versions site test-site

lab: setup
	@$(VENV) -m course_lib lab -- $(ARGS)

# In a students' copy there are no tests and no sources: there, only the notebooks are run.
test: setup-dev
	$(if $(wildcard tests),$(VENV) -m ruff check . && $(UNIT) -n 3 --dist loadfile --no-loadscope-reorder tests)
	$(NBVAL) notebooks/*.ipynb

# The tests that `make test` leaves out since they take long and seldom find what the others do not, ten minutes and more.
test-thorough: setup-dev
	$(UNIT) -n 3 --dist loadfile -m thorough tests $(ARGS)

# A class of three on a real JupyterHub, minutes. It takes root and the proxy, `npm ci --prefix deploy`.
test-hub: setup-dev
	$(VENV) -m pytest -m hub tests/hub $(ARGS)

# Labs, pads and `explore` in Firefox and in Jupyter Notebook 7, a minute. It takes a Firefox.
test-elsewhere: setup-dev
	COURSE_REQUIRE_BROWSER=1 $(VENV) -m pytest -m elsewhere tests/browser/test_elsewhere.py $(ARGS)

# Ruff and the tests nearest to what changed since the last commit, without a browser: `make check ARGS=REVISION`.
check: setup-dev
	@$(VENV) -m ruff check . && $(VENV) tests/changed.py $(ARGS)

notebooks: setup-dev
	@$(VENV) -m course_lib notebooks $(ARGS)

checkpoints: setup-dev
	@$(VENV) -m course_lib checkpoints $(ARGS)

student-zip: setup-dev
	@$(VENV) -m course_lib student-zip $(ARGS)

# The course as a web site, in dist/site; ARGS="05 07" for some of its notebooks, ARGS=--teacher with teachers' pages.
site: setup-dev web/node_modules
	@$(VENV) -m course_lib site $(ARGS)

web/node_modules: web/package-lock.json
	@command -v npm >/dev/null || { echo "the site needs Node.js 20 or newer, with npm: see https://nodejs.org"; exit 1; }
	npm ci --prefix web --no-audit --no-fund
	@touch $@

# Every page of dist/site as readers meet it; `make test` walks through a small one.
test-site: setup-dev
	COURSE_SITE=dist/site COURSE_REQUIRE_BROWSER=1 $(VENV) -m pytest -n 2 tests/browser/test_site.py $(ARGS)

pictures: setup-dev
	@$(VENV) docs/make_pictures.py

bench: setup-dev
	@for file in benchmarks/*.py; do echo "== $$file"; $(VENV) $$file || exit 1; done

# All families on the same pictures, hours on two cores; it goes on from what data/records/scoreboard.jsonl has.
scoreboard: setup-dev
	@$(VENV) benchmarks/scoreboard.py --record $(ARGS)

# Every claim with other seeds and as on other processors; hours for all, minutes for one: `make calibrate ARGS=04`.
calibrate: setup-dev
	@$(VENV) -m course_lib calibrate $(ARGS)

setup:
	$(INSTALL)

setup-dev:
	$(INSTALL) --dev

# A seed gives other numbers on another processor; these settings of MKL and ATen stand for the machines of a class.
test-processors: setup-dev
	@for settings in MKL_CBWR=COMPATIBLE MKL_ENABLE_INSTRUCTIONS=AVX2 ATEN_CPU_CAPABILITY=default \
	    "ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE"; do \
	    echo "== $$settings"; env $$settings $(VENV) -m pytest -n 2 --dist loadfile -m "not browser" tests $(ARGS) || exit 1; done

# Each promised Python that is here, with the lowest and the newest versions that pyproject.toml allows; the table at the
# end says which were not here. `make test-versions PYTHONS=/opt/python3.14/bin/python3 ARGS="3.14 lowest -- -x"`.
PYTHONS ?=
test-versions:
	@$(PYTHON) check_python.py && $(PYTHON) tests/versions.py --pythons '$(PYTHONS)' --torch-index='$(TORCH_INDEX)' $(ARGS)
