"""Results against the reference results; run by itself, the differences, which ``--accept`` accepts.

``make reference`` and ``make reference ACCEPT=1`` run it after the results have been computed.
"""

import math
import re
import shutil
import sys
from functools import cache
from pathlib import Path

from cevns_tmm.config import PAPER, load_yaml
from cevns_tmm.errors import ConfigError
from cevns_tmm.storage import read_csv, sha256, write_text
from pipeline import plan
from pipeline.code import ROOT

FOLDER = ROOT / "resources/reference"
SUMS = "SHA256SUMS"

TOLERANCE = 1e-9
"""How much a number may differ from the reference, relative to it."""

TABLES = {
    **{"limits.csv": 6, "counts.csv": 4, "table2.csv": 4, "table2.md": 1, "table2.tex": 1},
    **{"claims.csv": 3, "audit/ablation.csv": 2, "audit/inputs.csv": 1, "samples.csv": 2},
    "honest_limits.csv": 4,
}
"""Results that have a reference: {path in results/: number of columns that name a row}."""

OF_TOYS = {"coverage.csv": 6, "expected_limits.csv": 5, "spectrum_coverage.csv": 7}
"""The same for what only `make coverage` computes."""

DEVIATIONS = 5
"""By how many standard deviations numbers that toys give may differ from the reference."""


def reference_file(name):
    """The reference of a result."""
    return FOLDER / Path(name).name


def check_sums(folder=FOLDER):
    """ConfigError unless the reference results are those that SHA256SUMS lists, as `make reference` wrote them."""
    sums = folder / SUMS
    try:
        lines = sums.read_text(encoding="utf-8").split("\n")[:-1]
        listed = dict(line.split("  ")[::-1] for line in lines)
        found = {path.name: sha256(path) for path in folder.iterdir() if path.name != SUMS}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{sums}: not readable ({error})") from None
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise ConfigError(
                f"{folder.name}/{name}: not as {SUMS} says; git checkout -- resources/reference restores it, "
                "make reference ACCEPT=1 replaces it by today's results"
            )


def rows(path, keys):
    """Rows of a table, {the first ``keys`` columns: {column: text}}, or the lines of another text."""
    if Path(path).suffix != ".csv":
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        return {(f"line {n}",): {"text": line} for n, line in enumerate(lines, 1)}
    items = [list(row.items()) for row in read_csv(path)]
    return {tuple(text for _, text in row[:keys]): dict(row[keys:]) for row in items}


def is_same(text, other):
    """Whether two texts are the same, numbers in them to the tolerance."""
    words, others = (re.split(r"[\s,;|&]+", t) for t in (text, other))
    return len(words) == len(others) and all(map(_is_same_word, words, others))


def _is_same_word(word, other):
    try:
        return word == other or math.isclose(float(word), float(other), rel_tol=TOLERANCE, abs_tol=0)
    except ValueError:
        return False


@cache
def paper_toys():
    """Toys of each number in the paper's study."""
    given = load_yaml(PAPER / "config.yaml")["coverage"]
    return given["toys_per_block"] * given["blocks"]


def deviation(column, row, mine, theirs):
    """Standard deviation of the difference of two numbers, if each is from toys of its own; 0 if none are."""
    toys, mean = paper_toys(), (mine + theirs) / 2
    if re.search("interval|upper|chance", column):
        return math.sqrt(2 * max(mean * (1 - mean), 1 / toys) / toys)
    if column == "toys_without_limit":
        return math.sqrt(2 * mean)
    if column == "critical_value":
        # relative to it, the error times the root of the toys is 1.8 (Wilks) to 2.7 (Chernoff), more for few counts
        return 5 * mean / math.sqrt(toys)
    covering = row.get("covering_method") == "feldman-cousins" and column == "covering_muB"
    if covering or re.search("sigma|median|cousins", column):
        return mean / math.sqrt(toys)
    return 0.0


def agrees(column, mine, theirs):
    """Whether one column of two rows is the same, or as near as toys make it."""
    one, two = mine.get(column, ""), theirs[column]
    if is_same(one, two):
        return True
    try:
        one, two = float(one), float(two)
        return abs(one - two) <= DEVIATIONS * deviation(column, theirs, one, two)
    except ValueError:
        return False


def compare(name, path):
    """One check (table, row, passed, found) per row of a result and its reference. New rows pass."""
    keys = (TABLES | OF_TOYS)[name]
    found, wanted = rows(path, keys), rows(reference_file(name), keys)
    for key in wanted | found:
        mine, theirs = found.get(key), wanted.get(key)
        if mine is None or theirs is None:
            text = "only in the reference" if mine is None else "new, not in the reference"
        else:
            changed = [column for column in theirs if not agrees(column, mine, theirs)]
            text = "; ".join(f"{c}: {mine.get(c)} for {theirs[c]}" for c in changed)
        yield Path(name).name, " ".join(key), theirs is None or not text, text


def main(accept, names):
    """Print the differences of some results; with ``accept`` they become the reference. Whether there were any."""
    paths = {name: f"results/{name}" for name in names}
    for path in paths.values():
        if problem := plan.problem(path):
            sys.exit(f"cevns-tmm: {path}: {problem}; {plan.again(path)}")
    different = [check for name, path in paths.items() for check in compare(name, path) if check[3]]
    for table, row, _, found in different:
        print(f"{table}: {row}: {found}")
    print(f"{len(different)} differences from {FOLDER}")
    if accept:
        for name, path in paths.items():
            shutil.copyfile(path, reference_file(name))
        files = sorted(path for path in FOLDER.iterdir() if path.name != SUMS)
        write_text(FOLDER / SUMS, "".join(f"{sha256(path)}  {path.name}\n" for path in files))
        print("accepted: the results are the reference now")
    elif different:
        print("to accept them: ACCEPT=1")
    return bool(different) and not accept


if __name__ == "__main__":
    toys = "--toys" in sys.argv[1:]
    is_different = main("--accept" in sys.argv[1:], OF_TOYS if toys else TABLES)
    sys.exit(1 if toys and is_different else 0)
