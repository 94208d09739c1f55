"""Data files: spectra, the published table and the reference; no code in a file is ever run."""

import re
import shutil

import numpy as np
import pytest

from cevns_tmm import ConfigError, Study, reactor_spectra
from pipeline import published, reference
from tests.checkout import ROOT

BELOW = "spectrum,isotope,E_MeV,per_MeV_per_fission\n"
ABOVE = "spectrum,isotope,a1,a2,a3,a4,a5,a6\n"
TABLE = "experiment,setup,beam,Lambda1,Lambda2,Lambda3\n"


def written(folder, text):
    path = folder / "file.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (
            reactor_spectra.below,
            "",
            "columns '' must be spectrum,isotope,E_MeV,per_MeV_per_fission",
        ),
        (reactor_spectra.below, "# only a remark\n", "columns '' must be spectrum"),
        (reactor_spectra.below, BELOW, "must not be empty"),
        (reactor_spectra.below, ABOVE, "columns 'spectrum,isotope,a1"),
        (
            reactor_spectra.below,
            BELOW + "A,all,1,1\nA,all,0.1,1\nA,all,2,1\n",
            "line 3: E_MeV: 0.1 must be greater than 1, the one before of A all",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,1,1\n# remark\nA,all,1,1\nA,all,2,1\n",
            "line 4: E_MeV: 1 must be greater than 1",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,0,1\nA,all,2,1\n",
            "line 2: E_MeV: '0' must be a finite number of at least 1e-09 and at most 10000",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,1,-1\nA,all,2,1\n",
            "line 2: per_MeV_per_fission: '-1' must be a finite number of at least 0",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,1,nan\nA,all,2,1\n",
            "line 2: per_MeV_per_fission: 'nan' must be a finite number of at least 0",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,1,1\n",
            "A all: energies must begin below and end at 2 MeV or above",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,2,1\nA,all,3,1\n",
            "A all: energies must begin below",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,all,1,1\nA,all,2,1\nA,U235,1,1\nA,U235,2,1\n",
            "A U235: must be all, or single isotopes only",
        ),
        (
            reactor_spectra.below,
            BELOW + "A,U238,1,1\nA,U238,2,1\nA,U235,1.5,1\nA,U235,2,1\n",
            "A U235: must have the energies of its other isotopes",
        ),
        (reactor_spectra.below, BELOW + "A,all,1\n", "line 2: 'A,all,1' must have 4 values"),
        (
            reactor_spectra.below,
            BELOW + "A,U236,1,1\n",
            "line 2: isotope: 'U236' must be one of all, U235, U238, Pu239, Pu241",
        ),
        (
            reactor_spectra.below,
            BELOW + "../A,all,1,1\n",
            "line 2: spectrum: '../A' must be a name of letters, digits and hyphens",
        ),
        (reactor_spectra.below, BELOW + 'A,"all",1,1\n', "line 2: quotes are not allowed"),
        (reactor_spectra.below, BELOW + "A,all,\udcff,1\n", "not UTF-8 text"),
        (
            reactor_spectra.above,
            ABOVE + "A,U235,1,1,1,1,1,1\nA,U235,1,1,1,1,1,2\n",
            "line 3: duplicate row of A U235",
        ),
        (
            reactor_spectra.above,
            ABOVE + "A,U235,1,1,1,1,1,inf\n",
            "line 2: a6: 'inf' must be a finite number",
        ),
        (
            reactor_spectra.above,
            ABOVE + "A,all,1,1,1,1,1,1\n",
            "line 2: isotope: 'all' must be one of",
        ),
        (
            published.table2,
            TABLE + "CsI,current,prompt,6_9.2,70.2,89.6\n",
            "line 2: Lambda1: '6_9.2' must be a finite number greater than 0",
        ),
        (
            published.table2,
            TABLE + "CsI,current,prompt,69.2,0,89.6\n",
            "line 2: Lambda2: '0' must be a finite number greater than 0",
        ),
        (
            published.table2,
            TABLE + 2 * "CsI,current,prompt,69.2,70.2,89.6\n",
            "line 3: duplicate row of CsI current prompt",
        ),
        (
            published.table2,
            TABLE + "CsI,,prompt,69.2,70.2,89.6\n",
            "line 2: setup: '' must be a name of letters, digits and hyphens",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path, read, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.csv: No such file or directory"):
        published.table2(tmp_path / "none.csv")


def test_spectra_are_read_as_they_are_written(tmp_path):
    text = (
        "# remark\r\n" + BELOW.strip() + "\r\nA,all,1.5,2\r\nA,all,2.5,3e-1\r\nB,Pu239,1,4\r\nB,Pu239,2,5\r\n"
    )
    found = reactor_spectra.below(written(tmp_path, "\ufeff" + text))
    assert {name: list(spectrum) for name, spectrum in found.items()} == {
        "A": ["all"],
        "B": ["Pu239"],
    }
    E, rho = found["A"]["all"]
    assert (list(E), list(rho)) == ([1.5, 2.5], [2, 0.3])


def test_the_spectrum_of_a_reactor_is_the_sum_over_what_burns(monkeypatch):
    E = np.array([1.0, 2.0])
    spectra = {
        "one": {"U235": (E, np.array([1.0, 2.0])), "Pu239": (E, np.array([10.0, 30.0]))},
        "whole": {"all": (E, np.array([5.0, 6.0]))},
    }
    monkeypatch.setattr(reactor_spectra, "below", lambda: spectra)
    fractions = {"U235": 0.75, "Pu239": 0.25, "U238": 0.0}
    found = reactor_spectra.low_energy("one", fractions)
    assert np.array_equal(found, [E, [3.25, 9.0]])
    assert np.array_equal(reactor_spectra.low_energy("whole", fractions), [E, [5, 6]])
    with pytest.raises(ValueError, match="'one' has no U238, which the fission fractions need"):
        reactor_spectra.low_energy("one", {"U235": 0.9, "U238": 0.1})
    with pytest.raises(ValueError, match="'other' must be one of one, whole"):
        reactor_spectra.low_energy("other", fractions)


def test_a_study_names_the_data_file_that_is_wrong(tmp_path, monkeypatch):
    path = written(tmp_path, BELOW + "A,all,1,1\n")
    read = reactor_spectra.below
    monkeypatch.setattr(reactor_spectra, "below", lambda: read(path))
    with pytest.raises(ConfigError) as error:
        Study.paper()
    assert str(error.value).startswith(f"{path}: A all: energies must begin")


def test_published_limits_keep_their_digits():
    found = published.table2()
    assert found["CsI", "future", "prompt", "Lambda1"] == "5.0"
    assert published.Entry("literal", (), 5.0, "5.0").tolerance == pytest.approx(0.15)
    assert published.Entry("literal", (), 5.0, "1.2").tolerance == pytest.approx(0.05)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(reference.FOLDER, tmp_path / "reference")


@pytest.mark.parametrize("change", [lambda text: text[: len(text) // 2], lambda text: text + "\n"])
def test_a_changed_reference_is_named(folder, change):
    """A shorter reference would compare less."""
    reference.check_sums(folder)
    path = folder / "limits.csv"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"reference/limits\.csv: not as SHA256SUMS says; git chec"):
        reference.check_sums(folder)


def test_a_reference_lacks_nothing_and_has_nothing_more(folder):
    shutil.copy(folder / "limits.csv", folder / "others.csv")
    with pytest.raises(ConfigError, match=r"reference/others\.csv: not as SHA256SUMS says"):
        reference.check_sums(folder)
    (folder / "others.csv").unlink()
    (folder / "counts.csv").unlink()
    with pytest.raises(ConfigError, match=r"reference/counts\.csv: not as SHA256SUMS says"):
        reference.check_sums(folder)


@pytest.mark.parametrize("sums", [None, "not sums\n", "\udcff"])
def test_sums_that_cannot_be_read_are_named(folder, sums):
    path = folder / reference.SUMS
    path.unlink()
    if sums is not None:
        path.write_bytes(sums.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match="SHA256SUMS: not readable"):
        reference.check_sums(folder)


@pytest.mark.parametrize("name", ["resources", "cevns_tmm/data"])
def test_every_data_file_has_a_row_of_its_readme(name):
    """Every row has its file too, and every test that is named is there."""
    folder = ROOT / name
    text = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert sorted(re.findall(r"^\| `(.+?)` \|", text, flags=re.MULTILINE)) == sorted(files - {"README.md"})
    named = re.findall(r"`(tests/\w+\.py)::(\w+)`", text)
    assert named
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


def sources():
    """Every file of Python or Snakemake that is not a test, with its text."""
    folders = ("cevns_tmm", "pipeline", "scripts", "workflow")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    paths = [path for path in paths if path.suffix in (".py", ".smk")] + [ROOT / "Snakefile"]
    assert len(paths) > 50
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}


def test_no_code_of_a_file_is_ever_run():
    """Neither eval nor pickle nor an unsafe YAML loader, and no shell."""
    for path, text in sources().items():
        for word in (
            *(r"\beval\(", r"\bexec\(", "pickle", "unsafe_load", r"^\s+shell:"),
            *(r"os\.system", r"os\.popen", r"\bshell\s*="),
        ):
            assert not re.search(word, text, flags=re.MULTILINE), f"{path}: {word}"
        loads = re.findall(r"yaml\.(?:load|full_load|load_all)\(([^)]*)", text)
        assert all("_StrictLoader" in call for call in loads), path


def test_the_one_other_program_is_git():
    """pipeline/jobs.py asks it for the commit: a list of words, the first of which is given."""
    users = {path: text for path, text in sources().items() if "subprocess" in text}
    assert [str(path) for path in users] == ["pipeline/jobs.py"]
    (text,) = users.values()
    assert re.findall(r"subprocess\.\w+\(.*?\)", text) == [
        "subprocess.run(command, capture_output=True, text=True, check=True)"
    ]
    assert re.findall(r"\bcommand = (.*)", text) == ['["git", "-C", str(code.ROOT), *describe.split()]']
