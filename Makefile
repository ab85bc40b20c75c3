# make demo, make test: each does all the set-up by itself.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-test
# a screen for the tests: a virtual one, whatever the machine has
SCREEN := xvfb-run -a -s '-screen 0 1920x1080x24'

# what Python compiled is kept: tests and commands start in half the time
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo dist docs screens test lint wheel samples versions clean

help:
	@echo "make demo   from sample DICOM studies to a cohort table, pictures and the reading window"
	@echo "make test   all tests, with a real napari window on a virtual screen"
	@echo "make lint   format, style, types, import contracts"
	@echo "make docs   the site of the documentation, in build/site; a warning is an error"
	@echo "make wheel  make a release and test its wheel where nothing else is installed"
	@echo "make dist   the wheel and the source archive of a release, in dist"
	@echo "make screens  the pictures of the docs, from the samples, on a virtual screen"
	@echo "make versions  resolve the versions of .ci/versions.txt anew"
	@echo "make clean  remove the virtual environment and everything that was built"

$(VENV)/.ready-%: pyproject.toml .ci/set-up .ci/system-packages .ci/versions.txt
	@.ci/set-up $* $(PYTHON) $(VENV)

demo: $(VENV)/.ready-demo
	@$(BIN)/necroangle demo

# three processes for two cores: each waits a fifth of its time, for servers, browsers, windows
test: $(READY)
	@$(SCREEN) $(BIN)/pytest -n 3 --dist loadgroup --durations=20

lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/zizmor --offline --quiet .github/workflows

# spelling first, then the site, then its links; all of it without a network
docs: $(VENV)/.docs
	@$(BIN)/codespell
	@$(BIN)/sphinx-build -q -W --keep-going -j auto docs build/site
	@$(BIN)/python docs/check_site.py build/site
	@echo "build/site/index.html"

$(VENV)/.docs: $(READY) pyproject.toml .ci/versions.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint .ci/versions.txt --editable '.[docs]'
	@touch $@

wheel: $(READY)
	@.ci/test-wheel $(BIN)/python

# REPOSITORY=https://... is written into both: its links, and where the pictures of the page lie
dist: $(READY)
	@NECROANGLE_REPOSITORY=$(REPOSITORY) .ci/make-dist $(BIN)/python

samples: $(READY)
	@rm -rf sample_dicoms.new
	@$(BIN)/necroangle phantom --samples sample_dicoms.new

versions:
	@.ci/refresh-versions $(PYTHON)

screens: $(READY)
	@QT_LOGGING_RULES='*=false' $(SCREEN) $(BIN)/python docs/make_screens.py
	@QT_LOGGING_RULES='*=false' $(SCREEN) $(BIN)/python docs/make_film.py
	@$(BIN)/python docs/make_report.py

clean:
	rm -rf $(VENV) build dist *.egg-info demo_output .mypy_cache .pytest_cache .ruff_cache .hypothesis
