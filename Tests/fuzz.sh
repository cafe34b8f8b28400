#!/usr/bin/env bash
# Feeds the parsers of everything that comes from outside with what libFuzzer makes of valid files, under AddressSanitizer:
# RUNS inputs each (default 110000, together more than a million; fewer for the slow ones), at most 10 seconds an input
# and 1 GB of memory. Ends with 1 at the first crash, and says in which file under .build-fuzz/ the input is.
# LMCONV_FUZZ_SEED repeats a run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${1:-110000}
seed=${LMCONV_FUZZ_SEED:-$RANDOM}
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
library="$resources/clang/lib/linux/libclang_rt.fuzzer_no_main-$(uname -m).a"
if [[ ! -r $library ]]; then
  echo "fuzz.sh: this toolchain has no libFuzzer: $library is missing" >&2
  exit 1
fi
export LMCONV_LIBFUZZER=$library
build=(swift build -c release --scratch-path .build-fuzz --sanitize address --product ParserFuzzer)
# What tells libFuzzer that an input reached something new, in Swift and in C.
coverage=edge,inline-8bit-counters,pc-table,trace-cmp
"${build[@]}" -Xswiftc "-sanitize-coverage=$coverage" -Xcc "-fsanitize-coverage=$coverage"
fuzzer=$("${build[@]}" --show-bin-path)/ParserFuzzer

# Freed memory is kept for a while, to tell who uses it; a little of it counts towards the limit.
export ASAN_OPTIONS=quarantine_size_mb=16:detect_leaks=0:allocator_may_return_null=1 OPENBLAS_NUM_THREADS=1
work=$(pwd)/.build-fuzz/inputs
total=0
for parser in idx-images idx-labels gzip cifar png jpeg npy npz packed records example region safetensors checkpoint configuration override order \
  compressed chunk; do
  rm -rf "${work:?}/$parser"
  mkdir -p "$work/$parser/corpus"
  "$fuzzer" "$parser" --write-seeds "$work/$parser/corpus"
  limit=$runs
  case $parser in
    # Misspelt keys are compared with all that there are.
    configuration | override) limit=$((runs / 4)) ;;
    # Each input is written to a file.
    packed) limit=$((runs / 4)) ;;
    # Each input is decoded with a network.
    chunk) limit=$((runs / 40)) ;;
  esac
  log="$work/$parser/log"
  before=$SECONDS
  if ! "$fuzzer" "$parser" -runs="$limit" -seed="$seed" -timeout=10 -rss_limit_mb=1024 -max_len=8192 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="$work/$parser/" "$work/$parser/corpus" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "fuzz.sh: $parser, seed $seed: see $log and the input beside it" >&2
    exit 1
  fi
  awk -v parser="$parser" -v seconds="$((SECONDS - before))" '
    /number_of_executed_units/ { inputs = $2 }
    /new_units_added/ { added = $2 }
    /peak_rss_mb/ { memory = $2 }
    END {
      printf "%-14s %8d inputs in %4d s, %5d of them new to the parser, at most %4d MB\n",
        parser, inputs, seconds, added, memory
    }' "$log"
  total=$((total + limit))
done
echo "$total inputs, seed $seed: no crash, no hang, no more than 1 GB"
