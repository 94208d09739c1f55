"""One self-contained page: verdict, Table II, figures, claims, audit, provenance -> results/report.html."""

import base64
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cevns_tmm.storage import read_csv, write_text
from pipeline.code import ROOT
from pipeline.job import run
from pipeline.published import KEY, SUMMARY, compare, like_the_paper, summary, table2
from pipeline.worth import short

HEADS = "beam", "experiment", "Λ1", "Λ2", "Λ3"


def main(job):
    tables = {Path(path).stem: read_csv(path) for path in job.input.tables}
    figures = {
        Path(path).stem: f"data:image/png;base64,{base64.b64encode(Path(path).read_bytes()).decode()}"
        for path in job.input.figures
    }
    *_, verdict = Path(job.input.verdict).read_text(encoding="utf-8").strip().split("\n")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    by_reading = compare(tables.pop("limits"), table2())
    limits = {tuple(row[k] for k in KEY): row[job.parameters["reading"]] for row in tables["table2"]}
    environment = Environment(
        loader=FileSystemLoader(ROOT / "workflow/report"), autoescape=True, undefined=StrictUndefined
    )
    words = {
        "title": citation["title"],
        "authors": ", ".join(author["name"] for author in citation["authors"]),
        "paper": citation["references"][0],
        "notes": job.parameters["notes"],
        "verdict": verdict,
        "short": [dict(zip(HEADS, row, strict=True)) for row in like_the_paper(limits)],
        "worth": short(tables["honest_limits"], job.parameters["error_on_total"]),
        "toys": job.parameters["toys"],
        "left_out": job.parameters["left_out"],
        "summary": [
            dict(zip(["reading", *SUMMARY], [r, *summary(e)], strict=True)) for r, e in by_reading.items()
        ],
    }
    page = environment.get_template("report.html").render(tables | words, figures=figures)
    write_text(job.output[0], page)


run(snakemake, main)
