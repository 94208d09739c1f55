import atexit
import os
import re
import sys
import warnings
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

ROOT = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(ROOT))

from cevns_tmm import ConfigError, Study
from pipeline import difference, lock
from pipeline.job import FAILURES
from pipeline.jobs import hepdata_tables, plans, toy_parameters
from pipeline.plan import as_planned, check_writable, settle
from pipeline.plan import plan_file as plan
from pipeline.reference import TABLES

# As a module, the host's directory and configuration are not those of a study.
IS_MODULE = Path(str(workflow.basedir)).resolve() != ROOT.resolve()

# Jobs import the code of this checkout, draw without a screen and compute in one thread; the jobs of a
# host share its environment, where Snakemake sets the threads.
paths = [*filter(None, [os.getenv("PYTHONPATH")]), str(ROOT)]
os.environ.update(PYTHONPATH=os.pathsep.join(paths if IS_MODULE else paths[::-1]))
if not IS_MODULE:
    os.environ.update(MPLBACKEND="Agg", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def as_found(text, folder="config"):
    """A message with paths as they are from where snakemake was started, which --directory leaves."""
    here, start = Path.cwd(), Path(os.getenv("PWD", ".")).resolve()
    prefix = here.relative_to(start) if here.is_relative_to(start) else here
    names = "|".join(map(re.escape, (str(folder), "logs")))
    return re.sub(rf"(?<![\w./-])(?=({names})/)", "" if here == start else f"{prefix}/", text)


def read_study():
    """The study of this run and its folder; a mistake in it ends everything, in one line.

    The files are in config/ where snakemake runs, or in the folder that ``config: {study: ...}`` names. A host's
    own config/ is not a study.
    """
    overrides = dict(config)
    folder = overrides.pop("study", "config" if Path("config").is_dir() and not IS_MODULE else None)
    try:
        with warnings.catch_warnings(action="ignore"):
            study = Study.read(folder, overrides)
    except ConfigError as error:
        raise SystemExit(as_found(f"cevns-tmm: {error}", folder))
    if workflow.is_main_process:
        if folder is None and not IS_MODULE:
            print("cevns-tmm: no config/ here: the study is the paper's", file=sys.stderr)
        for note in study.notes:
            print(f"cevns-tmm: {note}", file=sys.stderr)
    return folder, study


FOLDER, STUDY = read_study()


DRAWN = [*STUDY.experiments, *STUDY.drawn]
ALL = [*STUDY.experiments, *STUDY.combinations]


def either(names):
    """Pattern of a wildcard that is one of some names."""
    return "|".join(map(re.escape, names)) or "none"


wildcard_constraints:
    audit="(audit/)?",
    experiment=either(ALL),
    block=r"\d+",
    source=either(STUDY.sources),
    name=either(STUDY.solar),
    map=either(STUDY.maps),


BLOCKS = range(1, toy_parameters(STUDY)["blocks"] + 1)

PLANNED = {}


def settle_plans(prefix):
    """Let the plan of each job say whether its results are up to date; jobs only read what they find."""
    if not workflow.is_main_process:
        return
    try:
        PLANNED.update(plans(STUDY, FOLDER))
        with lock.planning(IS_MODULE) as is_free:
            if is_free:
                settle(PLANNED, prefix)
            else:
                words = "another snakemake is running here; its results are shown as they are"
                print(f"cevns-tmm: {words}", file=sys.stderr)
    except (ConfigError, OSError) as error:
        raise SystemExit(f"cevns-tmm: {error}")


onstart:
    FAILURES.unlink(missing_ok=True)
    try:
        check_writable()
        lock.hold()
    except OSError as error:
        raise SystemExit(f"cevns-tmm: {error}")
    if not as_planned(PLANNED):
        raise SystemExit(
            "cevns-tmm: another snakemake planned something else here meanwhile; start again"
        )
    difference.keep()


onsuccess:
    difference.keep()
    lock.release()


onerror:
    lock.release()
    if FAILURES.exists():  # after all that Snakemake says
        text = as_found(FAILURES.read_text(encoding="utf-8"))
        atexit.register(print, text, end="", file=sys.stderr)


def each(pattern, experiments=STUDY.experiments):
    """Files of all experiments, or of some."""
    return expand(pattern, experiment=experiments)


def flux(wildcards, audit=""):
    """Flux table of the source of an experiment."""
    return f"results/{audit}fluxes/{STUDY.source_of(wildcards.experiment)}.h5"


def grid_memory(wildcards, attempt):
    """Memory in MB for planes of two moments; measured: 370 with 2000 points. A job that is tried again gets more.

    No less than other jobs have: that of chi-squared makes profiles too.
    """
    return attempt * max(600, 250 + round(60e-6 * STUDY.config["grids"]["plane_points"] ** 2))


def members(wildcards):
    """Counts of an experiment, or of the members of a combination but solar ones."""
    pattern = f"results/{getattr(wildcards, 'audit', '')}counts/{{experiment}}.h5"
    return each(pattern, STUDY.members(wildcards.experiment))


def drawn(name):
    """Files of a figure."""
    return {kind: f"figures/{name}.{kind}" for kind in ("pdf", "png")}


def more_figures(combinations, kinds=("pdf", "png")):
    """Files of figures that the paper has not, of those that there are: with other fluxes, and of combinations."""
    others = [name for name in STUDY.experiments if "table" in STUDY.kinds(name)]
    shown = {"other-fluxes": others, "combinations": combinations}
    return [f"figures/{name}.{kind}" for name in shown if shown[name] for kind in kinds]
