"""Tables of text, written whole or not at all."""

import csv
import io
from pathlib import Path

from cevns_tmm.io import replacing


def percent(confidence_level):
    """A confidence level as text."""
    return f"{100 * confidence_level:.6g} % C.L."


def read_csv(path):
    """Rows of a CSV file as dictionaries; lines that begin with # are comments."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def write_text(path, text):
    """Write a text file."""
    with replacing(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def write_csv(path, columns, rows):
    """Write a CSV file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, buffer.getvalue())
