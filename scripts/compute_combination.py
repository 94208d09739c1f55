"""Limits and contours of experiments together -> results/combinations/{combination}.h5."""

from cevns_tmm.analysis import Analysis
from cevns_tmm.combination import Combination
from cevns_tmm.magnetic_moment import PARAMETERS, PLANES
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.statistics import delta_chi2_quantile
from cevns_tmm.storage import Data, curve_datasets, free_limits, read_events
from pipeline.job import run


def sensitivity(block, path):
    """chi² of a member as a function of the moments; ``path`` are its counts."""
    if "solar" in block:
        return SolarExperiment(**block["solar"]).sensitivity()
    analysis = Analysis(**block["analysis"])
    return analysis.sensitivity(read_events(path, block["counts"], analysis.binned), block["beam"])


def main(job):
    parameters, files, groups = job.parameters, job.by_name("counts"), {}
    confidence_level = parameters["confidence_level"]
    level, contour_level = (delta_chi2_quantile(confidence_level, n) for n in (1, 2))
    combination = Combination(parameters["experiments"], parameters["shared"])
    for reading, members in parameters["readings"].items():
        found = combination.sum({e: sensitivity(block, files.get(e)) for e, block in members.items()})
        profiled = zip(PARAMETERS, found.profiled_limits(level), strict=True)
        datasets = {
            "parameter": Data(PARAMETERS, "1", "the one moment that is not zero"),
            "confidence_level": Data(confidence_level, "1", "confidence level of the limit"),
            "limit": Data(found.limits(level), "mu_B", "upper limit", ("parameter",)),
            "has_limit": Data(int(found.has_limit(level)), "1", "1 if any direction has a finite limit"),
        } | free_limits([("profiled", *row) for row in profiled])
        if reading == parameters["drawn"]:
            datasets |= curve_datasets({plane: found.contour(plane, contour_level) for plane in PLANES})
        groups[f"{parameters['setup']}/{reading}/combined"] = datasets
    job.write(job.output[0], groups, f"Limits of {parameters['name']} on each transition moment, by reading")


run(snakemake, main)
