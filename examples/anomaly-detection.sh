#!/usr/bin/env bash
# Anomaly detection: scores of test images against pictures that are not of their kind. Without PICTURES these are samples
# of the model at temperature 3, as a broken camera or a bad generator might give.
set -euo pipefail

usage="usage: examples/anomaly-detection.sh [RUN [PICTURES [FOLDER]]]: a trained run (default: runs/digits), a folder
of PNG files or a .npy array of the model's size, and where results go"
run=${1:-runs/digits}
pictures=${2-}
out=${3:-$run/examples/anomaly-detection}
if (($# > 3)) || [[ $run == -* || $pictures == -* || $out == -* ]]; then echo "$usage" >&2 && exit 64; fi
[[ -x ./launch.sh ]] || { echo "anomaly-detection.sh: call it in the folder of launch.sh" >&2 && exit 64; }
[[ -d $run ]] || { echo "anomaly-detection.sh: no run $run; ./launch.sh trains runs/digits" >&2 && exit 64; }

if [[ -z $pictures ]]; then
  pictures=$out/anomalies.npy
  ./launch.sh sample "$run" --count 100 --temperature 3 --out "$pictures"
fi
# Each score's area under the ROC curve: how often a picture scores above a test image. docs/scores.md explains them.
./launch.sh score "$run" --split test --count 100 --against "$pictures" --out "$out/scores.csv" \
  --histogram "$out/scores.png"

echo "$out: scores.csv of all images, scores.png with their histograms"
