"""Results against the reference results; run by itself, the differences, which ``--accept`` accepts.

``make reference`` and ``make reference ACCEPT=1`` run it after the results have been computed.
"""

import math
import shutil
import sys
from pathlib import Path

from cevns_tmm.storage import read_csv, sha256, write_text
from pipeline import plan
from pipeline.published import REFERENCE, SUMS, number

TOLERANCE = 1e-9
"""How much a number may differ from the reference, relative to it."""


def both(results, expected, columns):
    """Rows of two tables by the columns that are not compared: {key: (result, expected)}."""
    found, wanted = (
        {tuple(v for k, v in row.items() if k not in columns): row for row in rows}
        for rows in (results, expected)
    )
    return {key: (found.get(key), wanted.get(key)) for key in {**wanted, **found}}


def reference(kind, results, expected, columns):
    """One check per row of a reference table: the same numbers to 1e-9. New rows pass."""
    for key, (found, wanted) in both(results, expected, columns).items():
        name = f"{kind} {' '.join(key)}"
        if found is None:
            yield "reference", name, False, "only in the reference"
        elif wanted is None:
            yield "reference", name, True, "new, not in the reference"
        else:
            pairs = [(number(found[c]), number(wanted[c])) for c in columns]
            same = all(math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=0) for a, b in pairs)
            text = ", ".join(f"{a:.10e} for {b:.10e}" for a, b in pairs)
            yield "reference", name, same, text


def texts(kind, results, expected, keys):
    """One check per row of a reference table of text: every column the same."""
    columns = [column for column in expected[0] if column not in keys]
    for key, (found, wanted) in both(results, expected, columns).items():
        changed = [c for c in columns if (found or {}).get(c) != (wanted or {}).get(c)]
        text = "; ".join(f"{c}: {(found or {}).get(c)} for {(wanted or {}).get(c)}" for c in changed)
        yield kind, " ".join(key), not changed, text


TEXTS = {
    "claims": ["claim", "place", "text"],
    "ablation": ["switched", "departure"],
    "inputs": ["alternative"],
}
NUMBERS = {"limits": ["limit_muB"], "counts": ["n_sm", "n_em_per_muB2"]}


def against_reference(results, expected):
    """All checks of results against the reference: two mappings table name -> rows."""
    for name, columns in NUMBERS.items():
        yield from reference(name[:-1], results[name], expected[name], columns)
    for name, keys in TEXTS.items():
        yield from texts(name, results[name], expected[name], keys)


AUDIT = ("ablation", "inputs")


def result(name):
    """Path of the result that a reference table is of."""
    return Path("results/audit" if name in AUDIT else "results") / f"{name}.csv"


def main(accept):
    """Print the differences; with ``accept`` the results become the reference."""
    names = (*NUMBERS, *TEXTS)
    for name in names:
        if problem := plan.problem(result(name)):
            sys.exit(f"cevns-tmm: {result(name)}: {problem}; {plan.again(result(name))}")
    results, expected = (
        {name: read_csv(path(name)) for name in names}
        for path in (result, lambda name: REFERENCE / f"{name}.csv")
    )
    different = [
        (kind, name, found)
        for kind, name, passed, found in against_reference(results, expected)
        if not passed or found.startswith("new")
    ]
    for kind, name, found in different:
        print(f"{kind}: {name}: {found}")
    print(f"{len(different)} differences from {REFERENCE}")
    if accept:
        for name in names:
            shutil.copyfile(result(name), REFERENCE / f"{name}.csv")
        sums = [f"{sha256(path)}  {path.name}\n" for path in sorted(REFERENCE.glob("*.csv"))]
        write_text(REFERENCE / SUMS, "".join(sums))
        print("accepted: the results are the reference now")
    elif different:
        print("to accept them: make reference ACCEPT=1")


if __name__ == "__main__":
    main("--accept" in sys.argv[1:])
