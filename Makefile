# make demo, make test: each does all the set-up by itself.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# a screen for the tests: a virtual one, whatever the machine has
SCREEN := xvfb-run -a -s '-screen 0 1920x1080x24'

.PHONY: help demo docs screens test lint wheel samples versions clean

help:
	@echo "make demo   from sample DICOM studies to a cohort table, pictures and the reading window"
	@echo "make test   all tests, with a real napari window on a virtual screen"
	@echo "make lint   format, style, types, import contracts"
	@echo "make docs   the site of the documentation, in build/site; a warning is an error"
	@echo "make wheel  build the wheel and test it where nothing else is installed"
	@echo "make screens  the pictures of the docs, from the samples, on a virtual screen"
	@echo "make versions  resolve the versions of .ci/versions.txt anew"
	@echo "make clean  remove the virtual environment and everything that was built"

$(READY): pyproject.toml .ci/system-packages .ci/versions.txt
	@.ci/system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which by: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint .ci/versions.txt --editable '.[gui,test]'
	@touch $(READY)

demo: $(READY)
	@$(BIN)/necroangle demo

test: $(READY)
	@$(SCREEN) $(BIN)/pytest -n 2 --dist loadgroup

lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# spelling first, then the site, then its links; all of it without a network
docs: $(VENV)/.docs
	@$(BIN)/codespell
	@$(BIN)/sphinx-build -q -W --keep-going docs build/site
	@$(BIN)/python docs/check_site.py build/site
	@echo "build/site/index.html"

$(VENV)/.docs: $(READY) pyproject.toml .ci/versions.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint .ci/versions.txt --editable '.[docs]'
	@touch $@

wheel: $(READY)
	@.ci/test-wheel $(BIN)/python

samples: $(READY)
	@rm -rf sample_dicoms.new
	@$(BIN)/necroangle phantom --samples sample_dicoms.new

versions:
	@.ci/refresh-versions $(PYTHON)

screens: $(READY)
	@QT_LOGGING_RULES='*=false' $(SCREEN) $(BIN)/python docs/make_screens.py
	@QT_LOGGING_RULES='*=false' $(SCREEN) $(BIN)/python docs/make_film.py

clean:
	rm -rf $(VENV) build dist *.egg-info demo_output .mypy_cache .pytest_cache .ruff_cache .hypothesis
