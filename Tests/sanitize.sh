#!/usr/bin/env bash
# Runs the unit tests under AddressSanitizer (with LeakSanitizer) or under ThreadSanitizer: see usage below.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: Tests/sanitize.sh address|thread [FILTER]

Builds the tests for the sanitizer into .build-address or .build-thread and runs those of the modules; FILTER, a regular
expression, chooses among those that do not run under mpirun. Ends with 0 only if the sanitizer reports nothing; what is
suppressed stands in Tests/suppressions, with the reason.

Tests of the program itself start other processes, whose memory and threads are those of the modules; they run without.
Ranks under mpirun are checked for wrong uses of memory, but not for leaks: Open MPI has plenty, most of them in modules that
it unloads before the check, so that they cannot be told from others.
TEXT
}

kind=${1-}
case $kind in
  address | thread) ;;
  -h | --help)
    usage
    exit
    ;;
  *)
    usage >&2
    exit 64
    ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where a test judges what a sanitizer changes, as the memory of a process, it asks for this.
export LMCONV_SANITIZER=$kind
# Sanitizers name functions by the symbolizer of the toolchain.
symbolizer=$(dirname "$(readlink -f "$(command -v swift)")")/llvm-symbolizer
export OPENBLAS_NUM_THREADS=1
export ASAN_OPTIONS=external_symbolizer_path=$symbolizer:detect_stack_use_after_return=1:strict_string_checks=1
export TSAN_OPTIONS=external_symbolizer_path=$symbolizer:history_size=4:suppressions=$PWD/Tests/suppressions/thread.txt

options=(-c release --scratch-path ".build-$kind" --sanitize "$kind")
under_mpirun='^CollectivesTests\.(ManyRanksTests|WatchdogTests)'

# check OPTION...: runs tests, one after the other: each has threads of its own, and a report then belongs to one.
check() {
  swift test --skip-build --disable-xctest --no-parallel "${options[@]}" "$@" | awk '
    { print; fflush() }
    /Test run with 0 tests/ { none = 1 }
    END { if (none) { print "sanitize.sh: no test was run: none matches" >"/dev/stderr"; exit 1 } }'
}

chosen=()
if (($# > 1)); then chosen=(--filter "$2"); fi
swift build --build-tests "${options[@]}"
check --skip '^(CommandTests|EndToEndTests|FaultTests)\.' --skip "$under_mpirun" "${chosen[@]}"
# Open MPI's own threads would need a build of it for ThreadSanitizer.
if [[ $kind == address && $# == 1 ]]; then
  ASAN_OPTIONS+=:detect_leaks=0
  check --filter "$under_mpirun"
fi
echo "sanitize.sh: nothing is reported by the $kind sanitizer"
