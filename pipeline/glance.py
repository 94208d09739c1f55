"""A finished study at a glance: events and limits of its own experiments, where its results are, what is doubtful."""

import sys
import warnings
from pathlib import Path

import numpy as np
from tabulate import tabulate

from cevns_tmm import Study
from cevns_tmm.spectrum import excess_by_moment
from cevns_tmm.storage import read_csv
from pipeline.published import PARAMETERS, UNIT, number, one_at_a_time


def glance(folder):
    """Closing words of ``make study``; the reading is that of the figures, limits are in :data:`UNIT`."""
    with warnings.catch_warnings(action="ignore"):
        study = Study.read(Path(folder) / "config")
    blocks, paper = (s.config["experiments"] | s.config["combinations"] for s in (study, Study.paper()))
    own = [name for name, block in blocks.items() if block != paper.get(name)] or list(blocks)
    reading, level = study.config["figures_reading"], study.config["confidence_level"]
    by_reading = {name: {} for name in study.readings}
    for row in one_at_a_time(read_csv(Path(folder) / "results/limits.csv")):
        if row["experiment"] in own:
            key = row["experiment"], row["setup"], row["beam"]
            by_reading[row["reading"]].setdefault(key, {})[row["parameter"]] = number(row["limit_muB"])
    limits, counts = by_reading[reading], read_csv(Path(folder) / "results/counts.csv")
    rows = []
    for key, found in limits.items():
        shown = (f"{found[parameter] / UNIT:.3g}" for parameter in PARAMETERS)
        rows.append([*key, *events(study, counts, key, found), *shown])
    heads = [
        "experiment",
        "setup",
        "beam",
        "SM events",
        "at limit",
        *(f"|{p[:-1]}_{p[-1]}|" for p in PARAMETERS),
    ]
    others = ", ".join(name for name in study.readings if name != reading)
    is_same = others and all(found == limits for found in by_reading.values())
    where = f"{reading}, that of the figures" + (f"; those in {others} are the same" if is_same else "")
    lines = [
        f"Limits in {UNIT:g} mu_B at {100 * level:g} % C.L., one moment at a time, in the reading {where}.",
        "SM events are expected without magnetic moments, those at limit are added where |Lambda_1| is at its limit.",
        f"\n{tabulate(rows, heads, disable_numparse=True)}\n",
        f"Other readings ({others or 'none'}), methods and moments: {folder}/results/limits.csv.",
        f"Tables: {folder}/results/table2.md, counts.csv, contours.csv. Figures: {folder}/figures/*.pdf and *.png.",
    ]
    return "\n".join([*lines, *(f"cevns-tmm: {note}" for note in study.notes)])


def events(study, counts, key, limits):
    """Expected events of an experiment, and those of magnetic moments at the limit on |Lambda_1|; none of a combination."""
    name, setup, beam = key
    if name in study.combinations:
        return "", ""
    here = study.config["figures_reading"], name, setup
    own = [row for row in counts if (row["reading"], row["experiment"], row["setup"]) == here]
    signal = {row["component"]: float(row["n_em_per_muB2"]) for row in own}
    components = study.panels(name)[beam]
    em = np.array([[signal[component]] for component in components])
    ((per_square,), *_) = excess_by_moment(em, components, study.experiment(name, setup).analysis.mixing())
    at_limit = per_square and per_square * limits["Lambda1"] ** 2
    return f"{sum(float(row['n_sm']) for row in own):.3g}", f"{at_limit:.3g}"


if __name__ == "__main__":
    print(glance(sys.argv[1].rstrip("/")))
