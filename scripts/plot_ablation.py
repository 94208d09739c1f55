"""Which departure carries which block of Table II."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import TwoSlopeNorm

from cevns_tmm import plotting
from cevns_tmm.storage import read_csv
from pipeline.job import run
from pipeline.published import compare, table2

CLIP = 0.5  # decades; the scale of colours ends there
NO_LIMIT = "0.15"


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    columns, ratios = params["variants"], {}
    for reading, entries in compare(read_csv(job.input.limits), table2()).items():
        for entry in entries:
            ratios.setdefault((entry.key[:3], reading), []).append(entry.ratio)
    there = {block for block, _ in ratios}
    blocks = [block for block in dict.fromkeys(key[:3] for key in table2()) if block in there]
    if not blocks:
        reason = "This study has no entry of Table II."
        return plotting.empty_page(reason, params["title"], *job.output)
    logs = np.array([[np.mean(np.log10(ratios[block, name])) for name in columns] for block in blocks])
    fig, ax = plt.subplots(figsize=(plotting.WIDTH, 1.6 + 0.19 * len(blocks)))
    shades = plt.colormaps["RdBu_r"].with_extremes(bad=NO_LIMIT)
    look = dict(cmap=shades, norm=TwoSlopeNorm(0, -CLIP, CLIP), aspect="auto")
    image = ax.imshow(np.ma.masked_invalid(logs), **look)
    for (y, x), value in np.ndenumerate(logs):
        text = "∞" if np.isinf(value) else f"{10**value:.{2 if value < 1 else 0}f}"
        ax.text(x, y, text, ha="center", va="center", size=8, color="w" if abs(value) > 0.6 * CLIP else "k")
    labels = [f"{params['labels'][name]}, {setup}, {beam}" for name, setup, beam in blocks]
    ax.set_yticks(range(len(blocks)), labels)
    ax.set_xticks(range(len(columns)), columns.values(), rotation=40, ha="left", rotation_mode="anchor")
    ax.tick_params(which="both", length=0, labelbottom=False, labeltop=True)
    ax.minorticks_off()
    bar = fig.colorbar(image, ax=ax, location="bottom", pad=0.01, aspect=50, extend="both")
    ticks = [10**-CLIP, 0.5, 1, 2, 10**CLIP]
    bar.set_ticks(np.log10(ticks), labels=[f"{tick:.2g}" for tick in ticks])
    bar.ax.minorticks_off()
    bar.set_label("reproduced / published limit; ∞: no limit")
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
