"""Ranks on simulated hosts that measure what they are asked to. For the scripts beside it."""

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LMCONV = ROOT / ".build/release/lmconv"


def say(message):
    print(message, file=sys.stderr, flush=True)


def build():
    subprocess.run([ROOT / "launch.sh", "--version"], check=True, stdout=subprocess.DEVNULL)


class Job:
    """`lmconv benchmark --serve`, one rank of one thread on each of `hosts` hosts joined at `rate`."""

    def __init__(self, hosts, rate, arguments):
        cores = sorted(os.sched_getaffinity(0))
        # Each host believes that all cores are its own.
        pinned = f'cores=({" ".join(map(str, cores))}); exec taskset -c ${{cores[OMPI_COMM_WORLD_RANK % {len(cores)}]}} "$@"'
        command = [
            ROOT / "cluster/simulate.sh", hosts, "--rate", rate, "mpirun", "--hostfile", "{hostfile}", "-n", hosts,
            "--bind-to", "none", "-x", "OPENBLAS_NUM_THREADS", "bash", "-c", pinned, "bash", LMCONV, "benchmark",
            "--serve", "--threads", "1", *arguments]
        if "LD_LIBRARY_PATH" in os.environ:
            position = command.index("-x")
            command[position:position] = ["-x", "LD_LIBRARY_PATH"]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1"))
        self.hello = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the ranks ended with code {self.process.wait()}")
        return json.loads(line)

    def measure(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.process.communicate("quit\n")
        else:
            self.process.terminate()
            self.process.wait()


def median(rounds, *keys):
    def value(round):
        for key in keys:
            round = round[key]
        return round
    return statistics.median(value(round) for round in rounds)


def conditions():
    """What a reader must know of the machine, without its name."""
    model = platform.processor() or platform.machine()
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":")[1].strip()
    load = os.getloadavg()[0]
    return {
        "processor": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release().split("-")[0],
        "load_before": round(load, 2), "date": datetime.date.today().isoformat()}


def describe(conditions):
    return (
        f"{conditions['date']}, {conditions['cores']} cores of {conditions['processor']}, Linux {conditions['kernel']}; "
        f"load before the run {conditions['load_before']}")


def keep(path, results):
    path.write_text(json.dumps(results, indent=2) + "\n")
    say(f"written: {path}")


def document(path, name, text):
    """Replaces what is between the markers of `name`."""
    begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
    page = path.read_text()
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")
    say(f"written: {path}")
