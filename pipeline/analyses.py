"""An analysis and its events, from the parameters of a job and the files that it reads."""

from cevns_tmm.analysis import Analysis
from cevns_tmm.combination import Combination, CombinedAnalysis
from cevns_tmm.solar import SolarExperiment
from cevns_tmm.storage import read_events


def analysis(block):
    """What a plan describes: an Analysis, a CombinedAnalysis of a combination, or a SolarExperiment."""
    if "members" in block:
        members = {name: analysis(one) for name, one in block["members"].items()}
        combination = Combination(block["experiments"], block["shared"])
        return CombinedAnalysis(combination, members, block["confidence_level"])
    return SolarExperiment(**block) if "mu_nu_muB" in block else Analysis(**block)


def events(files, group, found, name):
    """Counts that an analysis takes, from ``group`` of the files {experiment: path}; of all members of a combination."""
    if isinstance(found, CombinedAnalysis):
        return {m: events(files, group, one, m) for m, one in found.members.items() if m in files}
    return read_events(files[name], group, found.binned)
