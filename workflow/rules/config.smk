import sys
from pathlib import Path

from snakemake.utils import min_version
from snakemake_interface_executor_plugins.settings import ExecMode

from workflow import data_files, guard
from workflow.study import ConfigError, Study, load_files

min_version("9.0")

ROOT = Path(workflow.basedir)

# Options of snakemake that leave results alone, and those that are allowed though results are of the future.
READ = set(
    "--unlock --lint --list-rules --list -l --list-target-rules --lt --dag --rulegraph --filegraph --d3dag "
    "--summary -S --detailed-summary -D --report --list-changes --list-untracked".split()
)
MEND = set("--touch -t --delete-all-output --delete-temp-output".split())


def checked(function):
    """Its result; a mistake in the configuration ends everything, in one line."""
    try:
        return function()
    except (ConfigError, guard.Refused) as error:
        raise SystemExit(f"cevns-tmm: {error}")


def may_write():
    """Whether this process may change results; not that of a job, of a dry run or of a list."""
    settings = workflow.resource_settings
    given = (settings.cores, settings.nodes) != (None, None)
    reads = workflow.output_settings.dryrun or READ & set(sys.argv)
    return workflow.exec_mode == ExecMode.DEFAULT and given and not reads


if may_write():
    checked(guard.acquire)

SCHEMAS, _ = checked(lambda: load_files(ROOT / "workflow/schemas"))


def load_study(config):
    """The study of this configuration; the process that plans the run checks its audit and data too."""
    study = Study(config, SCHEMAS)
    if workflow.exec_mode == ExecMode.DEFAULT:
        _ = study.audit
        data_files.check(SCHEMAS["config/config.yaml"][0])
        if may_write():
            guard.begin(config, dates=not MEND & set(sys.argv))
    else:
        guard.join(config)
    return study
