#!/usr/bin/env bash
# Compresses the binarized test digits with a trained model and with general codecs; prints a Markdown table.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: Benchmarks/compression.sh MODEL [COUNT] [--document]

MODEL is a run's folder, such as runs/digits; COUNT test images (default 500) are compressed. The codecs get all of them
tiled into one sheet of two levels, 25 in a row, so that headers do not decide. Every result is decoded and compared.
With --document the table is also written into README.md.

The codecs are Debian's: apt-get install netpbm optipng zopfli webp libjxl-tools jbigkit-bin. Debian 12 has no encoder for
JBIG2: `jbig2` (https://github.com/agl/jbig2enc) is used if it is on the PATH, with jbig2dec to check it. JBIG1, which has
much the same model of a pixel's context, is always there.
TEXT
}

document=
words=()
for word in "$@"; do
  case $word in
    --document) document=1 ;;
    --help) usage && exit 0 ;;
    *) words+=("$word") ;;
  esac
done
[[ ${#words[@]} -ge 1 && ${#words[@]} -le 2 && ${words[0]} != -* ]] || {
  usage >&2
  exit 64
}
model=$(readlink -f "${words[0]}")
count=${words[1]:-500}
root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
lmconv="$root/.build/release/lmconv"

die() {
  printf 'compression.sh: %s\n' "$*" >&2
  exit 1
}

[[ -x $lmconv ]] || die "no $lmconv; run ./launch.sh setup first"
for tool in pngtopam pnmcat pgmtopbm ppmtopgm pnmtopng optipng zopflipng cwebp dwebp cjxl djxl pbmtojbg jbgtopbm python3; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
[[ -z ${missing-} ]] ||
  die "missing ${missing[*]}; run: apt-get install netpbm optipng zopfli webp libjxl-tools jbigkit-bin python3"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf 'compression.sh: %s\n' "$*" >&2; }

# --- The model --------------------------------------------------------------------------------------------------------

say "lmconv: $count digits"
"$lmconv" compress "$model" --split test --count "$count" --out "$work/digits.lmc" --json >"$work/summary.json"
"$lmconv" decompress "$model" "$work/digits.lmc" --verify test --out "$work/pictures" >&2

# --- The same images as one sheet -------------------------------------------------------------------------------------

say "codecs"
cd "$work"
for picture in pictures/*.png; do pngtopam "$picture" >"${picture%.png}.pgm"; done
printf '%s\n' pictures/*.pgm | split -l 25 - row.
for row in row.??; do
  mapfile -t pictures <"$row"
  pnmcat -lr "${pictures[@]}" >"$row.pgm"
done
pnmcat -tb row.??.pgm | pgmtopbm -threshold >sheet.pbm
pnmtopng -force sheet.pbm >plain.png 2>/dev/null

# same FILE: whether the PNM picture FILE is the sheet.
same() { cmp -s <(pgm "$1") <(pgm sheet.pbm); }
pgm() { pnmtopng -force "$1" 2>/dev/null | pngtopam | pgmtopbm -threshold; }

rows=()
row() { # name file decoded
  same "$3" || die "$1 did not give back the same sheet"
  rows+=("$(stat -c %s "$2")|$1")
}

optipng -quiet -o7 plain.png -out optipng.png
zopflipng -y --iterations=100 --filters=01234mepb plain.png zopfli.png >/dev/null
smaller=optipng.png
(($(stat -c %s zopfli.png) >= $(stat -c %s optipng.png))) || smaller=zopfli.png
pngtopam "$smaller" >png.pnm
row 'PNG (the smaller of optipng -o7 and zopflipng)' "$smaller" png.pnm
cwebp -quiet -lossless -z 9 -m 6 -exact plain.png -o sheet.webp
dwebp -quiet sheet.webp -o webp.png
pngtopam webp.png | ppmtopgm 2>/dev/null >webp.pnm
row 'WebP, lossless (cwebp -lossless -z 9)' sheet.webp webp.pnm
cjxl plain.png sheet.jxl -d 0 -e 9 -I 100 -g 3 2>/dev/null
djxl sheet.jxl jxl.pgm 2>/dev/null
row 'JPEG XL, lossless (cjxl -d 0 -e 9 -I 100 -g 3)' sheet.jxl jxl.pgm
pbmtojbg -q sheet.pbm sheet.jbg
jbgtopbm sheet.jbg jbg.pbm
row 'JBIG1 (pbmtojbg -q)' sheet.jbg jbg.pbm
if command -v jbig2 >/dev/null && command -v jbig2dec >/dev/null; then
  jbig2 plain.png >sheet.jb2 2>/dev/null
  jbig2dec -t pbm -o jb2.pbm sheet.jb2
  row 'JBIG2 (jbig2, generic region)' sheet.jb2 jb2.pbm
else
  say "no jbig2 and jbig2dec: JBIG2 is left out"
fi

# --- The table --------------------------------------------------------------------------------------------------------

dimensions=$((count * 28 * 28))
row_text() { awk -v n="$1" -v b="$2" -v d="$dimensions" 'BEGIN { printf "| %s | %d | %.4f |\n", n, b, 8 * b / d }'; }
{
  printf '| codec, %d binarized test digits | bytes | bits per pixel |\n|---|---:|---:|\n' "$count"
  row_text 'the pixels themselves' $(((dimensions + 7) / 8))
  printf '%s\n' "${rows[@]}" | sort -rn | while IFS='|' read -r bytes name; do row_text "$name" "$bytes"; done
  python3 - summary.json <<'PYTHON'
import json, sys

r = json.load(open(sys.argv[1]))
print(f"| **lmconv**, order {r['order']} | {r['bytes']} | {r['bits_per_dimension']:.4f} |")
print(f"\nThe model's likelihood is {r['likelihood_bits_per_dimension']:.4f} bits per pixel; header, checksums and coder add "
      f"{r['overhead_bits_per_dimension']:.4f}.")
PYTHON
} | tee table.md

[[ -z $document ]] || python3 - "$root/README.md" table.md <<'PYTHON'
import pathlib, sys

begin, end = "<!-- compression begin -->", "<!-- compression end -->"
readme = pathlib.Path(sys.argv[1])
before, rest = readme.read_text().split(begin)
table = pathlib.Path(sys.argv[2]).read_text().strip()
readme.write_text(f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}")
PYTHON
