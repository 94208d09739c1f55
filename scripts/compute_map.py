"""Expected limits against threshold and exposure -> results/maps/{map}.h5."""

from cevns_tmm.analysis import Analysis
from cevns_tmm.detector import Detector
from cevns_tmm.experiment import Experiment
from cevns_tmm.sensitivity_map import SensitivityMap
from cevns_tmm.source import Source
from cevns_tmm.storage import Data
from pipeline.job import run


def main(job):
    parameters, kinds = job.parameters, {"source": Source, "detector": Detector, "analysis": Analysis}
    parts = (kind(**parameters[name]) for name, kind in kinds.items())
    grids = parameters["cells"], parameters["nodes"]
    experiment = Experiment(parameters["experiment"], "", "", *parts, *grids)  # no setup, no reading
    found = SensitivityMap(**parameters["map"])
    datasets = {
        "threshold": Data(found.thresholds, "keV", "lower end of the window, on the scale of the detector"),
        "exposure": Data(found.exposures, "kg d", "mass times time"),
    }
    for parameter, limits in found.limits(experiment).items():
        axes = "threshold", "exposure"
        datasets[parameter] = Data(limits, "mu_B", "expected upper limit, the other moments 0", axes)
    description = f"Expected limits of {parameters['name']} against threshold and exposure"
    job.write(job.output[0], {"map": datasets}, description)


run(snakemake, main)
