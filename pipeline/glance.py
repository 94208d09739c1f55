"""A finished study at a glance: the limits of its own experiments, where its results are, what is doubtful."""

import sys
import warnings
from pathlib import Path

from tabulate import tabulate

from cevns_tmm import Study
from cevns_tmm.storage import read_csv
from pipeline.published import PARAMETERS, UNIT, number, one_at_a_time


def glance(folder):
    """Closing words of ``make study``; the reading is that of the figures, limits are in :data:`UNIT`."""
    with warnings.catch_warnings(action="ignore"):
        study = Study.read(Path(folder) / "config")
    blocks, paper = (s.config["experiments"] | s.config["combinations"] for s in (study, Study.paper()))
    own = [name for name, block in blocks.items() if block != paper.get(name)] or list(blocks)
    reading = study.config["figures_reading"]
    limits = {}
    for row in one_at_a_time(read_csv(Path(folder) / "results/limits.csv")):
        if row["experiment"] in own and row["reading"] == reading:
            key = row["experiment"], row["setup"], row["beam"]
            limits.setdefault(key, {})[row["parameter"]] = f"{number(row['limit_muB']) / UNIT:.3g}"
    rows = [[*key, *(found[parameter] for parameter in PARAMETERS)] for key, found in limits.items()]
    level, others = study.config["confidence_level"], [name for name in study.readings if name != reading]
    heads = ["experiment", "setup", "beam", *(f"|{p[:-1]}_{p[-1]}|" for p in PARAMETERS)]
    lines = [
        f"Limits in {UNIT:g} mu_B at {100 * level:g} % C.L., one moment at a time, in the reading {reading}:",
        f"\n{tabulate(rows, heads, disable_numparse=True)}\n",
        f"Other readings ({', '.join(others)}), methods and moments: {folder}/results/limits.csv.",
        f"Tables: {folder}/results/table2.md, counts.csv, contours.csv. Figures: {folder}/figures/*.pdf and *.png.",
    ]
    return "\n".join([*lines, *(f"cevns-tmm: {note}" for note in study.notes)])


if __name__ == "__main__":
    print(glance(sys.argv[1].rstrip("/")))
