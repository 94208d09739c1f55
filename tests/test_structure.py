"""The walls between the rooms, and what the pages promise of the code."""

import ast
import re
import subprocess
import sys

import pytest

from pipeline import docs
from pipeline.code import watched
from tests.checkout import ROOT

LIBRARY = sorted((ROOT / "cevns_tmm").glob("*.py"))
PIPELINE = sorted((ROOT / "pipeline").glob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
RULES = "".join(
    path.read_text(encoding="utf-8")
    for path in [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
)


def imported(path):
    """Top-level packages that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)


OWN = {"cevns_tmm", "pipeline", "scripts", "tests", "workflow", "snakemake"}


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        (LIBRARY, {"cevns_tmm"}),
        (PIPELINE, {"cevns_tmm", "pipeline"}),
        (SCRIPTS, {"cevns_tmm", "pipeline"}),
    ],
)
def test_nothing_imports_from_above(files, allowed):
    assert files
    for path in files:
        assert set(imported(path)) & OWN <= allowed, path


def test_the_library_needs_what_it_declares():
    """numpy, scipy and so on, and nothing of the pipeline's."""
    foreign = {name for path in LIBRARY for name in imported(path)} - OWN
    foreign -= set(sys.stdlib_module_names)
    names = {"h5py", "jsonschema", "matplotlib", "numpy", "periodictable", "scipy"}
    assert foreign == names | {"yaml"}


def test_workflow_is_no_python_package():
    assert list((ROOT / "workflow").rglob("*.py")) == []


def test_each_script_has_a_rule_and_each_rule_a_docstring():
    run = set(re.findall(r'"\.\./\.\./scripts/(\w+)\.py"', RULES))

    assert run == {path.stem for path in SCRIPTS}
    for name, doc in re.findall(r"^rule (\w+):\n(.*)\n", RULES, flags=re.MULTILINE):
        assert re.fullmatch(r'    """.+"""', doc), name


def test_a_job_is_made_again_only_for_code_of_its_own():
    """What a script does not import does not touch its results."""
    assert "cevns_tmm/plotting.py" not in watched("compute_rates")
    assert "cevns_tmm/solar.py" not in watched("compute_rates")
    assert "cevns_tmm/detector.py" not in watched("compute_chi2")
    assert "cevns_tmm/statistics.py" in watched("compute_chi2")
    for path in SCRIPTS:
        assert f"scripts/{path.name}" in watched(path.stem)
        assert "cevns_tmm/study.py" not in watched(path.stem)


@pytest.mark.parametrize("script", ["compute_rates", "compute_chi2", "write_contours"])
def test_jobs_start_without_the_slow_parts_of_scipy(script):
    modules = ", ".join(file[:-3].replace("/", ".") for file in watched(script) if "scripts" not in file)
    loads = (
        f"import sys, {modules}; print([m for m in ('scipy.special', 'scipy.optimize') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", loads], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_equation_is_in_a_docstring():
    wanted = {*range(5, 10), 12, *range(17, 36), 37, 38, 39}
    found = re.findall(r"^\| \((\d+)\)", docs.equations(), flags=re.MULTILINE)
    assert wanted - set(map(int, found)) == set()


def test_every_rule_and_module_is_on_the_page():
    page = (ROOT / "docs/structure.md").read_text(encoding="utf-8")
    graph = page.partition("```mermaid")[2].partition("```")[0]
    drawn = set(re.findall(r"\w+", graph))
    rules = re.findall(r"^(?:rule|use rule \w+ as) (\w+)", RULES, flags=re.MULTILINE)
    assert [rule for rule in rules if rule not in drawn] == []
    for path in LIBRARY[1:]:
        assert f"`{path.stem}`" in page, path
