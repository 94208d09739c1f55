"""Faults: whatever interrupts or damages a run, a plain rerun ends with the bytes of an undisturbed one."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripts.seals import check_seal

from tests.checkout import rows
from workflow import guard

pytestmark = pytest.mark.workflow

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


def jobs_of(process):
    """Processes of the jobs that run below snakemake."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(".snakemake/scripts/" in word for word in child.cmdline()[1:2]):
                    found.append(child)
    return found


def test_snakemake_killed_at_many_moments(small, tmp_path):
    """Each kill is followed by a plain run, with nothing unlocked or removed by hand.

    In turn its jobs die with it, as when the machine does, or outlive it.
    """
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


def started(checkout, *arguments, script):
    """A run and the process of its job with this script, once that works."""
    process = checkout.start("--cores", "2", *arguments)
    while process.poll() is None:
        for job in jobs_of(process):
            with contextlib.suppress(psutil.NoSuchProcess):
                lock = str(checkout.path / ".snakemake/cevns-tmm.jobs")
                if script in " ".join(job.cmdline()) and lock in [f.path for f in job.open_files()]:
                    return process, job
        time.sleep(0.01)
    raise AssertionError(process.communicate()[0])


def test_a_job_that_outlives_its_snakemake_does_not_spoil_the_next_run(small, tmp_path):
    """The next run, with another configuration, waits for it and makes its file again."""
    checkout = small.copy(tmp_path / "copy", results=False)
    target = "results/profiles/NEW-1.h5"
    process, job = started(checkout, target, script="compute_profiles")
    job.suspend()
    process.kill()
    process.stdout.close()
    process.wait()

    def stricter(data):
        data["confidence_level"] = 0.95

    checkout.edit("config", stricter)
    with open(tmp_path / "output", "w", encoding="utf-8") as output:
        second = checkout.start("--cores", "2", target, output=output)
        shown = Path(output.name)
        while (
            second.poll() is None and "waiting for jobs of an earlier run" not in shown.read_text()
        ):
            time.sleep(0.1)
        time.sleep(8)
        assert second.poll() is None
        assert "Building DAG" not in shown.read_text()
        job.resume()
        assert second.wait() == 0
        assert "Building DAG" in shown.read_text()
    undisturbed = small.copy(tmp_path / "undisturbed", results=False)
    undisturbed.edit("config", stricter)
    undisturbed.snakemake(target)
    assert (checkout.path / target).read_bytes() == (undisturbed.path / target).read_bytes()
    assert checkout.planned(target) == set()


def test_a_job_that_comes_late_is_refused(tmp_path, monkeypatch):
    """Its snakemake was killed, and another has begun since."""
    folder = tmp_path / ".snakemake"
    folder.mkdir()
    (folder / "cevns-tmm.lock").write_text('{"run": "another", "configuration": null}')
    monkeypatch.setenv(guard.RUN, "mine")
    with pytest.raises(guard.Refused, match="gone, and another runs"), guard.working(folder):
        pass
    monkeypatch.setenv(guard.RUN, "another")
    with guard.working(folder):
        pass
    with pytest.raises(guard.Refused, match="gone, and another runs"):
        monkeypatch.setenv(guard.RUN, "mine")
        guard.join({}, folder)


def test_a_job_that_reads_another_configuration_is_refused(tmp_path, monkeypatch):
    """A job on a cluster reads config/ when it starts, which may be hours after it was planned."""
    monkeypatch.setattr(guard, "_held", [])
    folder = tmp_path / ".snakemake"
    folder.mkdir()
    planned = guard.digest({"confidence_level": 0.9})
    (folder / "cevns-tmm.lock").write_text(f'{{"configuration": "{planned}"}}')
    guard.join({"confidence_level": 0.9}, folder)
    with pytest.raises(guard.Refused, match="configuration was changed since"):
        guard.join({"confidence_level": 0.95}, folder)
    for handle in guard._held:
        os.close(handle)


def test_locks_of_another_machine_are_left_to_unlock(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "_held", [])
    folder = tmp_path / ".snakemake"
    (folder / "locks").mkdir(parents=True)
    (folder / "locks/0.output.lock").write_text("results/limits.csv")
    (folder / "cevns-tmm.lock").write_text('{"host": "elsewhere", "process": 1}')
    for _ in range(2):
        with pytest.raises(guard.Refused, match="left by a run on elsewhere"):
            guard.acquire(folder)
        os.close(guard._held.pop())
    (folder / "locks/0.output.lock").unlink()  # as snakemake --unlock does
    guard.acquire(folder)
    os.close(guard._held.pop())


def test_results_from_elsewhere_are_refused(small, tmp_path):
    """Of another configuration, with their hashes: Snakemake alone takes them for up to date."""
    checkout = small.copy(tmp_path / "copy", results=False)
    checkout.snakemake("results/quenching.h5")
    cleared(checkout)
    shutil.copytree(small.path / "results", checkout.path / "results")
    done = checkout.snakemake(check=False)
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1].startswith("cevns-tmm: results/: not made in this checkout")
    cleared(checkout)
    checkout.snakemake("results/quenching.h5")


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


def test_terminated_politely(small, tmp_path):
    """SIGTERM lets the running jobs end."""
    checkout = small.copy(tmp_path / "copy", results=False)
    process, _ = started(checkout, script="compute_rates")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert whole(checkout, small)
    checkout.snakemake()
    small.same_products(checkout)


def test_two_at_once(small, tmp_path):
    """The second is refused in one line, at whatever moment it comes; the first is not disturbed."""
    checkout = small.copy(tmp_path / "copy", results=False)
    first, _ = started(checkout, script="compute_rates")
    second = checkout.snakemake(check=False)
    assert second.returncode != 0
    assert "cevns-tmm: another snakemake runs here" in second.stdout.splitlines()[-1]
    assert "Traceback" not in second.stdout
    for reading in (["--dry-run"], ["--list-rules"], ["--summary"]):
        assert checkout.snakemake(*reading).returncode == 0
    output, _ = first.communicate()
    assert first.returncode == 0, output
    small.same_products(checkout)


def test_two_started_together(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    for _ in range(5):
        cleared(checkout)
        both = [checkout.start("--cores", "1", "results/quenching.h5") for _ in range(2)]
        outputs = [process.communicate()[0] for process in both]
        refused = ["another snakemake runs here" in output for output in outputs]
        assert [p.returncode != 0 for p in both] == refused, outputs
        assert not all(refused)
        target = "results/quenching.h5"
        assert (checkout.path / target).read_bytes() == (small.path / target).read_bytes()


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


def reasons(output):
    """What the jobs say of themselves."""
    return [line for line in output.splitlines() if line.startswith("cevns-tmm: ")]


def test_disk_full(small, full_disk):
    done = full_disk.snakemake(check=False)
    assert done.returncode != 0
    assert any("No space left on device" in line for line in reasons(done.stdout)), done.stdout
    assert whole(full_disk, small)
    mounted("-o", "remount,size=100m", str(full_disk.path / "results"))
    full_disk.snakemake()
    small.same_products(full_disk)


def test_files_limited_in_size(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        done = checkout.snakemake(check=False)
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


def test_results_read_only(small, read_only):
    before = read_only.products()
    done = read_only.snakemake("results/profiles/CsI.h5", check=False)
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == "cevns-tmm: results/: read-only or not yours to write to"
    assert read_only.products() == before
    mounted("-o", "remount,rw,bind", str(read_only.path / "results"))
    read_only.snakemake("results/profiles/CsI.h5")
    read_only.snakemake()
    small.same_products(read_only)


def test_clock_set_back(small, tmp_path):
    """Results from the future would hide a change made today: refused, and remade when removed."""
    checkout = small.copy(tmp_path / "copy")
    tomorrow = time.time() + 86400
    os.utime(checkout.path / "results/counts/CsI.h5", (tomorrow, tomorrow))
    done = checkout.snakemake(check=False)
    assert done.returncode != 0
    last = done.stdout.splitlines()[-1]
    assert last.startswith("cevns-tmm: results/counts/CsI.h5: dated in the future")
    checkout.snakemake("--touch", "--forceall")  # for whoever knows that nothing was changed
    assert checkout.planned() == set()
    cleared(checkout)
    checkout.snakemake()
    small.same_products(checkout)


def test_results_newer_than_the_last_lock_are_not_of_the_future(tmp_path, monkeypatch):
    """Where the file system has no locks, nothing writes to the lock file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(guard, "_held", [])
    guard.FOLDER.mkdir()
    lock = guard.FOLDER / "cevns-tmm.lock"
    lock.touch()
    os.utime(lock, (1e9, 1e9))
    guard.begin({})
    Path("results/limits.csv").touch()
    guard.begin({})


def test_clock_set_forward(small, tmp_path):
    """Results that seem a year old: whatever Snakemake remakes has the same bytes."""
    checkout = small.copy(tmp_path / "copy")
    before = time.time() - 365 * 86400
    for path in checkout.path.glob("results/**/*"):
        os.utime(path, (before, before))
    checkout.snakemake()
    small.same_products(checkout)


INTERMEDIATE = {
    "results/fluxes/sns.h5": "results/rates/CsI.h5",
    "results/rates/CsI.h5": "results/counts/CsI.h5",
    "results/counts/CsI.h5": "results/profiles/CsI.h5",
    "results/counts/CONNIE.h5": "results/counts.csv",
    "results/profiles/CsI.h5": "figures/fig2.png",
    "results/profiles/CONNIE.h5": "results/limits.csv",
    "results/planes/CsI.h5": "figures/fig4.png",
    "results/phases/CsI.h5": "figures/fig7.png",
    "results/luminosity/CsI.h5": "figures/fig3.png",
    "results/solar/Borexino.h5": "figures/fig8.png",
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


@pytest.mark.parametrize("path", INTERMEDIATE)
def test_a_flipped_bit_is_found_and_never_used(small, tmp_path, path):
    checkout, target = small.copy(tmp_path / "copy"), INTERMEDIATE[path]
    flip(checkout.path / path, random.Random(path).randrange(2**40))
    before = (checkout.path / target).read_bytes()
    os.remove(checkout.path / target)
    done = checkout.snakemake(target, check=False)
    assert done.returncode != 0
    lines = reasons(done.stdout)
    assert len(lines) == 1, done.stdout
    assert f"{path}: not as it was written" in lines[0]
    assert not (checkout.path / target).exists()
    command = f"rm {path} && snakemake --cores 8 -- {path}"
    assert f"to make it again: {command} (" in lines[0]
    os.remove(checkout.path / path)
    checkout.snakemake("--", path)
    assert (checkout.path / path).read_bytes() == (small.path / path).read_bytes()
    checkout.snakemake(target)
    assert (checkout.path / target).read_bytes() == before


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
            with pytest.raises(ValueError, match=f"{path}: not as it was written"):
                check_seal(path)
        finally:
            Path(path).write_bytes(good)
        check_seal(path)


def test_a_foreign_file_is_found(small, tmp_path):
    """The file of another experiment, whole in itself."""
    checkout = small.copy(tmp_path / "copy")
    shutil.copy(checkout.path / "results/counts/CsI.h5", checkout.path / "results/counts/CONNIE.h5")
    done = checkout.snakemake("results/profiles/CONNIE.h5", "--forcerun", "profiles", check=False)
    assert "results/counts/CONNIE.h5: not as it was written" in "".join(reasons(done.stdout))


def test_a_result_that_is_not_a_number_stops_its_job(small, tmp_path):
    checkout = small.copy(tmp_path / "copy", results=False)
    path = checkout.path / "cevns_tmm/cross_section.py"
    text = path.read_text(encoding="utf-8").replace("def em_coefficients(", "def _em(")
    path.write_text(
        text
        + "\n\ndef em_coefficients(*args, **kwargs):\n    return _em(*args, **kwargs) * np.nan\n",
        encoding="utf-8",
    )
    done = checkout.snakemake("results/limits.csv", check=False)
    assert done.returncode != 0
    lines = reasons(done.stdout)
    assert any("rates CsI: " in line and "magnetic-moment rate" in line for line in lines), lines
    assert not (checkout.path / "results/limits.csv").exists()


def test_a_profile_that_falls_again_stops_its_job(small, tmp_path):
    checkout = small.copy(tmp_path / "copy")
    path = checkout.path / "cevns_tmm/statistics.py"
    text = path.read_text(encoding="utf-8")
    changed = text.replace("return self.chi2(n) - self", "return np.sin(self.chi2(n)) - self")
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    done = checkout.snakemake("results/profiles/CsI.h5", check=False)
    assert done.returncode != 0
    (line,) = reasons(done.stdout)
    assert line.startswith("cevns-tmm: profiles CsI: current/literal/")
    assert "delta_chi2 of Lambda1 falls again" in line


def test_check_finds_an_edited_result(small, tmp_path):
    """`snakemake check` looks at every file, also at those no job reads again."""
    checkout = small.copy(tmp_path / "copy")
    checkout.snakemake("check", check=False)  # this small study differs from the reference
    path = checkout.path / "results/counts.csv"
    dates = path.stat()
    path.write_text(path.read_text().replace("CsI", "CsJ", 1))
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    done = checkout.snakemake("check", check=False)
    assert "results/counts.csv: not as it was written" in "".join(reasons(done.stdout))
    (checkout.path / "results/.sha256/results/counts.csv.sha256").unlink()
    done = checkout.snakemake("check", check=False)
    assert "results/counts.csv: not as it was written" in "".join(reasons(done.stdout))


# Same bytes everywhere it can be.


def test_same_bytes_for_another_user_locale_time_zone_and_umask(small, tmp_path):
    checkout = small.copy(tmp_path / "elsewhere é" / "copy", results=False)
    home = tmp_path / "home"
    home.mkdir()
    umask = os.umask(0o077)
    try:
        checkout.snakemake(
            cores=8,
            LC_ALL="C",
            TZ="Asia/Kathmandu",
            USER="someone",
            LOGNAME="someone",
            HOME=str(home),
            OPENBLAS_NUM_THREADS="2",
            OMP_NUM_THREADS="2",
            PYTHONHASHSEED="1",
        )
    finally:
        os.umask(umask)
    small.same_products(checkout)


OTHER_CPU = {
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
}
USED = "from numpy._core._multiarray_umath import __cpu_features__ as f; print(f['X86_V3'] or f['X86_V4'])"


def test_same_numbers_on_another_kind_of_processor(small, tmp_path):
    """As if the processor had no AVX2 or AVX512 (X86_V3, X86_V4): to 1e-12; `make check` allows 1e-9."""
    command = [sys.executable, "-W", "error", "-c", USED]
    done = subprocess.run(
        command, env=os.environ | OTHER_CPU, capture_output=True, text=True, check=False
    )
    if done.stdout.strip() != "False":
        pytest.skip(f"this processor's features cannot be disabled: {done.stdout}{done.stderr}")
    checkout = small.copy(tmp_path / "copy", results=False)
    checkout.snakemake("results/limits.csv", "results/counts.csv", **OTHER_CPU)
    for name, columns in (("limits", ["limit_muB"]), ("counts", ["n_sm", "n_em_per_muB2"])):
        pairs = zip(
            rows(small.path / f"results/{name}.csv"),
            rows(checkout.path / f"results/{name}.csv"),
            strict=True,
        )
        for one, two in pairs:
            for column in columns:
                assert float(one[column]) == pytest.approx(float(two[column]), rel=1e-12, abs=0)
