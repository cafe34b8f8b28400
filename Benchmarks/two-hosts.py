#!/usr/bin/env python3
"""Two ranks on two hosts joined by a link of 1 Gbit/s: is a step of 8 microbatches of 4 images at most 1.1 times as long as
the longer of its computation alone and its communication alone? Hosts are simulated on this machine (cluster/simulate.sh,
needs root). Some minutes with the paper's network; nothing else should run meanwhile. Exit code 1: the target is missed."""

import argparse
import pathlib
import sys

import simulated

TARGET = 1.1

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rate", default="1gbit", help="of each host's link, both ways (default: 1gbit)")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--quick", action="store_true", help="a small network and a link as much slower")
parser.add_argument("--json", type=pathlib.Path, default=simulated.ROOT / "Benchmarks/two-hosts.json")
parser.add_argument("--document", action="store_true", help="write the result into docs/scaling.md")
options = parser.parse_args()

shape = ["--microbatches", 8, "--batch", 4]
rate = options.rate
if options.quick:
    shape += ["--filters", 32, "--blocks", 1, "--side", 16]
    rate = "100mbit"

simulated.build()
conditions = simulated.conditions()
rounds = []
with simulated.Job(2, rate, shape) as job:
    job.measure("train s_curve")  # warms up
    job.measure("exchange")
    for number in range(options.rounds):
        # In turn, so that a change of the machine's load meets all three.
        measured = {
            "computation": job.measure("compute s_curve")["seconds"], "communication": job.measure("exchange"),
            "step": job.measure("train s_curve")}
        measured["ratio"] = measured["step"]["seconds"] / max(
            measured["computation"], measured["communication"]["seconds"])
        rounds.append(measured)
        simulated.say(f"round {number + 1}: ratio {measured['ratio']:.3f}")
    parameters = job.hello["parameters"]

ratio = simulated.median(rounds, "ratio")
passed = ratio <= TARGET
rows = [
    ("computation alone", simulated.median(rounds, "computation")),
    ("communication alone", simulated.median(rounds, "communication", "seconds")),
    ("of it, gradients", simulated.median(rounds, "communication", "reduction")),
    ("of it, parameters", simulated.median(rounds, "communication", "gathering")),
    ("step", simulated.median(rounds, "step", "seconds")),
    ("of it, waiting for gradients", simulated.median(rounds, "step", "phases", "reduce")),
    ("of it, waiting for parameters", simulated.median(rounds, "step", "phases", "gather")),
]
table = [f"| {parameters:,} parameters, two hosts at {rate} | seconds |", "|---|---|"]
table += [f"| {name} | {seconds:.3f} |" for name, seconds in rows]
verdict = (
    f"Step against the longer of the two: {ratio:.3f}, target at most {TARGET}: {'pass' if passed else 'FAIL'} "
    f"(median of {len(rounds)}). {simulated.describe(conditions)}.")
text = "\n".join(table) + "\n\n" + verdict
print(text)
simulated.keep(options.json, {
    "conditions": conditions, "parameters": parameters, "rate": rate, "target": TARGET, "ratio": ratio, "pass": passed,
    "rounds": rounds})
if options.document:
    simulated.document(simulated.ROOT / "docs/scaling.md", "two hosts", text)
sys.exit(0 if passed else 1)
