"""Results against the published limits, the reference and the claims -> results/check.{csv,md}."""

from tabulate import tabulate

from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import compare, table2
from pipeline.reference import TABLES, check_sums
from pipeline.reference import compare as against_reference


def published(entries, misses):
    """One check per published limit: within tolerance, unless it is a known miss."""
    expected, known = table2(), {tuple(miss["entry"]) for miss in misses}
    found = {entry.key: entry for entry in entries}
    for key in dict.fromkeys([*expected, *sorted(known)]):
        entry, name = found.get(key), " ".join(key)
        if key not in expected:
            yield "published", name, False, "listed as a miss, but not a published limit"
        elif entry is None:
            yield "published", name, False, "not among the results"
        else:
            text = f"{entry.value:.6g} for {entry.printed}, ratio {entry.ratio:.4f}"
            text += ", a known miss" if key in known else ""
            yield "published", name, entry.is_within != (key in known), text


def main(job):
    params, rows = job.parameters, []
    if params["notes"]:
        page = " ".join(params["notes"]) + (
            " The reference results are not its own, so there is nothing to check: results/comparison.md has what is "
            "published beside what is computed, results/claims.md the paper's statements judged on this study."
        )
    else:
        check_sums()
        entries = compare(read_csv(job.input.limits), table2()).get(params["reading"], [])
        rows += published(entries, params["misses"])
        for name, path in zip(TABLES, job.input.tables, strict=True):
            rows += against_reference(name, path)
        kinds = dict.fromkeys(row[0] for row in rows)
        passed = {kind: [row[2] for row in rows if row[0] == kind] for kind in kinds}
        words = {"published": "published, or a known miss"}
        counts = [[words.get(kind, kind), sum(good), len(good)] for kind, good in passed.items()]
        page = tabulate(counts, ["check", "passed", "of"], tablefmt="github")
        words = "holds", f"holds only under {params['reading']}"
        holding = [row["verdict"] in words for row in read_csv(job.input.claims)]
        within = [entry.is_within for entry in entries]
        verdict = (
            f"Reading {params['reading']}: {sum(within)} of {len(within)} published limits within tolerance; "
            f"{sum(holding)} of {len(holding)} claims hold. "
        )
        if failed := [row for row in rows if not row[2]]:
            cells, heads = [row[:2] + row[3:] for row in failed], ["check", "row", "found"]
            table = tabulate(cells, heads, tablefmt="github", disable_numparse=True)
            page += f"\n\n{len(failed)} checks failed:\n\n{table}"
            verdict += "If the change is deliberate: make reference, then make reference ACCEPT=1"
        else:
            verdict += (
                f"All {len(rows)} checks pass: results, claims and known misses are those of the reference."
            )
        page += f"\n\n{verdict}"
    cells = ([kind, name, "yes" if passed else "no", found] for kind, name, passed, found in rows)
    write_csv(job.output.csv, ["check", "name", "passed", "found"], cells)
    write_text(job.output.md, f"{page}\n")


run(snakemake, main)
