"""The published values and the reference results, which results are only ever compared with."""

import math

from cevns_tmm import tables
from cevns_tmm.errors import ConfigError
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.storage import sha256
from pipeline.code import ROOT

TABLE = ROOT / "resources/published_table2.csv"
REFERENCE = ROOT / "resources/reference"
SUMS = "SHA256SUMS"

KEY = ("experiment", "setup", "beam", "parameter")
"""What names a limit of one reading."""

UNIT = 1e-10
"""Unit of Table II in mu_B."""

RELATIVE = 0.03


def table2(path=TABLE):
    """Entries of Table II as printed, by (experiment, setup, beam, parameter); ConfigError if malformed."""

    def limit(text):
        tables.number(0, strict=True)(text)
        return text

    columns = dict.fromkeys(KEY[:3], tables.name) | dict.fromkeys(PARAMETERS, limit)
    return {
        (*key, parameter): row[parameter]
        for key, row in tables.unique(path, columns, KEY[:3]).items()
        for parameter in PARAMETERS
    }


def tolerance(text):
    """The larger of 3 % and half the last printed digit, in units of Table II."""
    half_digit = 0.5 * 10 ** -len(text.partition(".")[2])
    return max(RELATIVE * float(text), half_digit)


COMPARED = ["reading", *KEY, "reproduced", "published", "ratio", "tolerance", "within"]
"""Columns of the comparison."""


def one_at_a_time(limits):
    """Those rows of limits.csv that Table II has entries for: one moment of the mass basis at a time."""
    return [row for row in limits if row["method"] == "one-at-a-time" and row["parameter"] in PARAMETERS]


def limit_text(parameter, limit, any_limit):
    """A limit in mu_B as results have it; ``any_limit`` is whether the experiment limits any moment.

    An infinite limit is "unbounded" then, as the experiment is blind along that moment.
    """
    if math.isinf(limit) and any_limit and parameter.startswith("Lambda"):
        return "unbounded"
    return f"{limit:.10e}"


def number(text):
    """A number of a table of results; ``inf`` for a limit that is unbounded."""
    return math.inf if text == "unbounded" else float(text)


def compare(limits, published):
    """Rows of the comparison of limits (rows of limits.csv) with Table II, as :data:`COMPARED`."""
    for row in one_at_a_time(limits):
        key = tuple(row[k] for k in KEY)
        text = published.get(key)
        if text is not None:
            value, allowed = number(row["limit_muB"]) / UNIT, tolerance(text)
            within = abs(value - float(text)) <= allowed
            yield [row["reading"], *key, value, text, value / float(text), allowed, within]


def summary(rows):
    """One row per reading of a comparison: entries within tolerance, mean and worst ratio."""
    for reading in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == reading]
        worst = max(mine, key=lambda row: abs(math.log(row[7])))
        yield [
            reading,
            f"{sum(row[9] for row in mine)} of {len(mine)}",
            f"{mean_ratio(row[7] for row in mine):.3f}",
            f"{worst[7]:.3f} ({' '.join(worst[1:5])})",
        ]


def check_reference(folder=REFERENCE):
    """ConfigError unless the reference results are those that SHA256SUMS lists, as `make reference` wrote them."""
    sums = folder / SUMS
    try:
        lines = sums.read_text(encoding="utf-8").split("\n")[:-1]
        listed = dict(line.split("  ")[::-1] for line in lines)
        found = {path.name: sha256(path) for path in folder.glob("*.csv")}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{sums}: not readable ({error})") from None
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise ConfigError(
                f"{folder.name}/{name}: not as {SUMS} says; git checkout -- resources/reference restores it, "
                "make reference ACCEPT=1 replaces it by today's results"
            )


def mean_ratio(ratios):
    """Geometric mean of the finite ratios."""
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    return math.exp(sum(map(math.log, finite)) / len(finite)) if finite else math.nan
