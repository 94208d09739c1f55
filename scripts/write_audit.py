"""Ablation, unstated inputs and budget -> tables in results/audit/."""

import math

from tabulate import tabulate

from cevns_tmm.storage import read_csv, write_csv, write_text
from pipeline.job import run
from pipeline.published import KEY, UNIT, mean_ratio, number, table2, tolerance


def score(limits, published):
    """Entries within tolerance, mean and worst ratio to Table II of one variant."""
    ratios = {key: limits[key] / UNIT / float(text) for key, text in published.items() if key in limits}
    if not ratios:
        return 0, 0, math.nan, math.nan, "none"
    within = sum(
        abs(limits[key] / UNIT - float(published[key])) <= tolerance(published[key]) for key in ratios
    )
    mean = mean_ratio(ratios.values())
    worst = max(ratios, key=lambda key: abs(math.log(ratios[key])))
    return within, len(ratios), mean, ratios[worst], " ".join(worst)


def change(limits, base):
    """Relative changes of the finite limits, in per cent, by key."""
    return {
        key: 100 * (limits[key] / base[key] - 1)
        for key in base
        if math.isfinite(limits[key]) and math.isfinite(base[key])
    }


def lost(limits, base):
    """How many limits that were finite are not."""
    return sum(math.isfinite(base[key]) and not math.isfinite(limits[key]) for key in base)


def ablation(variants, params, published):
    """Rows: each departure switched off in the reading shown, and switched on alone in the literal one."""
    rows = []
    for label, base, prefix in (
        ("off in " + params["shown"], params["shown"], "without"),
        ("on in literal", params["literal"], "only"),
    ):
        reference = score(variants[base], published)
        rows.append([label, "-", *shown(reference), 0, 0])
        for name in params["departures"]:
            limits = variants[f"{prefix}-{name}"]
            result = score(limits, published)
            moved = sum(
                not math.isclose(limits[key], value, rel_tol=1e-9, abs_tol=0)
                for key, value in variants[base].items()
            )
            rows.append([label, name, *shown(result), reference[0] - result[0], moved])
    return rows


def shown(result):
    """A score as cells."""
    within, total, mean, worst, name = result
    return [f"{within} of {total}", f"{mean:.3f}", f"{worst:.3f}", name]


def inputs(variants, params):
    """Rows: each alternative to an unstated input, with the range of its effect."""
    for name, title in params["inputs"].items():
        limits, base = variants[f"input-{name}"], variants[params["shown"]]
        changes = change(limits, base)
        if not changes:
            yield [title, 0, "", "", lost(limits, base)]
            continue
        most = max(changes, key=lambda key: abs(changes[key]))
        moved = sum(abs(c) > 1e-7 for c in changes.values())
        yield [title, moved, f"{changes[most]:+.2f}", " ".join(most), lost(limits, base)]


def budget(variants, params):
    """Rows: change of every limit for every input down and up, in per cent."""
    for name in params["budget"]:
        down, up = (change(variants[f"{name}-{way}"], variants[params["shown"]]) for way in ("down", "up"))
        for key in variants[params["shown"]]:
            cells = [f"{c[key]:+.4f}" if key in c else "" for c in (down, up)]
            yield [*key, name, *cells]


def main(job):
    params = job.parameters
    variants = {}
    for row in read_csv(job.input.limits):
        key = tuple(row[k] for k in KEY)
        variants.setdefault(row["reading"], {})[key] = number(row["limit_muB"])
    published = table2()
    heads = ["switched", "departure", "within tolerance", "mean finite ratio", "worst ratio", "worst entry"]
    heads += ["entries lost", "limits moved"]
    for name, columns, rows in (
        ("ablation", heads, ablation(variants, params, published)),
        (
            "inputs",
            ["alternative", "limits moved", "largest change [%]", "of", "limits lost"],
            list(inputs(variants, params)),
        ),
    ):
        write_csv(job.output[f"{name}_csv"], columns, rows)
        table = tabulate(rows, columns, tablefmt="github", disable_numparse=True)
        write_text(job.output[f"{name}_md"], table + "\n")
    columns = [*KEY, "input", "down [%]", "up [%]"]
    write_csv(job.output.budget_csv, columns, budget(variants, params))


run(snakemake, main)
