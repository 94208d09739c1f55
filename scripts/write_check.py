"""Results against Table II, the reference and the claims -> results/comparison.{csv,md}, check.{csv,md}."""

from tabulate import tabulate

from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import COMPARED, REFERENCE, check_reference, compare, summary, table2
from pipeline.reference import NUMBERS, TEXTS, against_reference


def text(row):
    """A row of the comparison as text."""
    *key, value, published, ratio, allowed, within = row
    return [*key, f"{value:.6g}", published, f"{ratio:.4f}", f"{allowed:.4g}", "yes" if within else "no"]


def published(comparison, expected, misses, experiments):
    """One check per printed entry of a comparison of one reading: within tolerance, unless it is a known miss."""
    known = {tuple(miss["entry"]) for miss in misses}
    found = {tuple(row[1:5]): row for row in comparison}
    for key in {**expected, **dict.fromkeys(sorted(known))}:
        row, name = found.get(key), " ".join(key)
        if key not in expected:
            yield "published", name, False, "listed as a miss, but not an entry of Table II"
        elif row is None:
            if key[0] in experiments:
                yield "published", name, False, "not among the results"
        else:
            *_, value, printed, ratio, _, within = text(row)
            found_text = f"{value} for {printed}, ratio {ratio}"
            found_text += ", a known miss" if key in known else ""
            yield "published", name, (within == "yes") != (key in known), found_text


def main(job):
    check_reference()
    results = {name: read_csv(job.input[name]) for name in (*NUMBERS, *TEXTS)}
    expected = {name: read_csv(REFERENCE / f"{name}.csv") for name in results}
    compared = list(compare(results["limits"], table2()))
    write_csv(job.output.comparison_csv, COMPARED, map(text, compared))
    heads = ["reading", "entries within tolerance", "mean finite ratio", "worst ratio"]
    write_text(job.output.comparison_md, tabulate(summary(compared), heads, tablefmt="github") + "\n")

    shown = [row for row in compared if row[0] == job.parameters["reading"]]
    rows = published(shown, table2(), job.parameters["misses"], job.parameters["experiments"])
    rows = [*rows, *against_reference(results, expected)]
    rows = [[kind, name, "yes" if passed else "no", found] for kind, name, passed, found in rows]
    columns = ["check", "name", "passed", "found"]
    write_csv(job.output.csv, columns, rows)
    counts = [
        [kind, sum(r[2] == "yes" for r in rows if r[0] == kind), sum(r[0] == kind for r in rows)]
        for kind in dict.fromkeys(row[0] for row in rows)
    ]
    page = tabulate(counts, ["check", "passed", "of"], tablefmt="github")
    if failed := [row for row in rows if row[2] == "no"]:
        table = tabulate(failed, columns, tablefmt="github", disable_numparse=True)
        page += f"\n\n{len(failed)} checks failed:\n\n{table}"
        page += "\n\nIf the change is deliberate: make reference, then make reference ACCEPT=1"
    write_text(job.output.md, page + "\n")


run(snakemake, main)
