#!/usr/bin/env python3
"""Compares the scaling model with real steps on 1 to 4 hosts, which are simulated on this machine (cluster/simulate.sh,
needs root), and calculates where the paper's networks stop scaling. Some minutes; nothing else should run meanwhile. Exit
code 1: the model is wrong by more than 15 %."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import simulated

TOLERANCE = 0.15
LATENCY = 50  # microseconds
# Filters, blocks, side and images of a microbatch of nets small enough that communication counts; hosts, links,
# microbatches. 3 hosts share 4 and 8 microbatches unevenly.
WIDE = ["--filters", 64, "--blocks", 2, "--side", 16, "--batch", 2]
NARROW = ["--filters", 32, "--blocks", 1, "--side", 28, "--batch", 2]
CASES = [
    (1, 1, WIDE, 4), (2, 1, WIDE, 4), (2, 0.2, WIDE, 4), (2, 1, NARROW, 8), (3, 1, WIDE, 6), (3, 0.5, WIDE, 4),
    (3, 0.2, WIDE, 8), (4, 1, WIDE, 4), (4, 0.2, WIDE, 8), (4, 0.1, NARROW, 8),
]
# The paper's.
NETWORKS = [
    ("CIFAR-10, 46 M parameters", ["--filters", 160, "--side", 32]),
    ("CelebA-HQ 64x64, 184 M parameters", ["--filters", 320, "--side", 64]),
]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--quick", action="store_true", help="two cases, no plans")
parser.add_argument("--only", choices=["validation", "plans"], help="one of the two parts")
parser.add_argument("--json", type=pathlib.Path, default=simulated.ROOT / "Benchmarks/scaling.json")
parser.add_argument("--document", action="store_true", help="write the results into docs/scaling.md")
options = parser.parse_args()


def validate(hosts, gigabits, shape, microbatches):
    rounds = []
    with simulated.Job(hosts, f"{round(gigabits * 1000)}mbit", [*shape, "--microbatches", microbatches]) as job:
        job.measure("train s_curve")  # warms up
        for _ in range(options.rounds):
            # The prediction measures its parts between two steps, so that it meets the same load.
            rounds.append({
                "prediction": job.measure(f"predict s_curve {gigabits} {LATENCY}"), "step": job.measure("train s_curve")})
        parameters = job.hello["parameters"]
    predicted = simulated.median(rounds, "prediction", "seconds")
    measured = simulated.median(rounds, "step", "seconds")
    result = {
        "hosts": hosts, "gigabits": gigabits, "parameters": parameters, "microbatches": microbatches,
        "predicted": predicted, "measured": measured, "error": predicted / measured - 1,
        "communication": sum(simulated.median(rounds, "prediction", key) for key in ("reduction", "norm", "gathering")),
        "rounds": rounds}
    simulated.say(f"{hosts} hosts, {gigabits} Gbit/s: {predicted:.3f} s predicted, {measured:.3f} s measured")
    return result


def plan(arguments, gigabits, parts):
    """The plan for up to 1,024 hosts like this machine; measures the parts unless the file `parts` holds them."""
    if parts.stat().st_size > 0:
        arguments = [*arguments, "--parts", parts]
    command = [
        simulated.LMCONV, "benchmark", "--plan", "--json", "--hosts", 1024, "--bandwidth", gigabits, "--latency", LATENCY,
        "--repetitions", 1, *arguments]
    answer = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    parts.write_text(answer.stdout)
    return json.loads(answer.stdout)


simulated.build()
conditions = simulated.conditions()
results = {"conditions": conditions}
passed = True
page = simulated.ROOT / "docs/scaling.md"


def show(name, lines):
    text = "\n".join(lines)
    print(text, end="\n\n")
    if options.document:
        simulated.document(page, name, text)


if options.only != "plans":
    cases = [validate(*case) for case in (CASES[1:3] if options.quick else CASES)]
    worst = max(abs(case["error"]) for case in cases)
    passed = worst <= TOLERANCE
    results.update(tolerance=TOLERANCE, worst=worst, cases=cases)
    lines = [
        "| hosts | link | parameters | microbatches | predicted | of it, waiting for others | measured | error |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for case in cases:
        lines.append(
            f"| {case['hosts']} | {case['gigabits']} Gbit/s | {case['parameters']:,} | {case['microbatches']} x 2 | "
            f"{case['predicted']:.3f} s | {case['communication']:.3f} s | {case['measured']:.3f} s | "
            f"{100 * case['error']:+.0f} % |")
    lines += ["", (
        f"Largest error {100 * worst:.0f} %, target at most {100 * TOLERANCE:.0f} %: {'pass' if passed else 'FAIL'} "
        f"(medians of {options.rounds}). {simulated.describe(conditions)}.")]
    show("validation", lines)

if options.only != "validation" and not options.quick:
    results["plans"] = []
    lines = [
        "| network | computing an image | link | hosts with 90 % at 32 images | fastest step at 32 images | "
        "images for 90 % on 16 hosts | on 128 | on 1,024 |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for name, arguments in NETWORKS:
        with tempfile.NamedTemporaryFile() as parts:
            for gigabits in (1, 10, 25):
                simulated.say(f"plan: {name}, {gigabits} Gbit/s")
                answer = plan([*arguments, "--microbatches", 32, "--batch", 1], gigabits, pathlib.Path(parts.name))
                results["plans"].append({"network": name, "gigabits": gigabits, "plan": answer})
                steps = {step["hosts"]: step for step in answer["steps"]}
                efficient = max((step["hosts"] for step in steps.values() if step["efficiency"] >= 0.9), default=0)
                fastest = min(steps.values(), key=lambda step: step["seconds"])
                needed = [steps[hosts]["microbatches_for_90_percent"] for hosts in (16, 128, 1024)]
                lines.append(
                    f"| {name} | {answer['parts']['microbatch']:.2f} s | {gigabits} Gbit/s | {efficient} | "
                    f"{fastest['hosts']} hosts, {fastest['seconds']:.2f} s | "
                    + " | ".join("-" if images is None else f"{images:,}" for images in needed) + " |")
    lines += ["", f"{simulated.describe(conditions)}."]
    show("plans", lines)

simulated.keep(options.json, {**results, "pass": passed})
sys.exit(0 if passed else 1)
