"""A CSV table as a page of its own -> results/report/{table}.html."""

from tabulate import tabulate

from scripts.job import run
from scripts.text import read_csv, write_text

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.4 sans-serif; margin: 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.15rem 0.6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }}
th {{ position: sticky; top: 0; background: #fff; border-bottom: 2px solid #333; }}
</style></head><body><h1>{title}</h1>
{table}
</body></html>
"""


def main(snakemake):
    title = snakemake.wildcards.table
    table = tabulate(
        read_csv(snakemake.input.csv), headers="keys", tablefmt="html", disable_numparse=True
    )
    write_text(snakemake.output[0], PAGE.format(title=title, table=table))


if __name__ == "__main__":
    run(snakemake, main)
