"""Which departure carries which block of Table II."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import TwoSlopeNorm

from cevns_tmm import plotting
from cevns_tmm.storage import read_csv
from pipeline.job import run
from pipeline.published import UNIT, number, table2

CLIP = 0.5  # decades; the scale of colours ends there


def blocks(published):
    """Rows of Table II: experiment, setup and beam, in the order printed."""
    return list(dict.fromkeys(key[:3] for key in published))


def main(job):
    plotting.use_style(job.parameters["style"])
    params = job.parameters
    published = table2()
    variants = {}
    for row in read_csv(job.input.limits):
        key = (row["experiment"], row["setup"], row["beam"], row["parameter"])
        if key in published:
            ratio = number(row["limit_muB"]) / UNIT / float(published[key])
            variants.setdefault(row["reading"], {}).setdefault(key[:3], []).append(ratio)
    if not variants:
        return plotting.empty_page("This study has no entry of Table II.", *job.output)
    columns = [b for b in blocks(published) if b in variants[params["shown"]]]
    rows = [
        (params["shown"], f"{params['shown']}"),
        *((f"without-{d}", f"without {d}") for d in params["departures"]),
    ]
    rows.append((params["literal"], params["literal"]))

    def mean(values):
        return math.exp(sum(map(math.log, values)) / len(values))

    grid = np.array([[mean(variants[name][block]) for block in columns] for name, _ in rows])
    fig, ax = plt.subplots(figsize=(1.6 * plotting.WIDTH, 3.6))
    image = ax.imshow(
        np.clip(np.log10(grid), -CLIP, CLIP), cmap="RdBu_r", norm=TwoSlopeNorm(0, -CLIP, CLIP), aspect="auto"
    )
    for (y, x), value in np.ndenumerate(grid):
        text = "∞" if math.isinf(value) else f"{value:.2f}" if value < 10 else f"{value:.0f}"
        strong = abs(math.log10(value)) > 0.6 * CLIP
        ax.text(x, y, text, ha="center", va="center", size=6.5, color="w" if strong else "k")
    ax.set_xticks(range(len(columns)), [" ".join(block) for block in columns], rotation=60, ha="right")
    ax.set_yticks(range(len(rows)), [label for _, label in rows])
    ax.tick_params(which="both", length=0)
    ax.minorticks_off()
    bar = fig.colorbar(image, ax=ax, pad=0.01)
    bar.set_ticks([-CLIP, 0, CLIP], labels=[f"≤ {10**-CLIP:.2f}", "1", f"≥ {10**CLIP:.1f}"])
    bar.ax.minorticks_off()
    bar.set_label("reproduced / published")
    plotting.save(fig, *job.output)


run(snakemake, main)
