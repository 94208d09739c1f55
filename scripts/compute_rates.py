"""Differential rates of one experiment -> results/rates/{experiment}.h5."""

from cevns_tmm import experiment, io
from cevns_tmm.flux import COMPONENTS, FluxTable
from cevns_tmm.rates import differential_rates
from cevns_tmm.units import MeV, keV
from scripts.job import provenance, run, unique


def read_flux(path, group):
    """A flux table as written by tabulate_flux."""
    units = {
        "edge": "MeV",
        "order": "1",
        "moment": "MeV^-k",
        "lower": "MeV^-(1+k)",
        "upper": "MeV^-(1+k)",
        "breakpoint": "MeV",
        "line_energy": "MeV",
        "line_weight": "1",
    }
    data = io.read(path, group, units)
    k = data["order"].reshape(3, 1)
    return FluxTable(
        edges=data["edge"] * MeV,
        moments=data["moment"] * MeV ** -k.astype(float),
        lower=data["lower"] * MeV ** -(1.0 + k),
        upper=data["upper"] * MeV ** -(1.0 + k),
        breakpoints=data["breakpoint"] * MeV,
        line_energy=data["line_energy"] * MeV,
        line_weight=data["line_weight"],
    )


def compute(setup, fluxes, nodes):
    """The RateTable of one setup, a rate block of the study; ``fluxes`` and ``nodes`` as in differential_rates."""
    return differential_rates(
        nuclei=experiment.nuclei(setup),
        thresholds=experiment.thresholds(setup),
        efficiency=experiment.efficiency(setup),
        fluence=experiment.fluence(setup),
        fluxes=fluxes,
        nodes=nodes,
        shape=setup["form_factor"],
    )


def datasets(rates):
    """A rate table as it stands in the file."""
    axes = ("component", "isotope", "T")
    return {
        "component": io.Data(rates.components, "1", "flux components"),
        "isotope": io.Data(rates.isotopes, "1", "target isotopes"),
        "T": io.Data(rates.T / keV, "keV", "nuclear recoil energies, nodes of a quadrature"),
        "weight": io.Data(rates.weight / keV, "keV", "weights of the quadrature", ("T",)),
        "acceptance": io.Data(
            rates.acceptance, "1", "efficiency, 0 below threshold", ("isotope", "T")
        ),
        "dNdT_sm": io.Data(
            rates.sm * keV, "1/keV", "Standard Model recoils over the exposure, all efficient", axes
        ),
        "dNdT_em": io.Data(
            rates.em * keV,
            "1/keV/mu_B^2",
            "magnetic-moment recoils over the exposure at unit effective moment, all efficient",
            axes,
        ),
    }


def main(snakemake):
    first, same = unique(snakemake.params.setups)
    groups = {}
    for name, setup in first.items():
        reading = name.split("/")[1]
        fluxes = {
            component: read_flux(snakemake.input.flux, f"{reading}/{component}")
            for component in COMPONENTS[setup["source"]["kind"]]
        }
        rates = compute(setup, fluxes, snakemake.params.nodes)
        groups[name] = datasets(rates)
    groups |= {name: io.Link(other) for name, other in same.items()}
    description = f"Differential rates of {snakemake.wildcards.experiment}, by setup and reading"
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
