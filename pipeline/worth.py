"""What the limits of Table II are worth, in short: honest_limits.csv for the README and the report."""

from pipeline.published import UNIT

CASES = {
    "exact": "coverage: exact rate",
    "well_known": "coverage: rate ± {:g} %",
    "configured": "coverage: rate ± σ_sys",
}
"""Heads of the coverage, by how well the rate of all events is known: the columns of honest_limits.csv."""


def current(rows):
    """Rows of honest_limits.csv for |Lambda_1| and the current setups."""
    return [row for row in rows if (row["setup"], row["parameter"]) == ("current", "Lambda1")]


def short(rows, error_on_total):
    """The same as a table, {column: text}: limits in :data:`UNIT`, coverage of their intervals."""

    def limit(text):
        return text if text in ("", "inf", "unbounded") else f"{float(text) / UNIT:.3g}"

    def share(text):
        return f"{100 * float(text):.0f} %" if text else ""

    return [
        {"experiment": row["experiment"], "beam": row["beam"], "published": limit(row["published_muB"])}
        | {head.format(100 * error_on_total): share(row[f"interval_{case}"]) for case, head in CASES.items()}
        | {"limit that covers": limit(row["covering_muB"]), "profiled": limit(row["profiled_muB"])}
        for row in current(rows)
    ]
