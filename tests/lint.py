"""``python -m tests.lint``: Snakemake's linter, which may say one thing only.

It asks for a container or conda environment of each rule; jobs run in the environment that snakemake runs in.
"""

import re
import subprocess
import sys

ALLOWED = {"Specify a conda environment or container for each rule.:"}


def main():
    """Exit with what the linter says, if it says anything else."""
    command = [sys.executable, "-m", "snakemake", "--lint"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    said = set(re.findall(r"^    \* (.+)$", text, flags=re.MULTILINE))
    sys.exit(text if said != ALLOWED else 0)


if __name__ == "__main__":
    main()
