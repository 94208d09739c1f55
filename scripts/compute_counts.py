"""Event counts of one experiment -> results/counts/{experiment}.h5."""

from cevns_tmm import io
from cevns_tmm.rates import RateTable
from scripts.job import provenance, run, unique


def counts(path, group):
    """Counts of one setup and reading, as they stand in the file."""
    units = {
        "component": "1",
        "isotope": "1",
        "T": "keV",
        "weight": "keV",
        "acceptance": "1",
        "dNdT_sm": "1/keV",
        "dNdT_em": "1/keV/mu_B^2",
    }
    data = io.read(path, group, units)
    n_sm, n_em = RateTable(*(data[name] for name in units)).counts()
    return {
        "component": io.Data(data["component"], "1", "flux components"),
        "n_sm": io.Data(n_sm, "1", "Standard Model events", ("component",)),
        "n_em": io.Data(
            n_em,
            "1/mu_B^2",
            "magnetic-moment events at unit effective moment of the component's flavour",
            ("component",),
        ),
    }


def main(snakemake):
    first, same = unique(snakemake.params.setups)
    groups = {name: counts(snakemake.input.rates, name) for name in first}
    groups |= {name: io.Link(other) for name, other in same.items()}
    description = (
        f"Events of {snakemake.wildcards.experiment} above threshold, by setup and reading"
    )
    io.write(snakemake.output[0], groups, description, provenance(snakemake))


if __name__ == "__main__":
    run(snakemake, main)
