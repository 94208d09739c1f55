"""The published limits, which results are only ever compared with."""

import math
from statistics import geometric_mean
from typing import NamedTuple

from cevns_tmm import tables
from cevns_tmm.magnetic_moment import PARAMETERS
from pipeline.code import ROOT

TABLE = ROOT / "resources/published_table2.csv"

LATER = ROOT / "resources/later_limits.csv"
"""Limits on effective moments that were published later; what they are on is a parameter of limits.csv, or mu_nu_solar."""

KEY = ("experiment", "setup", "beam", "parameter")
"""What names a limit of one reading."""

UNIT = 1e-10
"""Unit of the published limits in mu_B."""

LEVEL = 0.9
"""Confidence level of the published limits."""


class Entry(NamedTuple):
    """A limit of one reading beside the published one, both in :data:`UNIT`; ``printed`` is its text."""

    reading: str
    key: tuple
    value: float
    printed: str

    @property
    def ratio(self):
        """Reproduced over published."""
        return self.value / float(self.printed)

    @property
    def distance(self):
        """How far the ratio is from 1, up or down."""
        return abs(math.log(self.ratio))

    @property
    def tolerance(self):
        """The larger of 3 % and half the last printed digit."""
        return max(0.03 * float(self.printed), 0.5 * 10 ** -len(self.printed.partition(".")[2]))

    @property
    def is_within(self):
        """Whether both agree to the tolerance."""
        return abs(self.value - float(self.printed)) <= self.tolerance


def table2(path=TABLE):
    """Limits of Table II and of Sec. 5 as printed, by (experiment, setup, beam, parameter); ConfigError if malformed."""

    def limit(text):
        tables.number(0, strict=True)(text)
        return text

    columns = dict.fromkeys(KEY[:3], tables.name) | dict.fromkeys(PARAMETERS, limit)
    return {
        (*key, parameter): row[parameter]
        for key, row in tables.unique(path, columns, KEY[:3]).items()
        for parameter in PARAMETERS
    }


def one_at_a_time(limits):
    """Those rows of limits.csv that Table II has entries for: one moment of the mass basis at a time."""
    return [row for row in limits if row["method"] == "one-at-a-time" and row["parameter"] in PARAMETERS]


def like_the_paper(limits):
    """Rows of Table II in its own form: beam, experiment and three limits, in brackets those of the future setups.

    ``limits`` maps (experiment, setup, beam, parameter) to text.
    """
    for experiment, beam in dict.fromkeys((key[0], key[2]) for key in limits):
        row = [beam, experiment]
        for parameter in PARAMETERS:
            now, later = (limits.get((experiment, s, beam, parameter)) for s in ("current", "future"))
            row.append(" ".join(filter(None, [now, later and f"[{later}]"])))
        yield row


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
    """Entries of limits (rows of limits.csv) that are published: {reading: [Entry, ...]}."""
    found = {}
    for row in one_at_a_time(limits):
        key = tuple(row[k] for k in KEY)
        if key in published and float(row["confidence_level"]) == LEVEL:
            entry = Entry(row["reading"], key, number(row["limit_muB"]) / UNIT, published[key])
            found.setdefault(entry.reading, []).append(entry)
    return found


SUMMARY = ["published limits within tolerance", "mean finite ratio", "worst ratio", "worst entry"]
"""Columns of a summary."""


def summary(entries):
    """Cells, as :data:`SUMMARY`, for the entries of one reading."""
    if not entries:
        return ["0 of 0", "nan", "nan", "none"]
    worst = max(entries, key=lambda entry: entry.distance)
    within = f"{sum(entry.is_within for entry in entries)} of {len(entries)}"
    finite = [entry.ratio for entry in entries if math.isfinite(entry.ratio)]
    mean = geometric_mean(finite) if finite else math.nan
    return [within, f"{mean:.3f}", f"{worst.ratio:.3f}", " ".join(worst.key)]
