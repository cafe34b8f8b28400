#!/usr/bin/env bash
# Completion: test images with halves, a box, and all but some pixels missing, completed several times.
set -euo pipefail

usage="usage: examples/completion.sh [RUN [FOLDER]]: a trained run (default: runs/digits), and where pictures go"
run=${1:-runs/digits}
out=${2:-$run/examples/completion}
if (($# > 2)) || [[ $run == -* || $out == -* ]]; then echo "$usage" >&2 && exit 64; fi
[[ -x ./launch.sh ]] || { echo "completion.sh: call it in the folder of launch.sh" >&2 && exit 64; }
[[ -d $run ]] || { echo "completion.sh: no run $run; ./launch.sh trains runs/digits" >&2 && exit 64; }

# Rows of a picture: what is observed, three completions, the truth.
for missing in top bottom left right center; do
  ./launch.sh complete "$run" --missing "$missing" --count 8 --samples 3 --out "$out/$missing.png"
done
# A box row,column,height,width, and how the missing pixels come into being.
./launch.sh complete "$run" --missing 4,4,8,8 --count 8 --samples 3 --out "$out/box.png" --strip "$out/strip.png"
# The other way round: two rows of pixels are all that is known.
./launch.sh complete "$run" --observed '6,0,1,28;14,0,1,28' --count 8 --samples 3 --out "$out/two-rows.png"
# How likely the true half is, given the other: nats and bits per dimension of the half alone.
./launch.sh evaluate "$run" --region bottom --images 100

echo "$out: top.png, bottom.png, left.png, right.png, center.png, box.png, strip.png, two-rows.png"
