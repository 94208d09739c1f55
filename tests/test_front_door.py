"""The library as its users have it: installed from the wheel, outside the checkout, with the examples of the pages."""

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.checkout import ROOT

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the installed wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for part in ("cevns_tmm", "config"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index"]
    build = [*pip, "wheel", *options, "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    subprocess.run([*pip, "install", *options, "--target", str(target), str(wheel)], check=True)
    return target


def blocks(page, language):
    """Code of one language on a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def run(installed, code, folder):
    """Output of Python code in a folder, with the installed library first; warnings are errors."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_the_readme(installed, tmp_path):
    study = tmp_path / "my-study/config"
    study.mkdir(parents=True)
    (block,) = blocks("README.md", "yaml")
    (study / "experiments.yaml").write_text(block, encoding="utf-8")
    (code,) = blocks("README.md", "python")
    code = "import warnings\nwarnings.simplefilter('ignore')\n" + code
    limits, *contour = run(installed, code, tmp_path).split("\n(")
    found = ast.literal_eval(limits)
    assert list(found) == ["Lambda1", "Lambda2", "Lambda3"]
    assert all(1e-11 < limit < 1e-9 for limit in found.values())
    assert contour


def test_the_pages_about_python_and_limits(installed, tmp_path):
    code = "\n".join(blocks("docs/python.md", "python") + blocks("docs/limits.md", "python"))
    code += "\nimport cevns_tmm; print(cevns_tmm.__file__); print(conus.limits())"
    *_, place, limits = run(installed, code, tmp_path).splitlines()
    assert place.startswith(str(installed))
    assert "'Lambda1': 1.869" in limits


def test_the_readings_of_the_page_about_studies(tmp_path):
    """The example of a reading of one's own, added to what is there."""
    from cevns_tmm import Study

    _, example = blocks("docs/study.md", "yaml")
    found = yaml.safe_load((ROOT / "config/readings.yaml").read_text(encoding="utf-8"))
    for key, added in yaml.safe_load(example).items():
        found[key] |= added
    (tmp_path / "readings.yaml").write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    study = Study.read(tmp_path)
    assert study.readings == ["literal", "inferred", "nufit"]
    limits = [study.experiment("CONUS", reading=r).limits() for r in ("inferred", "nufit")]
    assert limits[0] != limits[1]
    (block, _) = blocks("docs/study.md", "yaml")
    (tmp_path / "experiments.yaml").write_text("experiments:\n" + block, encoding="utf-8")
    with pytest.warns(UserWarning, match="left out"):
        assert Study.read(tmp_path).experiments == ["NEW-1"]
