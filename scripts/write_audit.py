"""Ablation, unstated inputs and budget -> tables in results/audit/."""

import math

from cevns_tmm.storage import read_csv, write_csv
from pipeline.job import run
from pipeline.published import KEY, SUMMARY, compare, number, one_at_a_time, summary, table2


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


def ablation(variants, entries, params):
    """Rows: each departure switched off in the reading shown, and switched on alone in the literal one."""

    def within(variant):
        return sum(entry.is_within for entry in entries.get(variant, []))

    shown, literal = params["shown"], params["literal"]
    for label, base, prefix in ((f"off in {shown}", shown, "without"), ("on in literal", literal, "only")):
        yield [label, "-", *summary(entries.get(base)), 0, 0]
        for name in params["departures"]:
            variant = f"{prefix}-{name}"
            moved = sum(
                not math.isclose(variants[variant][key], value, rel_tol=1e-9, abs_tol=0)
                for key, value in variants[base].items()
            )
            lost = within(base) - within(variant)
            yield [label, name, *summary(entries.get(variant)), lost, moved]


def inputs(variants, params):
    """Rows: each alternative to an unstated input, with the range of its effect."""
    for name, title in params["inputs"].items():
        limits, base = variants[f"input-{name}"], variants[params["shown"]]
        changes = change(limits, base)
        if not changes:
            yield [title, 0, "", "", lost(limits, base)]
            continue
        most = max(changes, key=lambda key: round(abs(changes[key]), 6))  # the first of equal ones
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
    params, limits = job.parameters, one_at_a_time(read_csv(job.input.limits))
    variants = {}
    for row in limits:
        variants.setdefault(row["reading"], {})[tuple(row[k] for k in KEY)] = number(row["limit_muB"])
    entries = compare(limits, table2())
    heads = ["switched", "departure", *SUMMARY, "entries lost", "limits moved"]
    write_csv(job.output.ablation, heads, ablation(variants, entries, params))
    heads = ["alternative", "limits moved", "largest change [%]", "of", "limits lost"]
    write_csv(job.output.inputs, heads, inputs(variants, params))
    write_csv(job.output.budget, [*KEY, "input", "down [%]", "up [%]"], budget(variants, params))


run(snakemake, main)
