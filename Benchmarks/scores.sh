#!/usr/bin/env bash
# Scores test digits against letters, textures and plain pages with a trained model; prints what `lmconv score` prints.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: Benchmarks/scores.sh MODEL [OUT]

MODEL is a run's folder of a model of the embedded digits, such as runs/digits. Letters are drawn with Debian's fonts and
textures cut from Debian's photographs (Benchmarks/scores-images.py), 500 of each; all are binarized as the digits are. A
background model for the likelihood ratio is trained on digits with noise (Ren et al. 2019), once, as long as the default
run. OUT (default: scores) gets the images, that run, scores.csv, scores.json and the histograms scores.png.

Needs: apt-get install python3-pil python3-numpy fonts-dejavu-core fonts-dejavu-extra fonts-liberation2 mate-backgrounds
TEXT
}

[[ $# -ge 1 && $# -le 2 && $1 != --help ]] || {
  usage
  [[ ${1-} == --help ]] && exit 0 || exit 64
}
model=$1
out=${2:-scores}
root=$(readlink -f "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..")
lmconv="$root/.build/release/lmconv"

die() {
  printf 'scores.sh: %s\n' "$*" >&2
  exit 1
}

[[ -x $lmconv ]] || die "no $lmconv; run ./launch.sh setup first"
# Debian's own: its packages are not those of another Python on the PATH.
python=/usr/bin/python3
"$python" -c 'import PIL, numpy' 2>/dev/null || die "missing packages; run: apt-get install python3-pil python3-numpy"
mkdir -p "$out"

"$python" "$root/Benchmarks/scores-images.py" "$root/Sources/Datasets/Resources/digits" "$out"
if [[ ! -e $out/background/checkpoints/step-00001000 ]]; then
  "$root/launch.sh" train --run-dir "$out/background" --set name=background --set data.set=mnist \
    --set "data.folder=$(readlink -f "$out/noisy")" >&2
fi
model=$(readlink -f "$model")
(
  # Groups are called by their files.
  cd "$out"
  "$lmconv" score "$model" --split test --against letters.npy --against textures.npy --against blank.npy \
    --background background --typical-images 0 --out scores.csv --histogram scores.png --json >scores.json
)

"$python" - "$out/scores.json" <<'PYTHON'
import json, sys

result = json.load(open(sys.argv[1]))
measures = ["bpd", "typicality", "complexity_corrected", "likelihood_ratio"]
print("| images | " + " | ".join(measures) + " |\n|---|" + "---:|" * len(measures))
for group in result["groups"]:
    name = group["name"].removesuffix(".npy")
    print(f"| {name}, mean | " + " | ".join(f"{group['means'][m]:.4f}" for m in measures) + " |")
for group in result["groups"]:
    if group["anomalous"]:
        name = group["name"].removesuffix(".npy")
        areas = [group["area_under_roc"][m] for m in measures]
        print(f"| **{name}**, AUROC | " + " | ".join(f"{a['value']:.3f} ± {a['standard_error']:.3f}" for a in areas) + " |")
PYTHON
