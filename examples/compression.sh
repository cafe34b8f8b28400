#!/usr/bin/env bash
# Compression: test images into one file without loss, and back, compared bit by bit.
set -euo pipefail

usage="usage: examples/compression.sh [RUN [FOLDER]]: a trained run (default: runs/digits), and where files go"
run=${1:-runs/digits}
out=${2:-$run/examples/compression}
if (($# > 2)) || [[ $run == -* || $out == -* ]]; then echo "$usage" >&2 && exit 64; fi
[[ -x ./launch.sh ]] || { echo "compression.sh: call it in the folder of launch.sh" >&2 && exit 64; }
[[ -d $run ]] || { echo "compression.sh: no run $run; ./launch.sh trains runs/digits" >&2 && exit 64; }

# Prints the bytes, and how many of them are the model's likelihood.
./launch.sh compress "$run" --split test --count 100 --out "$out/test.lmc"
# The same images as PNG files, compared with the data set.
./launch.sh decompress "$run" "$out/test.lmc" --verify test --out "$out/pictures"
# Pictures in files are compressed in the same way.
./launch.sh compress "$run" "$out/pictures" --out "$out/pictures.lmc"

echo "$out: test.lmc and pictures.lmc of $(stat --format %s "$out/test.lmc" "$out/pictures.lmc" | xargs) bytes," \
  "$(du --apparent-size --bytes --summarize "$out/pictures" | cut -f 1) bytes of PNG files in pictures/"
