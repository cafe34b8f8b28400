#!/usr/bin/env python3
"""What training on more orders is worth on orders never trained with: three models of the digits, the same but for the
orders they are trained with (one, the eight variants of the S-curve, a new permutation for each microbatch), evaluated under
all kinds of orders on all test digits. Every number is the same on any machine; some ten minutes on two cores."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/orders.md"
BEGIN, END = "<!-- unseen orders begin -->", "<!-- unseen orders end -->"
TRAINED = {"one: s_curve/0": "[0]", "eight: s_curve/0 to 7": "[0, 1, 2, 3, 4, 5, 6, 7]", "all: new ones": "random"}
TESTED = {
    "s_curve/0": "0", "s_curve/1 to 7": "1,2,3,4,5,6,7",
    "raster_scan/0 to 7": ",".join(f"raster_scan/{v}" for v in range(8)),
    "gilbert2d/0 to 7": ",".join(f"gilbert2d/{v}" for v in range(8)), "8 random": "random:8",
}
ENSEMBLES = {"8 S-curves": "0,1,2,3,4,5,6,7", "8 random": "random:8"}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "runs/orders", help="where the runs go (default: runs/orders)")
parser.add_argument("--steps", type=int, default=1000, help="of each training (default: 1000)")
parser.add_argument("--json", type=pathlib.Path, default=ROOT / "Benchmarks/orders.json")
parser.add_argument("--document", action="store_true", help="write the table into docs/orders.md")
options = parser.parse_args()


def launch(*arguments, **more):
    command = [str(ROOT / "launch.sh"), *map(str, arguments)]
    done = subprocess.run(command, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"orders.py: {' '.join(command)} ended with code {done.returncode}")
    return done.stdout


def evaluate(run, orders):
    return json.loads(launch("evaluate", run, "--orders", orders, "--json", stdout=subprocess.PIPE))


results = {}
for number, (name, orders) in enumerate(TRAINED.items()):
    run = options.folder / f"{number}"
    launch("train", "--config", ROOT / "configurations/digits.yaml", "--run-dir", run, "--set", f"orders.train={orders}",
           "--set", f"training.steps={options.steps}", "--set", "evaluation.images=1")
    results[name] = {
        "single": {tested: statistics.fmean(order["nats"] for order in evaluate(run, listed)["orders"])
                   for tested, listed in TESTED.items()},
        "ensemble": {tested: evaluate(run, listed)["ensemble"]["nats"] for tested, listed in ENSEMBLES.items()},
    }

header = ["trained on", *(f"{t}" for t in TESTED), *(f"ensemble of {e}" for e in ENSEMBLES)]
lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
for name, result in results.items():
    cells = [*result["single"].values(), *result["ensemble"].values()]
    lines.append(f"| {name} | " + " | ".join(f"{nats:.2f}" for nats in cells) + " |")
text = "\n".join(lines) + f"\n\nNats per digit, all 500 test digits, {options.steps} steps of 16 images each."
print(text)
options.json.write_text(json.dumps({"steps": options.steps, "results": results}, indent=1) + "\n")
if options.document:
    before, rest = DOCUMENT.read_text().split(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")
