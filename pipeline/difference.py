"""What changed in limits and counts, largest change first: ``make diff``, ``make diff WITH=OTHER-STUDY``."""

import math
import shutil
import sys
from pathlib import Path

from pipeline.plan import PLANS
from pipeline.published import number
from pipeline.reference import TABLES, rows

NUMBERS = {"limits.csv": ["limit_muB"], "counts.csv": ["n_sm", "n_em_per_muB2"]}
LINES = 30  # one screen
BEFORE, LATEST = Path(PLANS) / "before", Path(PLANS) / "latest"


def keep(results="results"):
    """Remember the tables of this run; those of the last run that had others stay as BEFORE."""
    present = [name for name in NUMBERS if (Path(results) / name).exists()]
    texts = {name: (Path(results) / name).read_bytes() for name in present}
    if texts != {name: (LATEST / name).read_bytes() for name in present if (LATEST / name).exists()}:
        if LATEST.exists():
            shutil.rmtree(BEFORE, ignore_errors=True)
            LATEST.rename(BEFORE)
        LATEST.mkdir(parents=True)
        for name, text in texts.items():
            (LATEST / name).write_bytes(text)


def changes(old, new):
    """(change in per cent, table, row, column, before, after) of every number that moved, largest first."""
    found = []
    for name, columns in NUMBERS.items():
        before, after = (rows(Path(folder) / name, TABLES[name]) for folder in (old, new))
        for key in before.keys() & after.keys():
            for column in columns:
                a, b = number(before[key][column]), number(after[key][column])
                if not math.isclose(a, b, rel_tol=1e-9, abs_tol=0):
                    change = 100 * (b / a - 1) if math.isfinite(a) and a else math.inf
                    found.append((change, name, " ".join(key), column, a, b))
        both, only = len(before.keys() & after.keys()), len(before.keys() ^ after.keys())
        if only:
            print(f"{name}: {only} rows are in one of the two only, {both} in both")
    return sorted(found, key=lambda item: (-abs(item[0]), *item[1:4]))


def main(other=None):
    """Print the changes since the last run that gave others, or from another study to this one."""
    old = Path(other) / "results" if other else BEFORE
    if not other and Path("results/limits.csv").exists() and not BEFORE.exists():
        return print("nothing to compare yet: no earlier run here had other results")
    if missing := [str(p / n) for p in (old, Path("results")) for n in NUMBERS if not (p / n).exists()]:
        sys.exit(f"cevns-tmm: nothing to compare: {missing[0]} is missing")
    found = changes(old, "results")
    for change, _, row, column, before, after in found[:LINES]:
        print(f"{change:+10.3g} %  {row} {column}: {before:.4g} -> {after:.4g}")
    more = f", of which the largest {LINES} are shown" if len(found) > LINES else ""
    print(f"{len(found)} numbers differ from {old}{more}")


if __name__ == "__main__":
    main(*sys.argv[1:])
