#!/usr/bin/env bash
# Training on pictures of your own: looks at them, trains a small model, evaluates it, generates and completes.
# docs/tutorial.md goes through the same steps one by one.
set -euo pipefail

usage="usage: examples/own-pictures.sh FOLDER [SIZE [STEPS]]: a folder of PNG and JPEG files or NumPy arrays, the side that
their middle is scaled to (default: 32), and training steps (default: 2000)"
pictures=${1-}
size=${2:-32}
steps=${3:-2000}
if (($# < 1 || $# > 3)) || [[ $pictures == -* || ! $size =~ ^[1-9][0-9]*$ || ! $steps =~ ^[1-9][0-9]*$ ]]; then
  echo "$usage" >&2 && exit 64
fi
[[ -x ./launch.sh ]] || { echo "own-pictures.sh: call it in the folder of launch.sh" >&2 && exit 64; }
[[ -e $pictures ]] || { echo "own-pictures.sh: nothing at $pictures" >&2 && exit 64; }

run=runs/own-pictures
mkdir -p "$run"
# Colours of 32 levels; the rest of the configuration has its defaults, those of the digits.
cat >"$run/own-pictures.yaml" <<TEXT
name: own-pictures
data:
  set: folder
  folder: "$pictures"
  size: $size
  channels: 3
  bits: 5
  binarize: none
  flip: true
model:
  distribution: logistic_mixture
training:
  steps: $steps
TEXT

# What training will see, bad files by name, then what it will take.
./launch.sh data info "$run/own-pictures.yaml" --out "$run/pictures/grid.png"
./launch.sh train --config "$run/own-pictures.yaml" --run-dir "$run" --dry-run
# Interrupt it when you like: the same command goes on.
./launch.sh train --config "$run/own-pictures.yaml" --run-dir "$run"
./launch.sh evaluate "$run"
./launch.sh sample "$run" --count 16 --out "$run/pictures/samples.png"
./launch.sh complete "$run" --missing bottom --count 2 --samples 6 --out "$run/pictures/completions.png"
./launch.sh report "$run"

echo "$run: pictures/grid.png, samples.png, completions.png, and report.html"
