"""The code of this repository that a script runs, and the packages around it: their identities."""

import hashlib
import platform
import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from cevns_tmm import __version__

ROOT = Path(__file__).parents[1]

PACKAGES = ("h5py", "matplotlib", "numpy", "periodictable", "scipy")
"""Packages whose versions a result depends on."""


def versions():
    """{package: version} of what computes."""
    own = {"cevns-tmm": __version__, "python": platform.python_version()}
    return own | {name: _version(name) for name in PACKAGES}


def _version(package):
    """Version of a package. ``importlib.metadata.version`` parses all its metadata, licences included: 16 times slower."""
    return re.search(r"^Version: (.+)$", distribution(package).read_text("METADATA"), re.MULTILINE)[1]


_IMPORT = re.compile(r"^ *(?:from ([\w.]+) )?import (\([^)]*\)|.*)", re.MULTILINE)
"""Statements that import: the module, and its names in one line or in brackets."""


_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?: .*\n)+", re.MULTILINE)
"""Imports that never run."""


@cache
def _imports(file):
    """Files of this repository that a file of it imports."""
    found = set()
    for module, names in _IMPORT.findall(_FOR_TYPES.sub("", (ROOT / file).read_text(encoding="utf-8"))):
        modules = [f"{module}.{name}".strip(".") for name in re.findall(r"[\w.]+", names)]
        candidates = {f"{name.replace('.', '/')}.py" for name in [module, *modules]}
        found |= {candidate for candidate in candidates if (ROOT / candidate).is_file()}
    return found


@cache
def watched(script):
    """Files that the code of a script is in, itself and what it imports: {path in the repository: SHA-256}."""
    found, waiting = set(), {f"scripts/{script}.py"}
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= _imports(file) - found
    return {file: sha256(file) for file in sorted(found)}


@cache
def sha256(file):
    """SHA-256 of a file of this repository."""
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
