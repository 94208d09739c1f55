"""Whatever interrupts or damages a run, or is there before it: a plain run ends with the bytes of an undisturbed one.

A plain run is the same command again, with nothing unlocked or removed by hand.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import plan
from pipeline.published import one_at_a_time
from tests.checkout import FEW, ROOT, rows

pytestmark = pytest.mark.workflow
long = pytest.mark.long

MOMENTS = 20


def cleared(checkout):
    """Nothing computed, as after `make clean`, but Snakemake's own records kept."""
    for folder in ("results", "figures"):
        shutil.rmtree(checkout.path / folder, ignore_errors=True)


def whole(checkout, undisturbed):
    """Whether every result that is there has the bytes of the undisturbed run."""
    good = undisturbed.products()
    found = checkout.products()
    return [n for n in found if not n.endswith(".tmp") and found[n] != good[n]] == []


def reasons(output):
    """What the workflow says of itself, once, but for what is left out of a small study."""
    lines = dict.fromkeys(line for line in output.splitlines() if line.startswith("cevns-tmm: "))
    return [line for line in lines if not line.startswith("cevns-tmm: left out")]


def jobs_of(process):
    """Processes of the jobs that run below snakemake."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(".snakemake/scripts/" in word for word in child.cmdline()[1:2]):
                    found.append(child)
    return found


_started = []


@pytest.fixture(autouse=True)
def no_process_is_left():
    """Not even a suspended job, however the test ended."""
    yield
    while _started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(_started.pop().pid, signal.SIGKILL)


def started(checkout, *arguments, script):
    """A run and the process of its job with this script, once that is there."""
    process = checkout.start("--cores", "2", *arguments)
    _started.append(process)
    while process.poll() is None:
        for job in jobs_of(process):
            with contextlib.suppress(psutil.NoSuchProcess):
                if script in " ".join(job.cmdline()):
                    return process, job
        time.sleep(0.01)
    raise AssertionError(process.communicate()[0])


# Interrupted.


@long
def test_snakemake_killed_at_many_moments(small, tmp_path):
    """In turn its jobs die with it, as when the machine does, or outlive it."""
    checkout = small.copy(tmp_path / "copy", results=False)
    at_work = 0
    for moment in range(MOMENTS):
        process = checkout.start("--cores", "2", output=subprocess.DEVNULL)
        time.sleep(1.2 + 0.25 * moment)
        if process.poll() is not None:  # nothing left to do
            assert process.returncode == 0
            cleared(checkout)
        elif moment % 2:
            at_work += bool(jobs_of(process))
            os.killpg(process.pid, signal.SIGKILL)
        else:
            at_work += bool(jobs_of(process))
            process.kill()
        process.wait()
        assert whole(checkout, small)
    assert at_work >= MOMENTS / 4
    checkout.snakemake()
    small.same_products(checkout)
    assert list(checkout.path.glob("results/**/.*.tmp")) == []


@long
def test_jobs_killed_at_many_moments(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    dice, killed = random.Random(1), 0
    while killed < MOMENTS:
        process = checkout.start("--cores", "2")
        in_this_run = 0
        while process.poll() is None:
            found = jobs_of(process) if in_this_run < 4 else []
            if found:
                time.sleep(dice.uniform(0, 0.6))
                with contextlib.suppress(psutil.NoSuchProcess):
                    dice.choice(found).kill()
                    in_this_run += 1
            time.sleep(0.02)
        process.communicate()
        killed += in_this_run
        assert whole(checkout, small)
        if process.returncode == 0:
            cleared(checkout)
    checkout.snakemake()
    small.same_products(checkout)
    assert list(checkout.path.glob("results/**/.*.tmp")) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "how", [signal.SIGKILL, *(pytest.param(s, marks=long) for s in (signal.SIGTERM, signal.SIGINT))]
)
def test_ended_by_a_signal(small, tmp_path, how):
    checkout = small.copy(tmp_path / "copy", results=False)
    process, _ = started(checkout, *FEW, script="compute_rates")
    process.send_signal(how)
    process.communicate()
    assert process.returncode != 0
    assert whole(checkout, small)
    checkout.snakemake(*FEW)
    checkout.agrees_with(small)


@pytest.mark.long
def test_a_job_that_outlives_its_snakemake_does_not_spoil_the_next_run(small, tmp_path):
    """The next run has another configuration; the late job finds that its plan has changed."""
    checkout = small.copy(tmp_path / "copy", results=False)
    target = "results/profiles/NEW-1.h5"
    process, job = started(checkout, target, script="compute_chi2")
    job.suspend()
    process.kill()
    process.stdout.close()
    process.wait()

    def stricter(data):
        data["confidence_level"] = 0.95

    checkout.edit("config", stricter)
    checkout.snakemake(target)
    made = (checkout.path / target).read_bytes()
    job.resume()
    with contextlib.suppress(psutil.NoSuchProcess):
        job.wait()
    assert (checkout.path / target).read_bytes() == made
    undisturbed = small.copy(tmp_path / "undisturbed", results=False)
    undisturbed.edit("config", stricter)
    undisturbed.snakemake(target)
    checkout.snakemake(target)
    assert (checkout.path / target).read_bytes() == (undisturbed.path / target).read_bytes()
    assert checkout.planned(target) == set()


def mounted(*arguments):
    """Mount something; skips where that is not allowed."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode and os.getuid() == 0:
        raise AssertionError(done.stderr)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")


@pytest.fixture
def full_disk(small, tmp_path):
    """A checkout whose results/ has room for a part of them only."""
    checkout = small.copy(tmp_path / "copy", results=False)
    folder = checkout.path / "results"
    folder.mkdir()
    mounted("-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder))
    yield checkout
    subprocess.run(["umount", "-l", str(folder)], check=True)


@long
def test_disk_full(small, full_disk):
    done = full_disk.snakemake(*FEW, check=False)
    assert done.returncode != 0
    assert any("No space left on device" in line for line in reasons(done.stdout)), done.stdout
    assert whole(full_disk, small)
    mounted("-o", "remount,size=100m", str(full_disk.path / "results"))
    full_disk.snakemake(*FEW)
    full_disk.agrees_with(small)


@long
def test_files_limited_in_size(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        done = checkout.snakemake(check=False, PYTHONDONTWRITEBYTECODE="1")  # Python would keep halves
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.returncode != 0
    assert any("File too large" in line for line in reasons(done.stdout)), done.stdout
    assert whole(checkout, small)
    checkout.snakemake()
    small.same_products(checkout)


@pytest.fixture
def read_only(small, tmp_path):
    """A checkout with everything made but a profile, whose results/ cannot be written to."""
    checkout = small.copy(tmp_path / "copy")
    (checkout.path / "results/profiles/CsI.h5").unlink()
    folder = str(checkout.path / "results")
    mounted("--bind", folder, folder)
    mounted("-o", "remount,ro,bind", folder)
    yield checkout
    subprocess.run(["umount", "-l", folder], check=True)


@long
def test_results_read_only(small, read_only):
    before = read_only.products()
    done = read_only.snakemake("results/profiles/CsI.h5", check=False)
    assert done.returncode != 0
    assert any("results/: read-only" in line for line in reasons(done.stdout)), done.stdout
    assert read_only.products() == before
    mounted("-o", "remount,rw,bind", str(read_only.path / "results"))
    read_only.snakemake()
    small.same_products(read_only)


# Two at once.

READING = [
    ["--dry-run"],
    ["--list-rules"],
    ["--summ"],
    ["--dag=dot"],
    ["--report=report.html"],
    ["--report", "report.html"],
    ["--lint"],
]

API = """
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import OutputSettings, ResourceSettings
with SnakemakeApi(OutputSettings()) as api:
    workflow = api.workflow(resource_settings=ResourceSettings(cores=1), snakefile=Path("Snakefile"))
    workflow.dag().summary()
"""


@pytest.mark.long
def test_a_second_run_is_refused_and_reading_is_not(small, tmp_path):
    """In one line; the first run is not disturbed, and reading shows what is there."""
    checkout = small.copy(tmp_path / "copy")
    target = "results/quenching.h5"
    (checkout.path / target).unlink()
    first, job = started(checkout, target, script="compute_quenching")
    job.suspend()
    assert "Traceback" not in checkout.snakemake("--unlock", check=False).stdout
    for command in ([target], ["--report=r.html", "--report-after-run", target]):
        second = checkout.snakemake(*command, check=False)
        assert second.returncode != 0
        *_, last = reasons(second.stdout)
        assert last.startswith("cevns-tmm: another snakemake is running here (process ")
        assert last.endswith("; wait for it")
        assert "Traceback" not in second.stdout
    for reading in READING:
        done = checkout.snakemake(*reading, check=False)
        assert "wait for it" not in done.stdout
        assert done.returncode == 0 or reading == ["--lint"], done.stdout
    done = subprocess.run(
        [sys.executable, "-c", API], cwd=checkout.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    job.resume()
    output, _ = first.communicate()
    assert first.returncode == 0, output
    checkout.snakemake()
    small.same_products(checkout)


@long
def test_a_report_after_the_run_locks_as_any_run(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    (checkout.path / "results/quenching.h5").unlink()
    checkout.snakemake("--report", "report.html", "--report-after-run")
    assert checkout.planned() == set()
    small.same_products(checkout)


@long
def test_two_started_together(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    target = "results/quenching.h5"
    for _ in range(5):
        cleared(checkout)
        both = [checkout.start("--cores", "1", target) for _ in range(2)]
        outputs = [process.communicate()[0] for process in both]
        refused = [process.returncode != 0 for process in both]
        assert not all(refused)
        for one, output in zip(refused, outputs, strict=True):
            assert not one or "cevns-tmm: another snakemake " in output, output
        assert (checkout.path / target).read_bytes() == (small.path / target).read_bytes()


# Damaged, foreign or old.

INTERMEDIATE = {
    "results/fluxes/sns.h5": "results/counts/CsI.h5",
    "results/rates/CsI.h5": "results/claims.csv",
    "results/counts/CsI.h5": "results/profiles/CsI.h5",
    "results/counts/CONNIE.h5": "results/counts.csv",
    "results/profiles/CsI.h5": "figures/fig2.png",
    "results/profiles/CONNIE.h5": "results/limits.csv",
    "results/planes/CsI.h5": "results/provenance.csv",
    "results/phases/CsI.h5": "results/provenance.csv",
    "results/luminosity/CsI.h5": "figures/fig3.png",
    "results/solar/Borexino.h5": "results/limits.csv",
    "results/contours.csv": "figures/fig4.png",
    "results/quenching.h5": "figures/fig1.png",
    "results/limits.csv": "results/table2.csv",
}


def flip(path, bit):
    """Flip one bit of a file, as a failing disk does: its dates stay."""
    raw = bytearray(path.read_bytes())
    bit %= 8 * len(raw)
    raw[bit // 8] ^= 1 << (bit % 8)
    dates = path.stat()
    path.write_bytes(raw)
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def test_every_kind_of_intermediate_is_tried(small):
    """A new stage must be listed above."""
    kinds = {path.parent.name for path in (small.path / "results").rglob("*.h5")}
    assert kinds == {Path(path).parent.name for path in INTERMEDIATE if path.endswith(".h5")}


@pytest.mark.long
def test_flipped_bits_are_named_and_made_again(small, tmp_path):
    """All at once, in a run that would have nothing to do; a dry run says the same."""
    checkout = small.copy(tmp_path / "copy")
    for path in INTERMEDIATE:
        flip(checkout.path / path, random.Random(path).randrange(2**40))
    for arguments in (["--dry-run"], []):
        lines = reasons(checkout.snakemake(*arguments, *INTERMEDIATE).stdout)
        damaged = [line.split(": ")[1] for line in lines if "not as it was written" in line]
        # what is below a damaged file is made again with it, and not looked at
        assert {"results/fluxes/sns.h5", "results/counts/CONNIE.h5"} <= set(damaged)
        for path, line in zip(damaged, lines, strict=True):
            assert line.endswith(f"to make it again: snakemake --cores 8 -- {path}")
    small.same_products(checkout)


@long
@pytest.mark.parametrize("path", INTERMEDIATE)
def test_a_flipped_bit_is_found_and_never_used(small, tmp_path, path):
    checkout, target = small.copy(tmp_path / "copy"), INTERMEDIATE[path]
    flip(checkout.path / path, random.Random(path).randrange(2**40))
    if (checkout.path / target).exists():
        os.remove(checkout.path / target)
    done = checkout.snakemake(target)
    assert any(line.startswith(f"cevns-tmm: {path}: not as it was") for line in reasons(done.stdout))
    checkout.snakemake()
    small_products = small.products()
    found = checkout.products()
    assert [n for n in small_products if found[n] != small_products[n]] == []


@long
def test_damage_while_jobs_run_stops_the_next_job(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    process, job = started(checkout, "figures/fig1.pdf", script="plot_fig1")
    job.suspend()
    flip(checkout.path / "results/quenching.h5", 4321)
    job.resume()
    output, _ = process.communicate()
    assert process.returncode != 0
    assert any("results/quenching.h5: " in line for line in reasons(output)), output
    assert not (checkout.path / "figures/fig1.pdf").exists()
    checkout.snakemake("figures/fig1.pdf")
    target = "figures/fig1.pdf"
    assert (checkout.path / target).read_bytes() == (small.path / target).read_bytes()


@long
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(INTERMEDIATE)), st.integers(0, 2**40), st.booleans())
def test_any_flipped_bit_or_lost_end_is_found(small, path, position, cut):
    with contextlib.chdir(small.path):
        good = Path(path).read_bytes()
        try:
            if cut:
                Path(path).write_bytes(good[: position % len(good)])
            else:
                flip(Path(path), position)
            assert plan.problem(path) == "not as it was written"
        finally:
            Path(path).write_bytes(good)
        assert plan.problem(path) is None


@pytest.mark.long
def test_a_foreign_file_is_made_again(small, tmp_path):
    """The file of another experiment, whole in itself; with and without its record."""
    checkout = small.copy(tmp_path / "copy")
    for names in (["CsI.h5"], ["CsI.h5", ".CsI.h5.json"]):
        for name in names:
            other = name.replace("CsI", "CONNIE")
            shutil.copy(checkout.path / f"results/counts/{name}", checkout.path / f"results/counts/{other}")
        checkout.snakemake("results/limits.csv")
        small.same_products(checkout)


@pytest.mark.long
def test_an_edited_table_is_made_again(small, tmp_path):
    """Also where no job reads it, and where its record is gone."""
    checkout = small.copy(tmp_path / "copy")
    path = checkout.path / "results/counts.csv"
    for record_goes in (False, True):
        path.write_text(path.read_text().replace("CsI", "CsJ", 1))
        if record_goes:
            plan.record_file(path).unlink()
        checkout.snakemake()
        small.same_products(checkout)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "mine", None])
def test_a_damaged_record_is_as_none(small, tmp_path, text):
    checkout = small.copy(tmp_path / "copy")
    path = checkout.path / "results/.quenching.h5.json"
    good = path.read_text()
    path.write_text(good.replace('"plan"', '"plaN"') if text is None else text)
    assert {rule for rule, _ in checkout.planned("results/quenching.h5")} == {"quenching"}


def test_experiments_in_another_order_keep_their_numbers(small, tmp_path):
    """Nothing is computed; what is forced, or planned before and run later, is by name."""
    checkout = small.copy(tmp_path / "copy")

    def backwards(data):
        data["experiments"] = dict(reversed(data["experiments"].items()))

    checkout.edit("experiments", backwards)
    assert checkout.planned() == set()
    checkout.snakemake("--forcerun", "limits", "counts", "--", "results/limits.csv", "results/counts.csv")
    for name in ("limits", "counts"):
        one, two = (sorted(map(str, rows(c.path / f"results/{name}.csv"))) for c in (small, checkout))
        assert one == two


def test_code_changed_while_a_job_works_stops_it(small, tmp_path):
    """Also if the change is taken back afterwards."""
    checkout = small.copy(tmp_path / "copy", results=False)
    process, job = started(checkout, "results/quenching.h5", script="compute_quenching")
    job.suspend()
    path = checkout.path / "cevns_tmm/quenching.py"
    good = path.read_text()
    path.write_text(good.replace("11.5", "11.6"))
    job.resume()
    output, _ = process.communicate()
    assert process.returncode != 0
    assert any("has changed since the job was planned" in line for line in reasons(output)), output
    assert not (checkout.path / "results/quenching.h5").exists()


@pytest.mark.long
def test_files_of_the_user_are_left_alone(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    own = ["results/table2.aux", "results/notes.txt", "figures/fig1.pdf~", "results/.hidden.json"]
    for name in own:
        (checkout.path / name).write_text("mine")
    (checkout.path / "results/.own.json").write_text('{"job": ["a"]}')
    shutil.copytree(checkout.path / "results/counts", checkout.path / "results/counts-old")
    (checkout.path / "results/quenching.h5").unlink()
    checkout.snakemake()
    assert all((checkout.path / name).read_text() == "mine" for name in own)
    assert checkout.planned() == set()


def test_results_are_used_wherever_they_come_from(small, tmp_path):
    """A backup or a cache without Snakemake's records, dates lost, in a fresh checkout: nothing is computed."""
    checkout = small.copy(tmp_path / "copy", results=False)
    for folder in ("results", "figures"):
        shutil.copytree(small.path / folder, checkout.path / folder, copy_function=shutil.copyfile)
    for script in (checkout.path / "scripts").iterdir():
        script.touch()
    assert checkout.planned() == set()
    checkout.snakemake()
    small.same_products(checkout)


@pytest.mark.long
def test_results_of_another_study_are_made_again(small, tmp_path):
    """Without Snakemake's records, and whatever makes jobs run again; what does not differ is used."""
    checkout = small.copy(tmp_path / "copy", results=False)

    def stricter(data):
        data["confidence_level"] = 0.95

    checkout.edit("config", stricter)
    for folder in ("results", "figures"):
        shutil.copytree(small.path / folder, checkout.path / folder)
    for options in ([], ["--rerun-triggers", "mtime"]):
        planned = {rule for rule, _ in checkout.planned(*options)}
        assert {"chi2", "limits", "table2"} <= planned
        assert not planned & {"flux_table", "rates", "counts", "quenching"}
    checkout.snakemake("results/limits.csv", "--rerun-triggers", "mtime")
    assert {row["confidence_level"] for row in rows(checkout.path / "results/limits.csv")} == {
        "0.95",
        "0.9",  # of the solar limit
    }


@pytest.mark.parametrize("records", [True, pytest.param(False, marks=long)])
def test_no_records_of_snakemake(small, tmp_path, records):
    checkout = small.copy(tmp_path / "copy")
    shutil.rmtree(checkout.path / ".snakemake")
    if not records:
        for path in [*checkout.path.glob("results/**/.*.json"), *checkout.path.glob("figures/.*")]:
            path.unlink()
        assert checkout.planned() == small.copy(tmp_path / "fresh", results=False).planned()
        checkout.snakemake(*FEW)
        checkout.snakemake(*FEW)
    assert checkout.planned(*FEW) == set()
    small_products, found = small.products(), checkout.products()
    assert [n for n in small_products if n in found and found[n] != small_products[n]] == []


@pytest.mark.long
def test_another_version_of_a_package_makes_all_results_again(small, tmp_path, monkeypatch):
    """As if scipy had been replaced in the same environment."""
    checkout = small.copy(tmp_path / "copy")
    other = tmp_path / "site/scipy-1.14.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: scipy\nVersion: 1.14.1\n")
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    everything = {rule for rule, _ in checkout.planned()}
    assert {"flux_table", "rates", "chi2", "limits", "fig1", "table2"} <= everything
    checkout.snakemake("results/limits.csv")
    with h5py.File(checkout.path / "results/profiles/CsI.h5") as file:
        assert json.loads(file.attrs["versions"])["scipy"] == "1.14.1"


def test_a_job_in_another_environment_than_planned_is_refused(small, tmp_path, monkeypatch):
    checkout = small.copy(tmp_path / "copy")
    (checkout.path / "results/quenching.h5").unlink()
    code = checkout.path / "pipeline/code.py"
    text = code.read_text() + "\n\nimport os\n_v = versions\n"
    text += 'def versions():\n    return _v() | {"scipy": os.environ.get("FAKE", "9")}\n'
    code.write_text(text)
    script = checkout.path / "scripts/compute_quenching.py"
    script.write_text('import os\n\nos.environ["FAKE"] = "8"\n' + script.read_text())
    done = checkout.snakemake("results/quenching.h5", check=False)
    assert done.returncode != 0
    assert any("versions of packages differ from the plan" in line for line in reasons(done.stdout)), (
        done.stdout
    )


@pytest.mark.long
def test_clock_set_back(small, tmp_path):
    """Results of the future are used, unless something changed since."""
    checkout = small.copy(tmp_path / "copy")
    tomorrow = time.time() + 86400
    for path in checkout.path.glob("results/**/*.h5"):
        os.utime(path, (tomorrow, tomorrow))

    def heavier(data):
        data["experiments"]["NEW-1"]["current"]["mass_kg"] = 3

    checkout.edit("experiments", heavier)
    assert ("rates", "NEW-1") in checkout.planned()
    checkout.snakemake("results/limits.csv")
    other = small.copy(tmp_path / "other", results=False)
    other.edit("experiments", heavier)
    other.snakemake("results/limits.csv")
    target = "results/limits.csv"
    assert (checkout.path / target).read_bytes() == (other.path / target).read_bytes()


def test_touch_makes_nothing_up_to_date(small, tmp_path):
    """`snakemake --touch` changes dates, and dates decide nothing."""
    checkout = small.copy(tmp_path / "copy")

    def heavier(data):
        data["experiments"]["NEW-1"]["current"]["mass_kg"] = 3

    checkout.edit("experiments", heavier)
    checkout.snakemake("--touch", "--forceall")
    assert ("rates", "NEW-1") in checkout.planned()


def test_a_configuration_changed_and_changed_back_computes_nothing(small, tmp_path):
    """The dry run in between plans what would be made."""
    checkout = small.copy(tmp_path / "copy")
    assert len(checkout.planned("--config", "confidence_level=0.95")) > 5
    assert checkout.planned() == set()


def test_a_moved_checkout_computes_nothing(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    moved = checkout.path.rename(tmp_path / "moved é")
    checkout.path = moved
    assert checkout.planned() == set()


def test_keys_in_another_order_compute_nothing(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")

    def backwards(block):
        if isinstance(block, dict):
            return {key: backwards(block[key]) for key in reversed(block)}
        return block

    def change(data):
        for key in ("oscillation", "sources", "statistics", "quenching"):
            data[key] = backwards(data[key])

    checkout.edit("config", change)
    assert checkout.planned() == set()


def test_a_result_that_is_not_a_number_stops_its_job(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    path = checkout.path / "cevns_tmm/cross_section.py"
    text = path.read_text(encoding="utf-8").replace("def em_coefficients(", "def _em(")
    path.write_text(
        text + "\n\ndef em_coefficients(*args, **kwargs):\n    return _em(*args, **kwargs) * np.nan\n",
        encoding="utf-8",
    )
    done = checkout.snakemake("results/limits.csv", check=False)
    assert done.returncode != 0
    lines = reasons(done.stdout)
    assert any("rates " in line and "magnetic-moment rate" in line for line in lines), lines
    assert not (checkout.path / "results/limits.csv").exists()


@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        ("return 5 * np.sin(self.chi2(n) - self.chi2_min) ** 2 - 0 * self", " falls again above its minimum"),
        ("return np.sin(self.chi2(n)) - self", " somewhere, below its minimum"),
    ],
)
def test_a_profile_that_falls_again_stops_its_job(small, tmp_path, mistake, reason):
    checkout = small.copy(tmp_path / "copy")
    path = checkout.path / "cevns_tmm/statistics.py"
    text = path.read_text(encoding="utf-8")
    changed = text.replace("return self.chi2(n) - self", mistake)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    done = checkout.snakemake("results/profiles/CsI.h5", check=False)
    assert done.returncode != 0
    (line,) = reasons(done.stdout)
    assert line.startswith("cevns-tmm: chi2") and " CsI: current/literal/" in line
    assert "delta_chi2 of Lambda1 " in line and reason in line


# The user's own settings.


@pytest.mark.long
def test_same_bytes_for_another_user_with_settings_of_their_own(small, tmp_path):
    checkout = small.copy(tmp_path / "elsewhere é" / "copy", results=False)
    home = tmp_path / "home"
    (home / ".config/matplotlib").mkdir(parents=True)
    text = "savefig.transparent: True\naxes.grid: True\nsavefig.bbox: tight\nfont.size: 20\n"
    for path in (home / ".config/matplotlib/matplotlibrc", checkout.path / "matplotlibrc"):
        path.write_text(text)
    umask = os.umask(0o077)
    try:
        checkout.snakemake(
            cores=8,
            LC_ALL="C",
            TZ="Asia/Kathmandu",
            USER="someone",
            LOGNAME="someone",
            HOME=str(home),
            MPLCONFIGDIR=str(home / ".config/matplotlib"),
            OPENBLAS_NUM_THREADS="2",
            OMP_NUM_THREADS="2",
            PYTHONHASHSEED="1",
        )
    finally:
        os.umask(umask)
    small.same_products(checkout)


def test_a_clone_with_windows_line_ends_is_the_same(tmp_path):
    """Git for Windows sets core.autocrlf; .gitattributes has the last word."""
    clone = tmp_path / "clone"
    command = ["git", "-c", "core.autocrlf=true", "clone", "--quiet", str(ROOT), str(clone)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout")
    with_returns = [
        path
        for path in clone.rglob("*")
        if path.suffix in (".csv", ".yaml", ".py", ".smk") and b"\r\n" in path.read_bytes()
    ]
    assert with_returns == []


NO_LOCKS = """
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#define _GNU_SOURCE
#include <dlfcn.h>
int flock(int fd, int operation) { errno = ENOLCK; return -1; }
int fcntl64(int fd, int command, ...) {
    va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
    if (command == F_SETLK || command == F_SETLKW) { errno = ENOLCK; return -1; }
    static int (*next)(int, int, ...) = 0;
    if (!next) next = dlsym(((void *) -1l), "fcntl64");
    return next(fd, command, argument);
}
int fcntl(int fd, int command, ...) {
    va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list);
    return fcntl64(fd, command, argument);
}
"""


@pytest.mark.long
def test_a_file_system_without_locks(small, tmp_path):
    """Neither flock nor fcntl can lock: everything works, HDF5 included."""
    source, library = tmp_path / "nolock.c", tmp_path / "nolock.so"
    source.write_text(NO_LOCKS)
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    checkout = small.copy(tmp_path / "copy", results=False)
    checkout.snakemake(*FEW, LD_PRELOAD=str(library))
    checkout.agrees_with(small)
    assert checkout.snakemake("--dry-run", LD_PRELOAD=str(library)).returncode == 0


OTHER_CPU = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
}
USED = "from numpy._core._multiarray_umath import __cpu_features__ as f; print(f['X86_V3'] or f['X86_V4'])"


@long
def test_same_numbers_on_another_kind_of_processor(small, tmp_path):
    """As if the processor had no AVX2 or AVX512 (X86_V3, X86_V4): to 1e-12; `make check` allows 1e-9."""
    command = [sys.executable, "-W", "error", "-c", USED]
    done = subprocess.run(command, env=os.environ | OTHER_CPU, capture_output=True, text=True, check=False)
    if done.stdout.strip() != "False":
        pytest.skip(f"this processor's features cannot be disabled: {done.stdout}{done.stderr}")
    checkout = small.copy(tmp_path / "copy", results=False)
    checkout.snakemake("results/limits.csv", "results/counts.csv", **OTHER_CPU)
    for name, columns in (("limits", ["limit_muB"]), ("counts", ["n_sm", "n_em_per_muB2"])):
        here, there = (rows(one.path / f"results/{name}.csv") for one in (small, checkout))
        if name == "limits":  # of the others some are found by a minimiser, to 1e-11
            here, there = one_at_a_time(here), one_at_a_time(there)
        for one, two in zip(here, there, strict=True):
            for column in columns:
                assert float(one[column]) == pytest.approx(float(two[column]), rel=1e-12, abs=0)


def test_provenance_is_what_the_files_say(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    checkout.snakemake("results/provenance.csv")
    said = {row["what"]: row["version"] for row in rows(checkout.path / "results/provenance.csv")}
    assert said["git commit"] == "unknown"  # a copy, not a clone
    content = json.loads((checkout.path / "results/.limits.csv.json").read_text())
    assert content["job"] == "limits"
    for name in ("python", "numpy", "scipy", "h5py", "periodictable", "matplotlib", "snakemake"):
        assert said[name]
