from pathlib import Path

from snakemake.utils import min_version
from snakemake_interface_executor_plugins.settings import ExecMode

from workflow import resources
from workflow.guard import Refused, acquire, check_dates
from workflow.study import ConfigError, Study, load_files

min_version("9.0")

ROOT = Path(workflow.basedir)


def checked(function):
    """Its result; a mistake in the configuration ends everything, in one line."""
    try:
        return function()
    except (ConfigError, Refused) as error:
        raise SystemExit(f"cevns-tmm: {error}")


def may_write():
    """Whether this process may run jobs; not that of a job, of a dry run or of a list."""
    resources = workflow.resource_settings
    given = (resources.cores, resources.nodes) != (None, None)
    return workflow.exec_mode == ExecMode.DEFAULT and not workflow.output_settings.dryrun and given


if may_write():
    checked(acquire)
    checked(check_dates)

SCHEMAS, _ = checked(lambda: load_files(ROOT / "workflow/schemas"))


def load_study(config):
    """The study of this configuration; the process that plans the run checks its audit and data too."""
    study = Study(config, SCHEMAS)
    if workflow.exec_mode == ExecMode.DEFAULT:
        _ = study.audit
        resources.check(SCHEMAS["config/config.yaml"][0])
    return study
