"""All limits at a glance: one moment at a time, the others free, effective moments, and published ones."""

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

from cevns_tmm import plotting
from cevns_tmm.magnetic_moment import PARAMETERS
from cevns_tmm.statistics import percent
from cevns_tmm.storage import read_csv
from pipeline.job import run
from pipeline.published import LATER, LEVEL

MARKERS = {"current": ("o", -0.2), "future": ("s", 0.2)}
"""Marker of a setup, and how far below the middle of its row it is."""

APART = {"mu_nu_e": -0.1, "mu_nu_mu": 0.1}
"""How far below its setup the letter of an effective moment is, as one may hide another."""

SYMBOLS = {"mu_nu_e": r"$\mathrm{e}$", "mu_nu_mu": r"$\mu$", "mu_nu_solar": r"$\odot$"}
EFFECTIVE = {
    "mu_nu_e": r"$\mu_\nu$ of $\nu_e$",
    "mu_nu_mu": r"$\mu_\nu$ of $\nu_\mu$",
    "mu_nu_solar": r"$\mu_\nu$ of solar $\nu$",
}
BEYOND = {"unbounded": ">", "inf": "x"}
"""Marker at the edge of the axes for a limit that is not finite."""

BEAMS = "full", "reactor", "solar", "combined"
SHOWN = {(method, parameter) for method in ("one-at-a-time", "profiled") for parameter in PARAMETERS}
SHOWN |= {("one-at-a-time", parameter) for parameter in SYMBOLS}


def look(marker, colour="0.3", is_filled=True):
    """Keywords of ``plot`` for a point."""
    size, edge = (5.5, 0.3) if marker in SYMBOLS.values() else (3.5, 0) if is_filled else (6, 0.8)
    style = {"color": colour, "marker": marker, "linestyle": "none"}
    return style | {"markersize": size, "markeredgewidth": edge, "fillstyle": "full" if is_filled else "none"}


def points(limits, params, row):
    """Points of the experiments: parameter, limit as text, height, look."""
    blocks, solar = params["experiments"] | params["solar"], params["solar"]
    for line in limits:
        name, parameter, method = line["experiment"], line["parameter"], line["method"]
        where = line["reading"] == params["reading"] and line["beam"] in BEAMS
        if where and (method, parameter) in SHOWN:
            marker, shift = MARKERS[line["setup"]]
            style = look(SYMBOLS.get(parameter, marker), blocks[name]["colour"], method != "profiled")
            below = 0 if name in solar else shift + APART.get(parameter, 0)
            yield parameter, line["limit_muB"], row[name] + below, style
    for name, block in solar.items():
        style = look(SYMBOLS["mu_nu_solar"], block["colour"])
        yield "mu_nu_solar", block["mu_nu_muB"], row[name], style


def main(job):
    params = job.parameters
    plotting.use_style(params["style"])
    experiments, solar, later = params["experiments"], params["solar"], read_csv(LATER)

    def at(level):
        return "" if level == params["confidence_level"] else f", {percent(level)}"

    names = {name: block["label"] for name, block in experiments.items()}
    names |= {name: name + at(block["confidence_level"]) for name, block in solar.items()}
    names |= {line["label"]: line["label"] + at(LEVEL) for line in later}
    row = {name: n for n, name in enumerate(names)}
    found = list(points(read_csv(job.input.limits), params, row))
    for line in later:
        style = look(SYMBOLS[line["parameter"]], "0")
        found.append((line["parameter"], line["limit_muB"], row[line["label"]], style))

    fig, axes = plt.subplots(1, 4, figsize=(plotting.WIDTH, 0.25 * len(row) + 0.6), sharex=True, sharey=True)
    panel = dict(zip([*PARAMETERS, *SYMBOLS], [*axes, *axes[3:], *axes[3:]], strict=True))
    for parameter, limit, y, style in found:
        ax = panel[parameter]
        if limit not in BEYOND:
            ax.plot(float(limit), y, **style)
        elif parameter in PARAMETERS:
            ax.plot(0.95, y, transform=ax.get_yaxis_transform(), **style | {"marker": BEYOND[limit]})
    for name, block in solar.items():
        for parameter in [*PARAMETERS, "mu_nu_solar"]:
            (limit,) = {float(limit) for p, limit, y, _ in found if (p, y) == (parameter, row[name])}
            panel[parameter].axvline(limit, color=block["colour"], linewidth=0.5, zorder=0)
    for ax, title in zip(axes, [*(rf"$|\Lambda_{i}|$" for i in (1, 2, 3)), r"$\mu_\nu$"], strict=True):
        ax.set(title=title, xscale="log")
        ax.margins(x=0.13)
        plotting.log_ticks(ax.xaxis, *ax.get_xlim())
        ax.grid(axis="y", color="0.9", linewidth=0.5)
        ax.tick_params(axis="y", length=0)
        ax.yaxis.minorticks_off()
    axes[0].set_yticks(list(row.values()), list(names.values()))
    axes[0].set_ylim(len(row) - 0.2, -0.8)
    fig.supxlabel(rf"limit at {percent(params['confidence_level'])} [$\mu_B$]", size="medium")
    entries = [
        (look("o"), "current setup"),
        (look("s"), "future setup"),
        (look("o", is_filled=False), "others and all phases free"),
    ]
    beyond = {
        limit: look(BEYOND[limit], is_filled=False)
        for parameter, limit, *_ in found
        if limit in BEYOND and parameter in PARAMETERS
    }
    entries += [(style, {"inf": "no sensitivity"}.get(limit, limit)) for limit, style in beyond.items()]
    entries += [(look(SYMBOLS[parameter]), label) for parameter, label in EFFECTIVE.items()]
    plotting.legend(fig, [(Line2D([], [], **style), label) for style, label in entries], params["note"])
    plotting.save(fig, params["title"], *job.output)


run(snakemake, main)
