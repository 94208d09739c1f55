"""The job of chi-squared: what it makes of blocks that are equal, and of beams that want more."""

import pytest

from cevns_tmm import Study
from cevns_tmm.storage import Link
from pipeline.jobs import plans
from tests.test_figures import script

GROUP = "current/inferred"
BEAMS = {"first": ["nue"], "second": ["numubar"], "third": ["numubar"]}


@pytest.fixture(scope="module")
def found():
    """The analysis and the events of CsI, as the job has them."""
    study = Study.paper()
    block = plans(study)["chi2/CsI"]["parameters"]["analyses"][GROUP]
    return {GROUP: (block, study.experiment("CsI").counts())}


def made(name, *arguments):
    return script("compute_chi2").__globals__[name](*arguments)


def check_links(groups):
    assert set(groups) == {f"{GROUP}/{beam}" for beam in BEAMS}
    assert groups[f"{GROUP}/third"] == Link(f"{GROUP}/second")
    assert isinstance(groups[f"{GROUP}/first"], dict) and isinstance(groups[f"{GROUP}/second"], dict)
    assert list(groups)[-1] == f"{GROUP}/third"  # what a link is to must be there


def test_equal_beams_are_links_to_each_other(found):
    muB = [1e-11, 1e-8]
    check_links(made("profiles", found, BEAMS, muB, 5, list(BEAMS)))
    check_links(made("luminosity", found, BEAMS, [1, 10], 3))
    contours = {
        f"{GROUP}/{name}": dict(counts=GROUP, beam=beam, xi_over_pi=0.0, delta_CP_over_pi=0.0)
        for name, beam in BEAMS.items()
    }
    check_links(made("planes", found, contours, muB, 4))


def test_other_moments_are_free_only_where_a_table_wants_them(found):
    groups = made("profiles", found, BEAMS, [1e-11, 1e-8], 5, ["third"])
    assert ["free_method" in groups[f"{GROUP}/{beam}"] for beam in BEAMS] == [False, False, True]


def test_a_profile_may_fall_far_above_its_limit():
    """As the sum of one that levels off and of one that fluctuates does."""
    made("check_shape", 3 * [[0.0, 5.0, 25.0, 24.9, 25.0]], 2.7, "sum")
    with pytest.raises(ValueError, match="sum: delta_chi2 of Lambda1 falls again above its minimum"):
        made("check_shape", 3 * [[0.0, 5.0, 25.0, 2.6, 25.0]], 2.7, "sum")
