"""The work of `compare.sh sample`: sampling and coding against PyTorch's and our own full passes, in one run."""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import compare
from compare import LMCONV, ROOT, Comparison, environment, table, target_table

BATCHES = [1, 16]
TARGETS = {1: 200, 16: 1500}


class SamplingComparison(Comparison):
    """Times are of whole images: the reference's way of sampling is one forward pass for each pixel."""

    def measure_sampling(self):
        pixels = self.options.side ** 2
        tasks, servers = [], []
        for batch in BATCHES:
            self.shape[-1] = batch
            masked = self.pytorch("masked")
            ours = self.lmconv(f"lmconv, batch {batch}", threads=self.cores)
            servers += [masked, ours]
            tasks += [
                (f"masked forward {batch}", masked, "forward"), (f"ours forward {batch}", ours, "forward s_curve"),
                (f"ours sample {batch}", ours, "sample s_curve")]
        tasks.append(("plan", ours, "plan random"))
        self.rounds("sampling", lambda: self.in_turn(tasks))
        self.pixels = pixels
        for server in servers:
            server.quit()

    def measure_coding(self):
        """Compressing and decompressing the test images against sampling as many twice; whole commands on one core."""
        images = str(self.options.images)
        with tempfile.TemporaryDirectory() as folder:
            model, file = self.options.model, f"{folder}/digits.lmc"
            commands = {
                "compress": ["compress", model, "--split", "test", "--count", images, "--out", file],
                "decompress": ["decompress", model, file, "--out", f"{folder}/images"],
                "sample": ["sample", model, "--count", images, "--out", f"{folder}/samples.png"],
            }

            def one_round():
                for name, command in commands.items():
                    start = time.monotonic()
                    subprocess.run([str(LMCONV), *command, "--threads", "1"], env=environment(1), check=True,
                                   capture_output=True)
                    self.note(name, {"seconds": time.monotonic() - start})
                    subprocess.run(["rm", "-rf", f"{folder}/images"], check=True)

            self.rounds("coding", one_round)
            done = subprocess.run([str(LMCONV), *commands["compress"], "--json"], env=environment(self.cores), check=True,
                                  capture_output=True, text=True)
        self.coded = compare.json.loads(done.stdout)

    def judge(self):
        for batch in BATCHES:
            per_pixel = [self.pixels * seconds for seconds in self.values(f"masked forward {batch}")]
            self.row(f"sampling, batch {batch}, against a pass of (a) for each pixel",
                     self.ratios(per_pixel, self.values(f"ours sample {batch}")), at_least=TARGETS[batch])
        self.row(f"sampling, batch {BATCHES[-1]}, in passes of our own",
                 self.ratios(self.values(f"ours sample {BATCHES[-1]}"), self.values(f"ours forward {BATCHES[-1]}")),
                 at_most=3.5)
        self.row("planning a new random order", self.values("plan"), at_most=0.020, unit="s", digits=4)
        coding = [a + b for a, b in zip(self.values("compress"), self.values("decompress"))]
        self.row("compressing and decompressing, in two samplings of as many images",
                 self.ratios(coding, [2 * seconds for seconds in self.values("sample")]), at_most=1.2)
        self.row(f"coding {self.coded['images']} digits, bpd over the likelihood",
                 [self.coded["overhead_bits_per_dimension"]], at_most=0.01, unit="bpd", digits=4)

    def run(self):
        self.load_before = compare.os.getloadavg()[0]
        self.measure_sampling()
        self.measure_coding()
        self.judge()
        return self.results()

    def results(self):
        return {
            "date": compare.datetime.date.today().isoformat(), "machine": self.machine(),
            "torch": compare.torch.__version__, "threads": self.cores, "repetitions": self.options.repetitions,
            "targets": self.rows, "measurements": self.measurements}


def report(results):
    def seconds(name):
        return statistics.median(m["seconds"] for m in results["measurements"][name])

    machine = results["machine"]
    rows = [[str(batch), f"{seconds(f'masked forward {batch}'):.2f}", f"{seconds(f'ours forward {batch}'):.2f}",
             f"{seconds(f'ours sample {batch}'):.2f}"] for batch in BATCHES]
    return "\n\n".join([
        f"Measured {results['date']} on {machine['processor']}, {machine['cores']} cores, load {machine['load_before']:.2f} "
        f"before; PyTorch {results['torch']}; the paper's network, 32x32 RGB; {results['repetitions']} rounds.",
        target_table(results),
        table(["images at once", "a forward pass of (a), s", "of lmconv, s", "sampling whole images, lmconv, s"], rows)])


def main():
    parser = argparse.ArgumentParser(prog="compare.sh sample", description="Compares sampling and coding with full passes.")
    parser.add_argument("--filters", type=int, default=160, help="channels of the hidden activations (default 160)")
    parser.add_argument("--blocks", type=int, default=5, help="gated blocks of a group (default 5)")
    parser.add_argument("--side", type=int, default=32, help="side of the square images")
    parser.add_argument("--threads", type=int, help="cores to use (default: all)")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds after one that warms up (default 5)")
    parser.add_argument("--model", default=str(ROOT / "runs/digits"), help="what codes the digits (default: runs/digits)")
    parser.add_argument("--images", type=int, default=500, help="digits to code (default 500)")
    parser.add_argument("--output", default=str(ROOT / "Benchmarks/sampling.json"), help="where to keep the results")
    parser.add_argument("--document", action="store_true", help="write the results into docs/performance.md, too")
    options = parser.parse_args()
    options.batch = 1
    if not pathlib.Path(options.model).exists():
        sys.exit(f"compare.sh: no {options.model}; train it first with ./launch.sh, or name another with --model")
    results = SamplingComparison(options).run()
    print(target_table(results))
    compare.keep(results, options.output)
    if options.document:
        compare.write_document(report(results), "sampling")
    sys.exit(1 if any(row["pass"] is False for row in results["targets"]) else 0)


if __name__ == "__main__":
    main()
