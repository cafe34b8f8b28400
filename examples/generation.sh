#!/usr/bin/env bash
# Generation: new images under several orders, cooler ones, and how they come into being.
set -euo pipefail

usage="usage: examples/generation.sh [RUN [FOLDER]]: a trained run (default: runs/digits), and where pictures go"
run=${1:-runs/digits}
out=${2:-$run/examples/generation}
if (($# > 2)) || [[ $run == -* || $out == -* ]]; then echo "$usage" >&2 && exit 64; fi
[[ -x ./launch.sh ]] || { echo "generation.sh: call it in the folder of launch.sh" >&2 && exit 64; }
[[ -d $run ]] || { echo "generation.sh: no run $run; ./launch.sh trains runs/digits" >&2 && exit 64; }

# One row of pictures each: the same weights draw under any order.
for order in raster_scan s_curve gilbert2d random/0; do
  ./launch.sh sample "$run" --count 8 --order "$order" --seed 1 --out "$out/${order/\//-}.png"
done
# Below 1 the temperature favours what is probable.
./launch.sh sample "$run" --count 8 --temperature 0.7 --out "$out/cooler.png" --strip "$out/strip.png"
# For other programs: numpy.load gives uint8, [images, rows, columns(, channels)].
./launch.sh sample "$run" --count 32 --out "$out/samples.npy"

echo "$out: raster_scan.png, s_curve.png, gilbert2d.png, random-0.png, cooler.png, strip.png, samples.npy"
