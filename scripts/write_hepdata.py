"""Results as a submission to HEPData, a table each -> results/hepdata/*.yaml."""

import math
from collections import defaultdict
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import yaml
from scipy.stats import binomtest

from cevns_tmm import __version__
from cevns_tmm.magnetic_moment import FLAVOUR_PARAMETERS, PARAMETERS
from cevns_tmm.storage import read, read_csv, write_text
from pipeline.job import run

POINTS = 100
"""Points of a curve, evenly spaced among those computed: HEPData shows tables of some thousand rows."""

ARXIV = "1905.03750"
MU_B = r"$\mu_B$"
SYMBOLS = {
    **{f"Lambda{i}": rf"$|\Lambda_{i}|$" for i in (1, 2, 3)},
    **{"Lambda_e": r"$|\Lambda_e|$", "Lambda_mu": r"$|\Lambda_\mu|$", "Lambda_tau": r"$|\Lambda_\tau|$"},
    **{"mu_nu_e": r"$\mu_{\nu_e}$", "mu_nu_mu": r"$\mu_{\nu_\mu}$"},
}
# Independent variables: {column of the CSV file: header}
SETUP = {"experiment": "Experiment", "setup": "Setup", "beam": "Beam"}
CURVE = SETUP | {
    **{"plane": "Moments i j", "xi_over_pi": r"$\xi/\pi$", "delta_CP_over_pi": r"$\delta_{CP}/\pi$"},
    **{"curve": "Curve", "x_muB": r"$|\Lambda_i|$"},
}
TRUTH = {
    **{"experiment": "Experiment", "setup": "Setup", "nuisance_on": "Nuisance on", "truth": "Truth"},
    **{"n_em": "True magnetic-moment events"},
}

COMMENT = (
    f"Limits on Majorana neutrino transition magnetic moments, computed by cevns-tmm {__version__} from the equations of "
    f"arXiv:{ARXIV}. The reading 'literal' takes its text at its word, 'inferred' has the departures that its numbers "
    f"imply. Curves have at most {POINTS} of the points computed. A limit is 'unbounded' if the experiment is blind along a "
    "direction of the moment, 'none' if it excludes no finite number of events, or has no such neutrinos."
)
KEYWORDS = [
    {"name": "reactions", "values": ["NU NUCLEUS --> NU NUCLEUS"]},
    {
        "name": "phrases",
        "values": ["Neutrino Magnetic Moment", "Coherent Elastic Neutrino-Nucleus Scattering"],
    },
]
# Tables of limits: {file: (name, place in the paper, description)}
LIMITS = {
    "table2": ("Limits, one moment at a time", "Table II", "Upper limits on each moment, the others zero."),
    "profiled": (
        "Limits, other moments free",
        None,
        "Upper limits on each moment. Free are the other moments and all their phases (profiled), the CP phase too "
        "(profiled-delta-free), or the mixing angles within their errors (profiled-angles-free).",
    ),
    "flavour": (
        "Limits in the flavour basis",
        None,
        "Upper limits on each moment of the flavour basis, and on the effective moment of each flavour.",
    ),
}


def cell(text):
    """A value as HEPData takes it: a finite number, or words."""
    try:
        number = float(text)
    except ValueError:
        return {"value": text or "-"}
    return {"value": number if math.isfinite(number) else "none"}


def share(row, key):
    """A share of toys with its binomial error."""
    value, toys = float(row[key]), int(row["toys"])
    ends = binomtest(round(value * toys), toys).proportion_ci(math.erf(math.sqrt(0.5)), "wilson")
    minus, plus = (float(f"{end - value:.2g}") for end in ends)
    return {"value": value, "errors": [{"asymerror": {"plus": plus, "minus": minus}, "label": "toys"}]}


def variable(name, cells, unit=None, **qualifiers):
    """A column; dependent variables have qualifiers."""
    found = {"header": {"name": name, "units": unit} if unit else {"name": name}}
    if qualifiers:
        pairs = qualifiers.items()
        found["qualifiers"] = [{"name": key.replace("_", " "), **cell(text)} for key, text in pairs]
    return found | {"values": list(cells)}


def independent(headers, rows):
    """What names a row."""
    return [
        variable(name, (cell(row[column]) for row in rows), MU_B if column.endswith("muB") else None)
        for column, name in headers.items()
    ]


def thinned(points):
    """Some points of a curve, its ends among them."""
    return [points[n] for n in np.unique(np.linspace(0, len(points) - 1, POINTS).astype(int))]


def table_of(row):
    """The table that a limit belongs to."""
    if row["parameter"] in FLAVOUR_PARAMETERS:
        return "flavour"
    return "table2" if row["method"] == "one-at-a-time" else "profiled"


def limits(rows):
    """A row for each setup, a column for each moment, method, reading and confidence level."""
    columns = defaultdict(dict)
    for row in rows:
        key = itemgetter("parameter", "method", "reading", "confidence_level")(row)
        columns[key][itemgetter(*SETUP)(row)] = row["limit_muB"]
    setups = list(dict.fromkeys(setup for column in columns.values() for setup in column))
    return independent(SETUP, [dict(zip(SETUP, setup, strict=True)) for setup in setups]), [
        variable(
            f"Upper limit on {SYMBOLS[parameter]}",
            (cell(column.get(setup, "")) for setup in setups),
            MU_B,
            **dict(Method=method, Reading=reading, Confidence_level=level),
        )
        for (parameter, method, reading, level), column in columns.items()
    ]


def profiles(path, setups, beams, reading):
    """A row for each value of the moment, a column for each setup, beam and moment."""
    columns = []
    for setup in setups:
        for beam in beams:
            data = read(path, f"{setup}/{reading}/{beam}", {"Lambda": "mu_B", "delta_chi2": "1"})
            for parameter, curve in zip(PARAMETERS, data["delta_chi2"], strict=True):
                qualifiers = dict(Moment=SYMBOLS[parameter], Setup=setup, Beam=beam, Reading=reading)
                cells = (cell(f"{value:.10e}") for value in thinned(curve))
                columns.append(variable(r"$\Delta\chi^2$", cells, **qualifiers))
    cells = (cell(f"{value:.10e}") for value in thinned(data["Lambda"]))
    return [variable(r"$|\Lambda_i|$", cells, MU_B)], columns


def contours(rows, reading, levels):
    """A row for each point of the curves of a figure."""
    curves = [list(curve) for _, curve in groupby(rows, lambda row: list(row.values())[:-2])]
    points = [point | {"plane": " ".join(point["plane"])} for curve in curves for point in thinned(curve)]
    level = ", ".join(sorted({levels[point["experiment"]] for point in points}))
    qualifiers = dict(Reading=reading, Confidence_level=level)
    y = variable(r"$|\Lambda_j|$", (cell(point["y_muB"]) for point in points), MU_B, **qualifiers)
    return independent(CURVE, points), [y]


def coverage(rows, reading):
    """A row for each truth."""
    rows = [row for row in rows if row["reading"] == reading]
    columns = {
        "Coverage of the interval": (share(row, "coverage_interval") for row in rows),
        "Coverage of the upper limit": (share(row, "coverage_upper") for row in rows),
        "Critical value": (cell(row["critical_value"]) for row in rows),
    }
    found = [variable(name, cells, Reading=reading) for name, cells in columns.items()]
    return independent(TRUTH, rows), found


def tables(job):
    """Each table: file, name, place in the paper, description, independent and dependent variables."""
    reading, files = job.parameters["reading"], job.by_name("profiles")
    rows = read_csv(job.input.limits)
    for name, words in LIMITS.items():
        yield name, *words, *limits([row for row in rows if table_of(row) == name])
    for name, (setups, beams) in job.parameters["profiles"].items():
        place = None if "combined" in beams else "Figure 2"
        words = "Chi-squared above its minimum against one moment, the others zero."
        columns = profiles(files[name], setups, beams, reading)
        yield f"profiles-{name}", f"Profiles of {name}", place, words, *columns
    levels, figures = {row["experiment"]: row["confidence_level"] for row in rows}, defaultdict(list)
    for row in read_csv(job.input.contours):
        figures[row["figure"]].append(row)
    for figure in job.parameters["figures"]:
        place = f"Figure {figure}" if figure.isdecimal() else None
        third = "free, as all phases are" if figure == "profiled" else "zero"
        words = f"Borders of allowed regions in the planes of two moments, the third {third}."
        name = f"Contours, {place or figure}"
        yield f"contours-{figure}", name, place, words, *contours(figures[figure], reading, levels)
    words = (
        "Shares of toys in which the interval, Delta chi-squared within the level, or the upper limit holds the truth; quantile "
        "of Delta chi-squared of the truth. 'Nuisance on' is what that of chi-squared scales, 'Truth' what is uncertain in toys."
    )
    yield "coverage", "Coverage of the limits", None, words, *coverage(read_csv(job.input.coverage), reading)


def write(path, *documents):
    """Write YAML documents, each value of a column in its own line."""
    how = dict(sort_keys=False, default_flow_style=None, width=1000)
    write_text(path, yaml.dump_all(documents, Dumper=yaml.CSafeDumper, **how))


def main(job):
    folder = Path(job.output[0]).parent
    resource = {"location": f"https://arxiv.org/abs/{ARXIV}", "description": "The paper"}
    documents = [
        {"additional_resources": [resource], "comment": " ".join([COMMENT, *job.parameters["notes"]])}
    ]
    for file, name, place, description, names, values in tables(job):
        write(folder / f"{file}.yaml", {"independent_variables": names, "dependent_variables": values})
        location = {"location": f"{place} of arXiv:{ARXIV}, computed anew"} if place else {}
        about = {"description": description, "keywords": KEYWORDS, "data_file": f"{file}.yaml"}
        documents.append({"name": name, **location, **about})
    write(job.output[0], *documents)


run(snakemake, main)
