from pathlib import Path

from snakemake.utils import min_version
from snakemake_interface_executor_plugins.settings import ExecMode

from workflow.study import ConfigError, Study, load_yaml

min_version("9.0")

ROOT = Path(workflow.basedir)
CONFIG_FILES = ["config", "experiments", "readings", "audit", "claims"]


def checked(function):
    """Its result; a mistake in the configuration ends everything, in one line."""
    try:
        return function()
    except ConfigError as error:
        raise SystemExit(f"cevns-tmm: {error}")


def load_schemas():
    """Schema and top-level keys of each configuration file, after a strict look at the file itself."""
    files = {}
    for name in CONFIG_FILES:
        schema = load_yaml(ROOT / f"workflow/schemas/{name}.schema.yaml")
        file, keys = f"config/{name}.yaml", list(schema["properties"])
        unknown = [key for key in load_yaml(file) if key not in keys]
        if unknown:
            raise ConfigError(f"{file}: unknown key {unknown[0]!r}; allowed are {', '.join(keys)}")
        files[file] = (schema, keys)
    return files


SCHEMAS = checked(load_schemas)


def load_study(config):
    """The study of this configuration; the process that plans the run checks its audit too."""
    study = Study(config, SCHEMAS)
    if workflow.exec_mode == ExecMode.DEFAULT:
        _ = study.audit
    return study
