"""The work of compare.sh: starts the programs, measures them in turn, prints and keeps the results."""

import argparse
import atexit
import datetime
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
LMCONV = ROOT / ".build/release/lmconv"
DOCUMENT = ROOT / "docs/performance.md"
ORDERS = ["s_curve", "hilbert", "random"]


def say(message):
    print(message, file=sys.stderr, flush=True)


def environment(threads):
    """One thread of BLAS a rank: lmconv has its own; PyTorch's are those of OpenMP."""
    values = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS=str(threads))
    if os.geteuid() == 0:
        values.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    return values


def mpirun(ranks):
    return ["mpirun", "--bind-to", "core", "-n", str(ranks)]


class Server:
    """A program that measures what it is asked to, one line for each, and waits in between."""

    def __init__(self, name, command, threads):
        self.name = name
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(threads))
        self.hello = self.answer()

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare.sh: {self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def measure(self, command):
        self.ask(command)
        return self.answer()

    def quit(self):
        self.process.communicate("quit\n")


class Ranks(Server):
    """A server under mpirun. Ranks that wait for rank 0 look for its message again and again, so they are stopped while
    others are measured."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        parents = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                # "pid (name) state parent ...", and the name may have spaces and brackets.
                parents[int(status.parent.name)] = int(status.read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # It ended in between.
        self.ranks = [process for process, parent in parents.items() if parent == self.process.pid]
        if not self.ranks:
            sys.exit(f"compare.sh: no processes of mpirun, {self.process.pid}, among {len(parents)} on this machine")
        # Nobody would wake them when this program ends early.
        atexit.register(self.signal, signal.SIGCONT)
        self.signal(signal.SIGSTOP)

    def signal(self, number):
        for process in self.ranks:
            os.kill(process, number)

    def ask(self, command):
        self.signal(signal.SIGCONT)
        super().ask(command)

    def measure(self, command):
        answer = super().measure(command)
        self.signal(signal.SIGSTOP)
        return answer

    def quit(self):
        self.signal(signal.SIGCONT)
        atexit.unregister(self.signal)
        super().quit()


class Comparison:
    def __init__(self, options):
        self.options = options
        self.cores = options.threads or os.cpu_count()
        self.shape = [
            "--filters", options.filters, "--blocks", options.blocks, "--side", options.side, "--batch", options.batch]
        self.measurements = {}
        self.rows = []

    # --- Measuring

    def lmconv(self, name, *arguments, threads, before=(), kind=Server):
        return kind(name, [*before, LMCONV, "benchmark", "--serve", "--threads", threads, *self.shape, *arguments], threads)

    def pytorch(self, variant):
        return Server(
            variant,
            [sys.executable, ROOT / "Tools/compare_pytorch.py", "--serve", "--variant", variant, "--threads", self.cores,
             *self.shape], self.cores)

    def note(self, name, measurement):
        self.measurements.setdefault(name, []).append(measurement)
        return measurement

    def rounds(self, what, body):
        """Once to warm up, then as often as asked."""
        kept = {name: list(values) for name, values in self.measurements.items()}
        for repetition in range(self.options.repetitions + 1):
            start = time.monotonic()
            body()
            if repetition == 0:
                self.measurements = kept
            say(f"{what}: {'warm-up' if repetition == 0 else f'round {repetition}'} in {time.monotonic() - start:.1f} s")

    def in_turn(self, tasks):
        """Asks each server; a pause lets the threads of the one before fall asleep."""
        for name, server, command in tasks:
            time.sleep(0.1)
            self.note(name, server.measure(command))

    def measure_against_pytorch(self):
        variants = ["masked", "dense", "dense-channels-last"]
        servers = {variant: self.pytorch(variant) for variant in variants}
        ours = self.lmconv("lmconv", threads=self.cores)
        parameters = {server.hello["parameters"] for server in [*servers.values(), ours]}
        if len(parameters) != 1:
            sys.exit(f"compare.sh: the networks differ: {sorted(parameters)} parameters")
        self.parameters = parameters.pop()
        # Memory is that of training alone, so training comes first.
        tasks = [(f"{variant} train", servers[variant], "train") for variant in variants]
        tasks += [(f"ours train {order}", ours, f"train {order}") for order in ORDERS]
        tasks += [("gemm", ours, "gemm"), ("handover", ours, "handover")]
        forward = [(f"{variant} forward", servers[variant], "forward") for variant in variants]
        forward += [("ours forward", ours, "forward s_curve")]
        self.rounds("training", lambda: self.in_turn(tasks))
        self.rounds("forward", lambda: self.in_turn(forward))
        self.baseline_bytes = servers["masked"].hello["baseline_memory_bytes"]
        self.workspace_bytes = ours.hello["workspace_bytes"]
        for server in [*servers.values(), ours]:
            server.quit()

    def measure_ranks(self):
        """The same cores as ranks of one thread, as threads of one rank, and as independent runs side by side."""
        pin = (lambda core: ["taskset", "-c", str(core)]) if shutil.which("taskset") else (lambda core: [])
        ranks = self.lmconv("ranks", threads=1, before=mpirun(self.cores), kind=Ranks)
        threads = self.lmconv("threads", "--microbatches", self.cores, threads=self.cores)
        alone = [self.lmconv(f"independent run {core}", threads=1, before=pin(core)) for core in range(self.cores)]

        def one_round():
            # Ranks are compared with both others, so they come between them.
            for server in alone:
                server.ask("train s_curve")
            answers = [server.answer() for server in alone]
            self.note("independent", {
                "images_per_second": sum(answer["images"] / answer["seconds"] for answer in answers)})
            self.in_turn([("handover", threads, "handover"), ("ranks", ranks, "train s_curve"),
                          ("threads", threads, "train s_curve"), ("handover", threads, "handover")])
            time.sleep(0.1)

        self.rounds("ranks and threads", one_round)
        for server in [ranks, threads, *alone]:
            server.quit()

    def measure_rematerialization(self):
        help_text = subprocess.run([LMCONV, "benchmark", "--help"], capture_output=True, text=True, check=True).stdout
        self.has_rematerialization = "--rematerialize" in help_text
        if not self.has_rematerialization:
            say("rematerialization: not measured, this lmconv benchmark has no --rematerialize")
            return
        plain = self.lmconv("plain", threads=self.cores)
        frugal = self.lmconv("rematerialized", "--rematerialize", threads=self.cores)
        self.rounds("rematerialization", lambda: self.in_turn([
            ("plain", plain, "train s_curve"), ("rematerialized", frugal, "train s_curve")]))
        self.rematerialized_bytes = frugal.hello["workspace_bytes"]
        for server in [plain, frugal]:
            server.quit()

    def digits(self, folder, *arguments):
        return [
            LMCONV, "train", "--config", ROOT / "configurations/digits.yaml", "--run-dir", folder, "--set",
            "run.progress=plain", *arguments]

    def measure_start(self):
        """From the start of mpirun to the end of the first step of the digits configuration."""
        for repetition in range(self.options.repetitions):
            with tempfile.TemporaryDirectory() as folder:
                command = [*mpirun(self.cores), *self.digits(f"{folder}/run", "--set", "run.log_every_steps=1")]
                start = time.monotonic()
                process = subprocess.Popen(
                    [str(word) for word in command], stderr=subprocess.PIPE, text=True, env=environment(1))
                for line in process.stderr:
                    if line.startswith("step 1/"):
                        self.note("start", {"seconds": time.monotonic() - start})
                        break
                else:
                    sys.exit(f"compare.sh: the digits did not train, code {process.wait()}")
                # mpirun ends the ranks.
                process.terminate()
                process.communicate()

    def measure_data(self):
        """What share of a step of the digits configuration its images take."""
        with tempfile.TemporaryDirectory() as folder:
            command = self.digits(
                f"{folder}/run", "--profile", f"{folder}/trace.json", "--set", "training.steps=40", "--set",
                "evaluation.images=8")
            subprocess.run([str(word) for word in command], env=environment(1), check=True, capture_output=True)
            with open(f"{folder}/trace.json") as file:
                events = json.load(file)["traceEvents"]
        spent = {name: sum(e["dur"] for e in events if e["name"] == name) for name in ("data", "step")}
        self.data_share = spent["data"] / spent["step"]

    def measure_kernels(self):
        command = [LMCONV, "benchmark", "--kernels", "--json", "--threads", self.cores, *self.shape]
        done = subprocess.run(
            [str(word) for word in command], env=environment(1), check=True, capture_output=True, text=True)
        self.kernels = json.loads(done.stdout)

    # --- Judging

    def values(self, name, of=lambda measurement: measurement["seconds"]):
        return [of(measurement) for measurement in self.measurements[name]]

    def ratios(self, above, below):
        """Of each round: what disturbs a round as a whole cancels out."""
        return [a / b for a, b in zip(above, below)]

    def row(self, what, values, at_least=None, at_most=None, unit="x", digits=None):
        """Judges the median of `values`, one of each round or one alone."""
        measured = statistics.median(values)
        limit = at_most if at_least is None else at_least
        scale, decimals = (100, 1) if unit == "%" else (1, 2)

        def text(value):
            return f"{scale * value:.{digits or decimals}f} {unit}"

        passed = measured >= at_least if at_most is None else measured <= at_most
        self.rows.append({
            "what": what, "target": ("at least " if at_most is None else "at most ") + text(limit),
            "measured": text(measured), "value": measured, "pass": passed,
            "rounds": f"{text(min(values))[:-len(unit) - 1]} to {text(max(values))}" if len(values) > 1 else "-"})

    def untargeted(self, what, value, measured):
        self.rows.append({
            "what": what, "target": "-", "measured": measured, "value": value, "pass": None, "rounds": "-"})

    def ceiling(self, name, against, ours):
        """How much faster than `against` the masked products alone would be at sgemm's best, if nothing else took time."""
        best = [useful_gflop(m) / peak["gflops"] for m, peak in zip(self.measurements[ours], self.measurements["gemm"])]
        value = statistics.median(self.ratios(self.values(against), best))
        self.untargeted(f"{name}: what LMConv products at sgemm's best would reach if all else took no time", value,
                        f"{value:.2f} x")

    def unmeasured(self, what, target, why):
        self.rows.append({
            "what": what, "target": target, "measured": why, "value": None, "pass": None, "rounds": "-"})

    def judge(self):
        seconds = self.values
        dense = min(["dense", "dense-channels-last"], key=lambda v: statistics.median(seconds(f"{v} train")))
        dense_forward = min(["dense", "dense-channels-last"], key=lambda v: statistics.median(seconds(f"{v} forward")))
        ours, forward = seconds("ours train s_curve"), seconds("ours forward")
        ratio = self.ratios
        self.row("training images/s against (a), masked unfold", ratio(seconds("masked train"), ours), at_least=6)
        self.row(f"training images/s against (b), {dense}", ratio(seconds(f"{dense} train"), ours), at_least=2.4)
        self.row("forward images/s against (a)", ratio(seconds("masked forward"), forward), at_least=6)
        self.row(f"forward images/s against (b), {dense_forward}", ratio(seconds(f"{dense_forward} forward"), forward),
                 at_least=2)
        self.ceiling("training against (a)", "masked train", "ours train s_curve")
        self.ceiling("training against (b)", f"{dense} train", "ours train s_curve")
        self.ceiling("forward against (a)", "masked forward", "ours forward")
        self.ceiling("forward against (b)", f"{dense_forward} forward", "ours forward")
        peak = self.values("gemm", lambda m: m["gflops"])
        for order, target in zip(ORDERS, [0.95, 0.95, 0.85]):
            rate = self.values(f"ours train {order}", masked_rate)
            self.row(f"LMConv useful GFLOP/s against sgemm's best, {order}", ratio(rate, peak), at_least=target, unit="%")
        outside = self.values("ours train s_curve", lambda m: 1 - m["masked_seconds"] / m["seconds"])
        self.row("share of a training step outside the LMConv products", outside, at_most=0.12, unit="%")
        memory = [max(self.values(name, lambda m: m["peak_memory_bytes"])) for name in ("ours train s_curve", "masked train")]
        self.row("peak memory of training against (a)", [memory[0] / memory[1]], at_most=1 / 3, unit="%")
        share = memory[0] / (memory[1] - self.baseline_bytes)
        self.untargeted("the same, without what importing PyTorch takes", share, f"{100 * share:.1f} %")
        if self.has_rematerialization:
            self.row("rematerialized: activations", [self.rematerialized_bytes / self.workspace_bytes], at_most=0.25,
                     unit="%")
            self.row("rematerialized: time", ratio(seconds("rematerialized"), seconds("plain")), at_most=1.35)
        else:
            self.unmeasured("rematerialized: activations, time", "at most 25 %, 1.35 x", "not measured: not there yet")
        per_second = lambda m: m.get("images_per_second") or m["images"] / m["seconds"]
        ranks, threads = self.values("ranks", per_second), self.values("threads", per_second)
        self.row(f"{self.cores} ranks of one thread against as many independent runs",
                 ratio(ranks, self.values("independent", per_second)), at_least=0.97, unit="%")
        self.row(f"one rank of {self.cores} threads against {self.cores} ranks of one", ratio(threads, ranks),
                 at_least=0.95, unit="%")
        self.row("start to the end of the first step, digits", seconds("start"), at_most=2, unit="s")
        self.row("reading data, share of a step of the digits", [self.data_share], at_most=0.01, unit="%")

    # --- Telling

    def machine(self):
        def first(path, key):
            with open(path) as file:
                return next((line.split(":", 1)[1].strip() for line in file if line.startswith(key)), "unknown")

        return {
            "processor": first("/proc/cpuinfo", "model name"),
            "cores": os.cpu_count(),
            "memory_gib": round(int(first("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
            "kernel": os.uname().release,
            "load_before": self.load_before,
        }

    def results(self):
        return {
            "date": datetime.date.today().isoformat(),
            "machine": self.machine(),
            "torch": torch.__version__,
            "network": {"filters": self.options.filters, "blocks": self.options.blocks, "side": self.options.side,
                        "batch": self.options.batch, "parameters": self.parameters},
            "threads": self.cores,
            "repetitions": self.options.repetitions,
            "targets": self.rows,
            "measurements": self.measurements,
            "kernels": self.kernels,
        }

    def run(self):
        self.load_before = os.getloadavg()[0]
        self.measure_against_pytorch()
        self.measure_ranks()
        self.measure_rematerialization()
        self.measure_start()
        self.measure_data()
        self.measure_kernels()
        self.judge()
        return self.results()


def useful_gflop(measurement):
    """Of the LMConv layers in all directions that were measured."""
    parts = [measurement.get(part) for part in ("forward", "input_gradient", "weight_gradient")]
    return sum(part["gflop"] for part in parts if part)


def masked_rate(measurement):
    """Useful GFLOP/s of the LMConv layers in all directions."""
    return useful_gflop(measurement) / measurement["masked_seconds"]


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def target_table(results):
    words = {True: "pass", False: "**fail**", None: "-"}
    return table(["what", "target", "measured", "", "in rounds"], [
        [row["what"], row["target"], row["measured"], words[row["pass"]], row["rounds"]] for row in results["targets"]])


def report(results):
    """Markdown of everything worth reading."""
    machine, network = results["machine"], results["network"]

    def median(name, of):
        return statistics.median(of(m) for m in results["measurements"][name])

    def images_per_second(name):
        return median(name, lambda m: m["images"] / m["seconds"])

    gemm = median("gemm", lambda m: m["gflops"])
    handovers = sorted(m["nanoseconds"] for m in results["measurements"]["handover"] if m["nanoseconds"])
    distance = (f"; a cache line took {handovers[0]:.0f} to {handovers[-1]:.0f} ns from core to core, in the middle "
                f"{statistics.median(handovers):.0f}" if handovers else "")
    step = sorted(results["measurements"]["ours train s_curve"], key=lambda m: m["seconds"])
    step = step[len(step) // 2]
    speeds = [[label, f"{images_per_second(f'{name} train{order}'):.2f}", f"{images_per_second(f'{name} forward'):.2f}",
               f"{median(f'{name} train{order}', lambda m: m['peak_memory_bytes']) / 1e6:.0f} MB"]
              for label, name, order in [
                  ("(a) masked convolution by unfold", "masked", ""), ("(b) dense convolution", "dense", ""),
                  ("(b) dense convolution, channels_last", "dense-channels-last", ""),
                  ("lmconv, S-curve", "ours", " s_curve")]]
    phases = sorted(step["phases"].items(), key=lambda item: -item[1])
    products = [("LMConv forward", "forward"), ("LMConv input gradient", "input_gradient"),
                ("LMConv weight gradient", "weight_gradient")]
    inside = [[f"  {label}", f"{1e3 * step[key]['seconds']:.1f}", f"{100 * step[key]['seconds'] / step['seconds']:.1f} %",
               f"{step[key]['gflop'] / step[key]['seconds']:.0f}"] for label, key in products]
    inside += [["  1x1 products", f"{1e3 * step['other_product_seconds']:.1f}",
                f"{100 * step['other_product_seconds'] / step['seconds']:.1f} %", ""]]
    kernels = [[k["kernel"], k["shape"], f"{1e3 * k['seconds']:.2f}",
                f"{k['gflops']:.0f} GFLOP/s" if "gflops" in k else f"{k['gbytes_per_second']:.1f} GB/s"]
               for k in results["kernels"]["kernels"]]
    return "\n\n".join([
        f"Measured {results['date']} on {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux "
        f"{machine['kernel']}, load {machine['load_before']:.2f} before; PyTorch {results['torch']}; {network['parameters']:,} "
        f"parameters (F = {network['filters']}, R = {network['blocks']}), {network['side']}x{network['side']} RGB, batch "
        f"{network['batch']}, {results['threads']} threads, {results['repetitions']} rounds{distance}.",
        target_table(results),
        table(["images/s", "training", "forward", "peak memory, training"], speeds),
        f"A training step by phase, S-curve ({1e3 * step['seconds']:.0f} ms; sgemm's best {gemm:.0f} GFLOP/s):",
        table(["phase", "ms", "share", "useful GFLOP/s"],
              [[name, f"{1e3 * spent:.1f}", f"{100 * spent / step['seconds']:.1f} %", ""] for name, spent in phases] + inside),
        f"Each kernel alone, fastest run (sgemm's best {results['kernels']['gemm_gflops']:.0f} GFLOP/s):",
        table(["kernel", "shape", "ms", "speed"], kernels),
    ])


def keep(results, path):
    with open(path, "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def write_document(text, name):
    """Puts `text` between the marks called `name`."""
    begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
    document = DOCUMENT.read_text()
    before, rest = document.split(begin)
    _, after = rest.split(end)
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def main():
    parser = argparse.ArgumentParser(prog="compare.sh", description="Compares lmconv with PyTorch and the machine's limits.")
    parser.add_argument("--quick", action="store_true", help="a small network, two rounds: does everything run?")
    parser.add_argument("--filters", type=int, help="channels of the hidden activations (default 160)")
    parser.add_argument("--blocks", type=int, help="gated blocks of a group (default 5)")
    parser.add_argument("--side", type=int, default=32, help="side of the square images")
    parser.add_argument("--batch", type=int, default=4, help="images of a microbatch")
    parser.add_argument("--threads", type=int, help="cores to use (default: all)")
    parser.add_argument("--repetitions", type=int, help="rounds after one that warms up (default 5)")
    parser.add_argument("--output", help="where to keep the results (default: Benchmarks/results.json, with --quick nowhere)")
    parser.add_argument("--document", action="store_true", help="write the results into docs/performance.md, too")
    options = parser.parse_args()
    options.filters = options.filters or (32 if options.quick else 160)
    options.blocks = options.blocks or (1 if options.quick else 5)
    options.repetitions = options.repetitions or (2 if options.quick else 5)
    options.output = options.output or (None if options.quick else str(ROOT / "Benchmarks/results.json"))
    results = Comparison(options).run()
    print(target_table(results))
    if options.output:
        keep(results, options.output)
    if options.document:
        write_document(report(results), "results")
    sys.exit(1 if any(row["pass"] is False for row in results["targets"]) else 0)


if __name__ == "__main__":
    main()
