"""What `make diff` says."""

import pytest

from pipeline import difference

LIMITS = "reading,experiment,setup,beam,method,parameter,limit_muB,confidence_level\n"
COUNTS = "reading,experiment,setup,component,n_sm,n_em_per_muB2\n"


def write(folder, limit, n_sm="10"):
    folder.mkdir(parents=True, exist_ok=True)
    rows = f"r,A,current,reactor,one-at-a-time,Lambda1,{limit},0.9\nr,B,current,reactor,one-at-a-time,Lambda1,inf,0.9\n"
    (folder / "limits.csv").write_text(LIMITS + rows, encoding="utf-8")
    (folder / "counts.csv").write_text(f"{COUNTS}r,A,current,nuebar,{n_sm},1e20\n", encoding="utf-8")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_changes_since_the_run_with_other_results(here, capsys):
    write(here / "results", "2e-10")
    difference.keep()
    difference.keep()  # a run with the same results is not another
    write(here / "results", "3e-10", "9")
    difference.keep()
    difference.keep()
    difference.main()
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.strip() == "+50 %  r A current reactor one-at-a-time Lambda1 limit_muB: 2e-10 -> 3e-10"
    assert second.split()[0] == "-10"
    assert last.startswith("2 numbers differ")


def test_another_study_and_rows_of_one_only(here, capsys):
    write(here / "other/results", "2e-10")
    write(here / "results", "2e-10")
    with open(here / "results/limits.csv", "a", encoding="utf-8") as file:
        file.write("r,C,current,reactor,one-at-a-time,Lambda1,1e-10,0.9\n")
    difference.main("other")
    assert capsys.readouterr().out.splitlines() == [
        "limits.csv: 1 rows are in one of the two only, 2 in both",
        "0 numbers differ from other/results",
    ]


def test_nothing_to_compare_is_one_line(here, capsys):
    with pytest.raises(SystemExit, match=r"nothing to compare: .*limits\.csv is missing"):
        difference.main()
    write(here / "results", "2e-10")
    difference.main()
    assert capsys.readouterr().out == "nothing to compare yet: no earlier run here had other results\n"
