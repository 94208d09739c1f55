"""All checks in one table: published values, reference results, claims -> results/check.{csv,md}."""

import math

from tabulate import tabulate

from scripts.job import run
from scripts.text import read_csv, write_csv, write_text

REFERENCE_TOLERANCE = 1e-9


def published(comparison, misses, reading):
    """One check per entry of Table II: within tolerance, unless it is a known miss."""
    known = {tuple(miss["entry"]) for miss in misses}
    for row in comparison:
        if row["reading"] == reading:
            key = tuple(row[k] for k in ("experiment", "setup", "component", "parameter"))
            text = f"{row['reproduced']} for {row['published']}, ratio {row['ratio']}"
            if key in known:
                text += ", a known miss"
            yield "published", " ".join(key), (row["within"] == "yes") != (key in known), text


def reference(kind, results, expected, columns):
    """One check per row of a reference table: the same numbers to 1e-9."""
    found, wanted = (
        {tuple(v for k, v in row.items() if k not in columns): row for row in rows}
        for rows in (results, expected)
    )
    for key in {**wanted, **found}:
        name = f"{kind} {' '.join(key)}"
        if key not in found or key not in wanted:
            where = "results" if key in found else "reference"
            yield "reference", name, False, f"only in the {where}"
            continue
        pairs = [(float(found[key][c]), float(wanted[key][c])) for c in columns]
        same = all(math.isclose(a, b, rel_tol=REFERENCE_TOLERANCE, abs_tol=0) for a, b in pairs)
        text = ", ".join(f"{a:.10e} for {b:.10e}" for a, b in pairs)
        yield "reference", name, same, text


def claims(results, expected):
    """One check per claim: the verdict is that of the reference."""
    wanted = {row["claim"]: row["verdict"] for row in expected}
    for row in results:
        same = wanted.get(row["claim"]) == row["verdict"]
        yield (
            "claim",
            row["claim"],
            same,
            f"{row['verdict']} (reference: {wanted.get(row['claim'])})",
        )


def main(snakemake):
    files = {name: read_csv(path) for name, path in snakemake.input.items() if name != "code"}
    rows = [
        *published(files["comparison"], snakemake.params.misses, snakemake.params.reading),
        *reference("limit", files["limits"], files["reference_limits"], ["limit_muB"]),
        *reference("count", files["counts"], files["reference_counts"], ["n_sm", "n_em_per_muB2"]),
        *claims(files["claims"], files["reference_claims"]),
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
    write_text(snakemake.output.md, text + "\n")


if __name__ == "__main__":
    run(snakemake, main)
