"""All checks in one table: published values, reference results, claims -> results/check.{csv,md}."""

from tabulate import tabulate

from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import REFERENCE, check_reference, table2
from pipeline.reference import NUMBERS, TEXTS, against_reference


def published(comparison, expected, misses, reading, experiments):
    """One check per printed entry: within tolerance, unless it is a known miss."""
    known = {tuple(miss["entry"]) for miss in misses}
    found = {
        tuple(row[k] for k in ("experiment", "setup", "beam", "parameter")): row
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


def main(job):
    check_reference()
    tables = {name: read_csv(job.input[name]) for name in (*NUMBERS, *TEXTS)}
    expected = {name: read_csv(REFERENCE / f"{name}.csv") for name in tables}
    rows = [
        *published(
            read_csv(job.input.comparison),
            table2(),
            job.parameters["misses"],
            job.parameters["reading"],
            job.parameters["experiments"],
        ),
        *against_reference(tables, expected),
    ]
    columns = ["check", "name", "passed", "found"]
    rows = [[kind, name, "yes" if passed else "no", text] for kind, name, passed, text in rows]
    write_csv(job.output.csv, columns, rows)
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
    write_text(job.output.md, text + "\n")


if __name__ == "__main__":
    run(snakemake, main)
