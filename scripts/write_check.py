"""All checks in one table: published values, reference results, claims -> results/check.{csv,md}."""

import math

from tabulate import tabulate

from scripts.compared import published_entries
from scripts.job import run
from scripts.text import read_csv, write_csv, write_text

REFERENCE_TOLERANCE = 1e-9


def published(comparison, expected, misses, reading, experiments):
    """One check per printed entry: within tolerance, unless it is a known miss."""
    known = {tuple(miss["entry"]) for miss in misses}
    found = {
        tuple(row[k] for k in ("experiment", "setup", "component", "parameter")): row
        for row in comparison
        if row["reading"] == reading
    }
    for key in {**expected, **dict.fromkeys(sorted(known))}:
        row, name = found.get(key), " ".join(key)
        if key not in expected:
            yield "published", name, False, "listed as a miss, but not an entry of Table II"
        elif row is None:
            if key[0] in experiments:
                yield "published", name, False, "not among the results"
        else:
            text = f"{row['reproduced']} for {row['published']}, ratio {row['ratio']}"
            text += ", a known miss" if key in known else ""
            yield "published", name, (row["within"] == "yes") != (key in known), text


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
            pairs = [(float(found[c]), float(wanted[c])) for c in columns]
            same = all(math.isclose(a, b, rel_tol=REFERENCE_TOLERANCE, abs_tol=0) for a, b in pairs)
            text = ", ".join(f"{a:.10e} for {b:.10e}" for a, b in pairs)
            yield "reference", name, same, text


def texts(kind, results, expected, keys):
    """One check per row of a reference table of text: every column the same."""
    columns = [column for column in expected[0] if column not in keys]
    for key, (found, wanted) in both(results, expected, columns).items():
        changed = [c for c in columns if (found or {}).get(c) != (wanted or {}).get(c)]
        text = "; ".join(
            f"{c}: {(found or {}).get(c)} for {(wanted or {}).get(c)}" for c in changed
        )
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


def main(snakemake):
    tables = {name: read_csv(snakemake.input[name]) for name in (*NUMBERS, *TEXTS)}
    expected = {name: read_csv(snakemake.input[f"reference_{name}"]) for name in tables}
    rows = [
        *published(
            read_csv(snakemake.input.comparison),
            published_entries(snakemake.input.published),
            snakemake.params.misses,
            snakemake.params.reading,
            snakemake.params.experiments,
        ),
        *against_reference(tables, expected),
    ]
    columns = ["check", "name", "passed", "found"]
    rows = [[kind, name, "yes" if passed else "no", text] for kind, name, passed, text in rows]
    write_csv(snakemake.output.csv, columns, rows)
    summary = [
        [kind, sum(r[2] == "yes" for r in rows if r[0] == kind), sum(r[0] == kind for r in rows)]
        for kind in dict.fromkeys(row[0] for row in rows)
    ]
    failed = [row for row in rows if row[2] == "no"]
    text = tabulate(summary, ["check", "passed", "of"], tablefmt="github")
    if failed:
        table = tabulate(failed, columns, tablefmt="github", disable_numparse=True)
        text += f"\n\n{len(failed)} checks failed:\n\n{table}"
        text += "\n\nIf the change is deliberate: make reference, then make reference ACCEPT=1"
    write_text(snakemake.output.md, text + "\n")


if __name__ == "__main__":
    run(snakemake, main)
