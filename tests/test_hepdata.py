"""The submission to HEPData: valid, and with the numbers of the results."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import chi2

from cevns_tmm import Study
from tests.checkout import rows

pytestmark = [pytest.mark.workflow, pytest.mark.long]


@pytest.fixture(scope="module")
def run(small, tmp_path_factory):
    checkout = small.copy(tmp_path_factory.mktemp("hepdata") / "copy")
    checkout.edit("config", lambda data: data["coverage"].update(blocks=1, toys_per_block=300))
    both = {"Both": {"experiments": ["CsI", "CONNIE"]}}
    checkout.edit("experiments", lambda data: data.update(combinations=both))
    checkout.snakemake("results/hepdata/submission.yaml")
    return checkout


def loaded(run, name):
    text = (run.path / f"results/hepdata/{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, yaml.CSafeLoader)


def table(run, name):
    """Columns of a table: [(header, {qualifier: value}, values)]."""
    data = loaded(run, name)
    return [
        (
            column["header"],
            {q["name"]: q["value"] for q in column.get("qualifiers", [])},
            [cell["value"] for cell in column["values"]],
        )
        for column in data["independent_variables"] + data["dependent_variables"]
    ]


def is_valid(folder):
    """Whether HEPData's own validator finds nothing."""
    command = [Path(sys.executable).with_name("hepdata-validate"), "--directory", folder]
    return subprocess.run(command, check=False).returncode == 0


def test_it_is_valid(run, tmp_path):
    for path in (run.path / "results/hepdata").glob("*.yaml"):  # the records of results are hidden files
        shutil.copy(path, tmp_path)
    assert is_valid(tmp_path)
    (tmp_path / "table2.yaml").write_text("independent_variables: []\n", encoding="utf-8")
    assert not is_valid(tmp_path)


def test_columns_of_a_table_are_of_one_length_and_moments_have_units(run):
    names = [path.stem for path in (run.path / "results/hepdata").glob("*.yaml")]
    experiments = {f"profiles-{name}" for name in ("CsI", "CONNIE", "NEW-1", "Both")}
    assert experiments | {"submission", "table2", "profiled", "flavour", "coverage"} <= set(names)
    assert {name for name in names if name.startswith("contours")} == {
        f"contours-{figure}" for figure in (4, 5, 6, 7, 8, "profiled", "combined")
    }
    for name in set(names) - {"submission"}:
        columns = table(run, name)
        assert len({len(values) for *_, values in columns}) == 1, name
        for header, _, values in columns:
            assert values, (name, header)
            is_moment = "Lambda" in header["name"] or header["name"].startswith(("$\\mu", "Upper limit"))
            assert header.get("units") == ("$\\mu_B$" if is_moment else None), (name, header)


def test_limits_are_those_of_the_results(run):
    """Each row of limits.csv is one cell, and each cell is one row or says that there is none."""
    found = {}
    for name in ("table2", "profiled", "flavour"):
        (_, _, experiments), (_, _, setups), (_, _, beams), *columns = table(run, name)
        for header, qualifiers, values in columns:
            for place in zip(experiments, setups, beams, values, strict=True):
                key = (*place[:3], header["name"], *qualifiers.values())
                assert key not in found
                found[key] = place[3]
    symbols = {
        **{f"Lambda{i}": f"$|\\Lambda_{i}|$" for i in (1, 2, 3)},
        **{
            "Lambda_e": "$|\\Lambda_e|$",
            "Lambda_mu": "$|\\Lambda_\\mu|$",
            "Lambda_tau": "$|\\Lambda_\\tau|$",
        },
        **{"mu_nu_e": "$\\mu_{\\nu_e}$", "mu_nu_mu": "$\\mu_{\\nu_\\mu}$"},
    }
    for row in rows(run.path / "results/limits.csv"):
        header = f"Upper limit on {symbols[row['parameter']]}"
        key = (row["experiment"], row["setup"], row["beam"], header, row["method"], row["reading"])
        value = found.pop((*key, float(row["confidence_level"])))
        text = row["limit_muB"]
        assert value == {"unbounded": "unbounded", "inf": "none"}.get(text) or value == float(text)
    assert set(found.values()) <= {"-"}


def test_profiles_and_contours_are_those_of_the_study(run):
    csi = Study.paper().experiment("CsI", reading="inferred")
    (_, _, Lambda), *columns = table(run, "profiles-CsI")
    Lambda = np.array(Lambda)
    assert len(columns) == 2 * 3 * 3
    for i in (1, 2, 3):
        wanted = {"Moment": f"$|\\Lambda_{i}|$", "Setup": "current", "Beam": "full", "Reading": "inferred"}
        (values,) = [values for _, qualifiers, values in columns if qualifiers == wanted]
        moments = np.zeros((3, len(Lambda)))
        moments[i - 1] = Lambda
        assert values == pytest.approx(csi.delta_chi2(moments, beam="full"), rel=1e-8, abs=1e-12)
    points = list(zip(*(values for *_, values in table(run, "contours-4")), strict=True))
    shown = [p for p in points if p[:4] == ("CsI", "current", "delayed", "1 3")]
    assert 50 <= len(shown) <= 100
    moments = np.zeros((3, len(shown)))
    moments[0], moments[2] = zip(*(p[-2:] for p in shown), strict=True)
    level = chi2.ppf(0.9, 2)
    assert csi.delta_chi2(moments, beam="delayed") == pytest.approx(level, rel=1e-6, abs=0)


def test_coverage_has_binomial_errors(run):
    """Wilson's interval of one standard deviation, in closed form."""
    data = loaded(run, "coverage")
    found = rows(run.path / "results/coverage.csv")
    shown = [row for row in found if row["reading"] == "inferred"]
    interval, upper, critical = data["dependent_variables"]
    for column, key in ((interval, "coverage_interval"), (upper, "coverage_upper")):
        for cell, row in zip(column["values"], shown, strict=True):
            p, n = float(row[key]), int(row["toys"])
            middle, half = (p + 0.5 / n) / (1 + 1 / n), np.sqrt(p * (1 - p) / n + 0.25 / n**2) / (1 + 1 / n)
            (error,) = cell["errors"]
            ends = [middle + half - p, middle - half - p]
            assert cell["value"] == p
            assert [error["asymerror"][side] for side in ("plus", "minus")] == pytest.approx(
                ends, rel=0.06, abs=1e-6
            )
    assert not any("errors" in cell for cell in critical["values"])
