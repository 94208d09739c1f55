# Everything runs in .venv, made from the hash-locked files in requirements/.
SHELL := bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
CORES ?= all
VENV := .venv
RUN := . $(VENV)/bin/activate &&
# The locks name every package: pip need not resolve, and would ask for the newest of one with extras.
PIP := PIP_USER=0 $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps

# A study of one's own, DIR=my-study; without DIR the paper's.
IN := $(DIR:%=%/)
HAS_STUDY = test -d "$(DIR)/config" || { echo "cevns-tmm: $(or $(DIR),DIR=)/config: no such folder; say make $@ DIR=my-study" >&2; exit 1; }
SNAKEMAKE = $(if $(DIR),$(HAS_STUDY) &&) $(RUN) snakemake $(if $(DIR),-s Snakefile --directory "$(DIR)")

# Snakemake's lines, of which the finished jobs are one line each, and those that say nothing are left out.
MAKE_IT = $(SNAKEMAKE) --cores $(CORES) --quiet rules host
AS_STEPS := 2>&1 | sed -unE \
  -e '/^Job stats/,/^$$/ d' \
  -e '/^Finished jobid/ { s/.*Rule: (.*)\)/\1/; h; d }' \
  -e '/^[0-9]+ of [0-9]+ steps/ { s/ steps.*//; G; s/\n/  /; p; d }' \
  -e '/^(\[|Using workflow|Assuming|Building DAG|Select jobs|Execute|Using shell|Provided cores|Rules claiming|Elapsed|Complete log|RuleException|CalledProcessError|Command |Exiting|WorkflowError|At least one|$$)/ d' \
  -e p

.PHONY: help paper study test long test-all bench check reference coverage report hepdata diff docs reproduce ci lint lowest lock clean

help:
	@sed -nE 's/^## ([a-z-]+): /  make \1\t/p' Makefile | expand -t 20

## paper: every figure and table (the first time, a minute or two for the environment)
paper: $(VENV)/paper.ok
	@$(MAKE_IT) $(AS_STEPS)
	@echo; cat $(IN)results/comparison.md
	@echo; echo "Figures: figures/fig1 to fig8, .pdf and .png. Tables: results/table2.md, .tex, .csv, limits.csv, counts.csv."

## study: every figure and table of a study of your own, DIR=my-study, and its limits at a glance
study: $(VENV)/paper.ok
	@$(HAS_STUDY)
	@$(MAKE_IT) $(AS_STEPS)
	@echo; $(RUN) python -m pipeline.glance "$(DIR)"

PYTEST := python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

## test: the tests and linters of every day, some minutes
test: lint
	$(RUN) $(PYTEST) --cov -m "not long"

## long: the tests that take longer: kills at many moments, mutations, SLURM, the commands of the pages
long: $(VENV)/dev.ok
	$(RUN) $(PYTEST) -m long

## test-all: test and long
test-all: test long

## bench: what results cost beside other ways to the same numbers, many minutes; PARTS="library grids" for some
bench: $(VENV)/dev.ok
	$(RUN) OMP_NUM_THREADS=1 python -m tests.benchmark $(PARTS)

## check: compares with the published limits and the reference results, judges the claims; fails if a check does
check: $(VENV)/paper.ok
	@$(MAKE_IT) -- results/check.md $(AS_STEPS)
	@echo; cat $(IN)results/comparison.md; echo; cat $(IN)results/check.md
	@$(SNAKEMAKE) --cores 1 --quiet rules progress host -- check $(AS_STEPS)

## reference: how the results differ from the reference; with ACCEPT=1 they become the reference
reference: $(VENV)/paper.ok
	@$(MAKE_IT) -- all results/samples.csv results/claims.csv results/audit/inputs.csv results/honest_limits.csv $(AS_STEPS)
	$(RUN) python -m pipeline.reference $(if $(ACCEPT),--accept && python -m pipeline.docs)

## coverage: what the limits are worth, by toys: results/honest_limits.md; compares with the reference (ACCEPT=1)
coverage: $(VENV)/paper.ok
	@$(MAKE_IT) -- coverage $(AS_STEPS)
	@echo; cat $(IN)results/honest_limits.md
	@$(if $(DIR),,$(RUN) python -m pipeline.reference --toys $(if $(ACCEPT),--accept))

## report: one self-contained page with everything, results/report.html; of a study, DIR=FOLDER, as check, coverage, hepdata
report: $(VENV)/paper.ok
	@$(MAKE_IT) -- results/report.html $(AS_STEPS)
	@echo "$(IN)results/report.html"

## hepdata: limits, profiles, contours and coverage as a submission to HEPData, results/hepdata.tar.gz
hepdata: $(VENV)/paper.ok
	@$(MAKE_IT) -- results/hepdata/submission.yaml $(AS_STEPS)
	@cd $(IN)results/hepdata && tar -czf ../hepdata.tar.gz *.yaml
	@echo "$(IN)results/hepdata.tar.gz"

## diff: how limits and counts changed since the last run, or from another study, WITH=FOLDER; of a study, DIR=FOLDER
diff: $(VENV)/paper.ok
	@$(RUN) cd "$(or $(DIR),.)" && PYTHONPATH="$(CURDIR)" python -m pipeline.difference $(if $(WITH),"$(abspath $(WITH))")

## docs: the generated parts of README.md and docs/, and their pictures; that of the rules needs Graphviz
docs: paper
	@$(MAKE_IT) -- figures/ablation.png figures/limits.png $(AS_STEPS)
	cp figures/ablation.png figures/limits.png docs/images
	! command -v dot >/dev/null || { $(RUN) snakemake --rulegraph | \
	  sed '/^\t0\[/d; /-> 0$$/d; s/color = "[^"]*"/color = grey/' | dot -Tsvg -o docs/images/rules.svg; } # node 0: all
	$(RUN) python -m pipeline.docs

## reproduce: everything that a user runs, then a run with nothing to do
reproduce:
	$(MAKE) paper check coverage report hepdata diff reference
	$(MAKE) study DIR=examples/cawo4
	$(RUN) snakemake --cores 1 --dry-run 2>&1 | grep "Nothing to be done"

## ci: what CI runs: reproduce, test and long
ci:
	.ci/run

## lint: style of code and rules, types, spelling, and the workflows of CI
lint: $(VENV)/dev.ok
	$(RUN) ruff check && ruff format --check && mypy && snakefmt --check Snakefile workflow && \
	  python -m tests.lint && codespell && zizmor --offline --quiet .github

## lowest: tests of the library with the lowest versions that pyproject.toml allows
lowest: $(VENV)/dev.ok
	$(RUN) uv venv --quiet --clear --python $(VENV)/bin/python $(VENV)-lowest
	$(RUN) uv pip install --quiet --python $(VENV)-lowest --resolution lowest-direct -r pyproject.toml --group test
	$(VENV)-lowest/bin/$(PYTEST) -W default -m "not workflow and not long" cevns_tmm \
	  $$(grep -LE "^(from|import) (pipeline|scripts|snakemake)" tests/test_*.py)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "cevns-tmm: needs Python 3.11 or newer; try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "cevns-tmm: this Python has no venv; install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Setting up $(VENV): a minute or two, once"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.ok: requirements/%.txt requirements/build.txt | $(VENV)/bin/python
	@$(PIP) -r requirements/build.txt
	@$(PIP) --no-build-isolation --only-binary :all: --no-binary connection-pool -r $<
	@touch $@

## lock: resolves the versions of pyproject.toml again
lock: $(VENV)/dev.ok
	$(RUN) for group in build paper cluster htcondor dev; do uv pip compile --group $$group --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
	  --output-file requirements/$$group.txt; done

## clean: removes everything that was computed
clean:
	rm -rf results figures logs .snakemake
