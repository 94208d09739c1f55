# Everything runs in .venv, made from the hash-locked files in requirements/.
PYTHON ?= python3
CORES ?= all
VENV := .venv
RUN := . $(VENV)/bin/activate &&
PIP := PIP_USER=0 $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: paper test test-all lint check reference report docs lock clean

paper: $(VENV)/paper.ok
	$(RUN) snakemake --cores $(CORES) --quiet rules progress

PYTEST := python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

# The tests and linters of every day: some minutes.
test: $(VENV)/test.ok lint
	$(RUN) $(PYTEST) --cov -m "not long"

# The long sets too: kills at many moments, mutations, SLURM.
test-all: test
	$(RUN) $(PYTEST) -m long

# Regenerates, then compares with Table II and with the reference results; fails if a check does.
check: $(VENV)/paper.ok
	$(RUN) snakemake --cores $(CORES) --quiet rules progress -- audited
	@cat results/comparison.md results/check.md
	$(RUN) snakemake --cores 1 --quiet rules progress host -- check

# Shows how the results differ from the reference; with ACCEPT=1 they become the reference.
reference: $(VENV)/paper.ok
	$(RUN) snakemake --cores $(CORES) --quiet rules progress -- audited
	$(RUN) python -m pipeline.reference $(if $(ACCEPT),--accept && python -m pipeline.docs)

# One self-contained page with everything.
report: $(VENV)/paper.ok
	$(RUN) snakemake --cores $(CORES) --quiet rules progress -- audited
	$(RUN) snakemake --quiet rules progress --report results/report.html -- audited

# The generated parts of README.md and docs/, and their pictures.
docs: paper
	$(RUN) snakemake --cores $(CORES) --quiet rules progress -- figures/ablation.png
	cp figures/fig2.png figures/fig6.png figures/ablation.png docs/images
	$(RUN) python -m pipeline.docs

lint: $(VENV)/test.ok
	$(RUN) ruff check && ruff format --check && snakefmt --check Snakefile workflow && python -m tests.lint

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "cevns-tmm: needs Python 3.11 or newer; try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "cevns-tmm: this Python has no venv; install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.ok: requirements/%.txt requirements/build.txt | $(VENV)/bin/python
	$(PIP) -r requirements/build.txt
	$(PIP) --no-build-isolation --only-binary :all: --no-binary connection-pool -r $<
	@touch $@

# Resolve the versions of pyproject.toml again; needs uv.
lock:
	for group in build paper cluster htcondor test; do uv pip compile --group $$group --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
	  --output-file requirements/$$group.txt; done

clean:
	rm -rf results figures logs .snakemake
