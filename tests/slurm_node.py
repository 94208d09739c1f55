"""A SLURM of one node on loopback, from Debian's packages, without systemd, cgroups or a database.

Needs root, munged, slurmctld and slurmd, and /etc/slurm/slurm.conf, which it writes and removes: jobs
look for it there. Used as a context manager.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

CONF = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")

SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def program(name):
    """Path of a program; daemons are often outside PATH."""
    return shutil.which(name, path=SEARCH)


TEMPLATE = """\
# made by tests/slurm_node.py
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={path}/munge.socket
StateSaveLocation={path}/state
SlurmdSpoolDir={path}/spool
SlurmctldPidFile={path}/slurmctld.pid
SlurmdPidFile={path}/slurmd.pid
SlurmctldLogFile={path}/slurmctld.log
SlurmdLogFile={path}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=300
ReturnToService=2
JobRequeue=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no SLURM here, or "" if there can."""
    absent = [name for name in PROGRAMS if program(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "needs root"
    if CONF.exists() and "tests/slurm_node.py" not in CONF.read_text(encoding="utf-8"):
        return f"{CONF} is in use"
    return ""


def free_ports(number):
    """Unused TCP ports of the loopback interface."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmNode:
    """munged, slurmctld and slurmd with all their files in ``path``."""

    def __init__(self, path):
        self.path = Path(path)
        self.daemons = []

    def __enter__(self):
        for folder in ("state", "spool"):
            (self.path / folder).mkdir(parents=True)
        self.path.chmod(0o755)
        key = self.path / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        CONF.parent.mkdir(parents=True, exist_ok=True)
        text = TEMPLATE.format(host=socket.gethostname(), path=self.path, ports=free_ports(2))
        CONF.write_text(text, encoding="utf-8")
        munge = ["munged", "--foreground", "--force", f"--key-file={key}"]
        munge += [f"--socket={self.path}/munge.socket", f"--pid-file={self.path}/munge.pid"]
        munge += [f"--log-file={self.path}/munge.log", f"--seed-file={self.path}/munge.seed"]
        try:
            self.start(munge)
            self.wait((self.path / "munge.socket").exists, "munged")
            self.start(["slurmctld", "-D", "-f", str(CONF)])
            self.start(["slurmd", "-D", "-f", str(CONF)])
            self.wait(self.idle, "slurmctld or slurmd")
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, command):
        """Start a daemon, its output in the folder."""
        with open(self.path / f"{command[0]}.out", "wb") as out:
            daemon = subprocess.Popen(
                [program(command[0]), *command[1:]],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        self.daemons.append(daemon)

    def idle(self):
        """Whether the node takes jobs."""
        done = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=False)
        return done.stdout.strip() == "idle"

    def wait(self, ready, name):
        """Wait until ``ready()``, at most 60 s."""
        for _ in range(240):
            if ready():
                return
            time.sleep(0.25)
        logs = "".join(p.read_text(errors="replace")[-2000:] for p in self.path.glob("*.log"))
        raise RuntimeError(f"{name} did not start: {logs}")

    def jobs(self):
        """Jobs that wait or run: {id: memory asked for}."""
        done = subprocess.run(["squeue", "-h", "-o", "%i %m"], capture_output=True, text=True, check=True)
        return dict(line.split() for line in done.stdout.splitlines())

    @contextlib.contextmanager
    def waiting(self):
        """Within this, jobs are taken but none starts."""
        command = ["scontrol", "update", "PartitionName=main"]
        subprocess.run([*command, "State=DOWN"], check=True)
        try:
            yield
        finally:
            subprocess.run([*command, "State=UP"], check=True)

    def __exit__(self, *_):
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
        CONF.unlink(missing_ok=True)
