# The commands of the course. `make lab` and `make test` need nothing but Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv/bin/python
ANY := $(if $(wildcard $(VENV)),$(VENV),$(PYTHON))
# The set-up is done when .venv/installed holds this hash; it is written last, so a broken-off install is taken up again.
HASH := $(shell $(ANY) -c 'import hashlib, os, sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else print(hashlib.sha256(b"".join(open(f, "rb").read() for f in ("pyproject.toml", "constraints.txt")) + os.getcwd().encode()).hexdigest())')
NBVAL := COURSE_HEADLESS=1 COURSE_STRICT=1 OMP_NUM_THREADS=1 $(VENV) -m pytest --nbval-lax -n 2 --dist loadscope --nbval-cell-timeout 300 -p no:cacheprovider

.PHONY: lab test setup notebooks student-zip pictures bench checkpoints test-processors

lab: setup
	@$(VENV) -m course_lib lab -- $(ARGS)

# In a students' copy there are no tests and no sources: there, only the notebooks are run.
test: setup
	$(if $(wildcard tests),$(VENV) -m ruff check . && $(VENV) -m pytest tests)
	$(NBVAL) notebooks/*.ipynb

notebooks: setup
	@$(VENV) -m course_lib notebooks $(ARGS)

checkpoints: setup
	@$(VENV) -m course_lib checkpoints $(ARGS)

student-zip: setup
	@$(VENV) -m course_lib student-zip $(ARGS)

pictures: setup
	@$(VENV) docs/make_pictures.py

bench: setup
	@for file in benchmarks/*.py; do echo "== $$file"; $(VENV) $$file || exit 1; done

setup:
	@test -n "$(HASH)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 …"; exit 1; }
	@test "$$(cat .venv/installed 2>/dev/null)" = "$(HASH)" || { \
	    echo "Setting up .venv: about two minutes and 2 GB of disk, once."; \
	    rm -f .venv/installed; \
	    { $(VENV) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv; } && \
	    $(VENV) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' \
	    && echo "$(HASH)" > .venv/installed; }

# A seed gives other numbers on another processor; these settings of MKL and ATen stand for the machines of a class.
test-processors: setup
	@for settings in MKL_CBWR=COMPATIBLE MKL_ENABLE_INSTRUCTIONS=AVX2 ATEN_CPU_CAPABILITY=default \
	    "ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE"; do \
	    echo "== $$settings"; env $$settings $(VENV) -m pytest tests --ignore=tests/browser -n 2 $(ARGS) || exit 1; done
