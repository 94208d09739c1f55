"""A CSV table as a page of its own -> results/report/{table}.html."""

from tabulate import tabulate

from cevns_tmm.storage import read_csv, write_text
from pipeline.job import run

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


def main(job):
    title = job.parameters["title"]
    table = tabulate(read_csv(job.input.csv), headers="keys", tablefmt="html", disable_numparse=True)
    write_text(job.output[0], PAGE.format(title=title, table=table))


run(snakemake, main)
