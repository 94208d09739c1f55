"""The published Table II and how closely an entry must be met."""

from cevns_tmm.magnetic_moment import PARAMETERS
from scripts.text import read_csv

UNIT = 1e-10
"""Unit of Table II in mu_B."""

RELATIVE = 0.03


def published_entries(path):
    """Entries of Table II as printed, by (experiment, setup, component, parameter)."""
    return {
        (row["experiment"], row["setup"], row["component"], parameter): row[parameter]
        for row in read_csv(path)
        for parameter in PARAMETERS
    }


def tolerance(text):
    """The larger of 3 % and half the last printed digit, in units of Table II."""
    half_digit = 0.5 * 10 ** -len(text.partition(".")[2])
    return max(RELATIVE * float(text), half_digit)
