#!/usr/bin/env bash
# Tests of launch.sh with stand-ins for swift, mpirun, apt-get and lmconv; takes a few seconds. One test at the end uses
# the real mpirun. Prints what failed and a count; the exit code is 0 only when all passed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sandbox=$(mktemp -d)
trap 'rm -rf "$sandbox"' EXIT
chmod 755 "$sandbox"
passed=0
failed=0
real_path=$PATH

# --- Stand-ins --------------------------------------------------------------------------------------------------------

# A copy of the project with launch.sh alone, and only these tools on the PATH.
project="$sandbox/project"
mkdir -p "$project/Sources" "$project/Tests" "$sandbox/bin" "$sandbox/elsewhere"
cp "$here/launch.sh" "$project/"
touch "$project/Package.swift" "$sandbox/calls"
for tool in awk basename bash cat chmod cp cut dirname env find grep id kill lscpu mkdir mktemp mv nproc readlink rm \
  setsid sleep sort touch wc; do
  ln -s "$(command -v $tool)" "$sandbox/bin/$tool"
done

stand_in() {
  {
    echo '#!/usr/bin/env bash'
    cat
  } >"$sandbox/bin/$1"
  chmod 755 "$sandbox/bin/$1"
}

stand_in pkg-config <<'TEXT'
[[ " ${MISSING-} " != *" $2 "* ]]
TEXT
stand_in swift <<'TEXT'
echo "swift $*" >>"$CALLS"
[[ -z ${SWIFT_FAILS-} ]] || exit 1
case $1 in
  build)
    mkdir -p "$PROJECT/.build/release"
    cp "$FAKES/fake-lmconv" "$PROJECT/.build/release/lmconv"
    ;;
  test) echo "${SWIFT_TEST_PRINTS-Test run with 3 tests passed}"; exit "${SWIFT_TEST_CODE-0}" ;;
esac
TEXT
# Runs the command once and passes SIGUSR1 on, as mpirun does; SIGTERM ends it.
stand_in mpirun <<'TEXT'
echo "mpirun $*" >>"$CALLS"
while [[ $1 != */lmconv ]]; do shift; done
"$@" & child=$!
trap 'kill -USR1 $child' USR1
trap 'kill -KILL $child; exit 1' TERM
code=0
until wait $child && code=0 || { code=$?; ! kill -0 $child 2>/dev/null; }; do :; done
wait $child || code=$?
exit $code
TEXT
# Notes how it was called, then ends with the codes of CODES, one a call; or waits for SIGUSR1 and ends with 75.
stand_in fake-lmconv <<'TEXT'
echo "lmconv $* (in $PWD, threads ${OPENBLAS_NUM_THREADS-unset})" >>"$CALLS"
if [[ -n ${WAITS-} ]]; then
  if [[ $WAITS == stubborn ]]; then trap 'echo "asked to stop" >>"$CALLS"' USR1; else
    trap 'sleep 0.3; echo "saved" >>"$CALLS"; exit 75' USR1
  fi
  touch "$SANDBOX/ready"
  while :; do sleep 0.05; done
fi
call=$(grep -c '^lmconv ' "$CALLS")
exit "$(cut -d' ' -f"$call" <<<"${CODES-} 0 0 0 0 0 0" | grep . || echo 0)"
TEXT

export CALLS="$sandbox/calls" PROJECT="$project" FAKES="$sandbox/bin" SANDBOX="$sandbox"

# launch ARGUMENTS...: runs launch.sh from another folder; sets `output` (both streams) and `code`.
launch() {
  : >"$CALLS"
  code=0
  output=$(cd "$sandbox/elsewhere" && PATH="$sandbox/bin" "$project/launch.sh" "$@" 2>&1 </dev/null) || code=$?
}

expect() { # NAME CONDITION...: counts a condition, a command; shows the last run if it does not hold.
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not so: %s\n  condition: %s\n  exit code: %s\n  output: %s\n  calls: %s\n' \
      "$name" "$*" "$code" "$output" "$(<"$CALLS")"
  fi
}

exits_with() { ((code == $1)); }
says() { [[ $output == *"$1"* ]]; }
called() { grep -qF -- "$1" "$CALLS"; }
never_called() { ! called "$1"; }
called_times() { (($(grep -cF -- "$1" "$CALLS") == $2)); }

# --- Setting up and building ------------------------------------------------------------------------------------------

launch info runs/x --json
expect "the first run builds" called "swift build --package-path $project -c release --product lmconv"
expect "info runs without mpirun" never_called mpirun
expect "arguments and the caller's folder are kept" called "lmconv info runs/x --json (in $sandbox/elsewhere,"
expect "success is 0" exits_with 0

launch info
expect "nothing is built again" never_called swift
sleep 0.01
touch "$project/Sources/new.swift"
launch info
expect "a newer source is built" called "swift build"
LMCONV_BASELINE=1 launch info
expect "other build settings are built" called "swift build"

touch "$project/Sources/new.swift"
SWIFT_FAILS=1 launch info
expect "a build that does not succeed ends it" exits_with 1
expect "and says so" says "the build did not succeed, see above"
launch info
expect "and is tried again" called "swift build"

touch "$project/Sources/new.swift"
MISSING="ompi-c libpng" launch info
expect "without apt-get the missing packages are named" says \
  "missing: libopenmpi-dev libpng-dev; this system has no apt-get"
expect "without apt-get the exit code is 1" exits_with 1

stand_in apt-get <<'TEXT'
echo "apt-get $*" >>"$CALLS"
[[ -z ${APT_FAILS-} ]] || exit 100
TEXT
as_nobody() {
  : >"$CALLS"
  chmod 666 "$CALLS"
  code=0
  output=$(cd / && PATH="$sandbox/bin" "$(PATH=$real_path command -v setpriv)" --reuid 65534 --regid 65534 \
    --clear-groups "$project/launch.sh" setup 2>&1 </dev/null) || code=$?
}
if ((EUID == 0)); then
  MISSING="ompi-c libpng" launch info
  expect "root installs" called "apt-get install -y --no-install-recommends libopenmpi-dev libpng-dev"
  expect "root updates the lists first" called "apt-get update"
  expect "what is installed is said before" says "installing them: apt-get update && apt-get install -y"
  touch "$project/Sources/new.swift"
  APT_FAILS=1 MISSING="zlib" launch info
  expect "an installation that does not succeed ends it" exits_with 1
  expect "and gives the command" says "the command was: apt-get update && apt-get install -y"
  MISSING="zlib" as_nobody
  expect "without sudo the exact command is printed" says \
    "run this first: sudo apt-get update && sudo apt-get install -y --no-install-recommends zlib1g-dev"
  expect "without sudo nothing is installed" never_called apt-get
  expect "without sudo the exit code is 1" exits_with 1
fi
stand_in sudo <<'TEXT'
echo "sudo $*" >>"$CALLS"
[[ $1 == -n && -n ${PASSWORD-} ]] && exit 1
[[ $1 != -n ]] || shift
"$@"
TEXT
if ((EUID == 0)); then
  PASSWORD=1 MISSING="zlib" as_nobody
  expect "sudo is not asked for a password without a terminal" says "run this first: sudo apt-get update"
  MISSING="zlib" as_nobody
  expect "sudo without a password installs" called "apt-get install -y --no-install-recommends zlib1g-dev"
fi

mv "$sandbox/bin/swift" "$sandbox/swift"
touch "$project/Sources/new.swift"
launch info
expect "a missing swift is named with where to get it" says "install Swift 6.1 or later from https://www.swift.org/install"
mv "$sandbox/swift" "$sandbox/bin/swift"
launch setup

# --- Running under mpirun ---------------------------------------------------------------------------------------------

cores=$(env -u OMP_NUM_THREADS nproc)
launch train --config c.yaml --ranks 1 --run-dir r
expect "own options are taken out, others kept in order" called "lmconv train --config c.yaml --run-dir r (in"
expect "one thread of BLAS a rank" called "threads 1)"
expect "ranks are passed on" called "-n 1 "
launch evaluate r --ranks=$((cores + 1))
expect "more ranks than cores are oversubscribed, unbound" called "--oversubscribe --bind-to none -n $((cores + 1)) "
OMP_NUM_THREADS=1 launch sample
expect "threads of the surroundings do not count as cores" called "-n $cores "
expect "the default is bound to cores" called "mpirun --bind-to core -n "
echo "host-a slots=2" >"$sandbox/elsewhere/hosts"
LMCONV_FIXTURES=f launch complete --hosts hosts
expect "a host file gives the ranks" called "mpirun --hostfile hosts -x OPENBLAS_NUM_THREADS"
expect "variables of lmconv are forwarded" called "-x LMCONV_FIXTURES"
SLURM_JOB_ID=5 launch train
expect "Slurm gives the ranks and the hosts" called "mpirun -x OPENBLAS"
launch train --help
expect "help of a command runs directly" called "lmconv train --help"
expect "help of a command needs no mpirun" never_called mpirun

for wrong in "--ranks 0" "--ranks x" "--ranks -1" "--ranks 08" "--restarts 1.5"; do
  # shellcheck disable=SC2086  # two words
  launch train $wrong
  expect "$wrong is refused" says "needs a whole number of at least"
  expect "$wrong is an error" exits_with 1
done
launch train --hosts no-such-file
expect "an unreadable host file is named" says "--hosts: cannot read the host file 'no-such-file'"
launch train --ranks
expect "an option without its value is named" says "--ranks needs a value"
launch --ranks 2
expect "an option without a command is refused" says "'--ranks' is an option, a command must come first"
expect "and is an error" exits_with 1
mv "$sandbox/bin/mpirun" "$sandbox/mpirun"
launch train
expect "a missing mpirun is named" says "mpirun is not on the PATH: run ./launch.sh setup"
mv "$sandbox/mpirun" "$sandbox/bin/mpirun"

# --- Exit codes and restarts ------------------------------------------------------------------------------------------

CODES="9" launch train
expect "the job's code is returned" exits_with 9
CODES="9 137" launch train --restarts 3 --restart-delay 0
expect "failures are restarted until it ends well" called_times "lmconv train (in" 3
expect "and then the code is 0" exits_with 0
expect "each restart is announced" says "the job ended with code 137; restart 2 of 3 in 0 s"
CODES="9 8 7" launch train --restarts 2 --restart-delay 0
expect "restarts are limited" called_times "lmconv train (in" 3
expect "and the last code is returned" exits_with 7
for final in 64 75; do
  CODES="$final" launch train --restarts 5 --restart-delay 0
  expect "code $final is not restarted" called_times "lmconv train (in" 1
  expect "code $final is returned" exits_with $final
done

# --- Signals ----------------------------------------------------------------------------------------------------------

# interrupt KIND SIGNAL...: starts a job that waits, and sends the signals half a second apart.
interrupt() {
  : >"$CALLS"
  rm -f "$sandbox/ready"
  WAITS=$1 PATH="$sandbox/bin" "$project/launch.sh" train --ranks 1 --restarts 3 --restart-delay 0 \
    >"$sandbox/output" 2>&1 </dev/null &
  local launched=$!
  shift
  for _ in {1..200}; do if [[ -e $sandbox/ready ]]; then break; else sleep 0.05; fi; done
  while (($# > 0)); do
    kill -"$1" "$launched" || true
    shift
    if (($# > 0)); then sleep 0.5; fi
  done
  code=0
  wait "$launched" || code=$?
  output=$(<"$sandbox/output")
}

# Background commands of a script ignore SIGINT, so it takes job control to send one.
set -m
for signal in INT TERM HUP USR1; do
  interrupt patient "$signal"
  expect "$signal lets the job save" called saved
  expect "$signal returns the job's code" exits_with 75
  expect "$signal is not followed by a restart" called_times "lmconv train (in" 1
done
interrupt stubborn TERM TERM
expect "a second signal ends a job that does not stop" exits_with 1
expect "which was asked first" called_times "asked to stop" 1
set +m

# --- The whole demonstration and the tests ----------------------------------------------------------------------------

mkdir -p "$project/runs/digits/checkpoints/step-00000010" "$project/runs/digits/checkpoints/step-00000200"
launch
expect "digits are trained" called "lmconv train --config configurations/digits.yaml --run-dir runs/digits (in $project,"
expect "then evaluated" called "lmconv evaluate runs/digits (in"
expect "then completed" called \
  "lmconv complete runs/digits --missing bottom --count 16 --out runs/digits/pictures/completions.png (in"
expect "the model is named" says "newest: step-00000200"
expect "the metrics are named" says "$project/runs/digits/metrics.jsonl"
expect "the pictures are named" says "$project/runs/digits/pictures/completions.png"
CODES="0 4" launch
expect "a part that does not succeed ends it" exits_with 4
expect "with nothing after it" never_called "lmconv complete"
CODES="75" launch
expect "an interrupted training is not evaluated" never_called "lmconv evaluate"
expect "and says how to go on" says "./launch.sh goes on from the last checkpoint"

launch test --filter Some
expect "tests are built in release" called "swift build -c release --build-tests"
expect "arguments are passed to swift test" called "swift test -c release --skip-build --disable-xctest --filter Some"
expect "passing tests are 0" exits_with 0
SWIFT_TEST_CODE=1 launch test --filter Some
expect "the tests' code is returned" exits_with 1
SWIFT_TEST_PRINTS="Test run with 0 tests in 0 suites passed" launch test --filter None
expect "no test at all is an error" exits_with 1
expect "that is explained" says "no test was run"

# --- With the real mpirun ---------------------------------------------------------------------------------------------

if real_mpirun=$(PATH=$real_path command -v mpirun); then
  rm "$sandbox/bin/mpirun"
  ln -s "$real_mpirun" "$sandbox/bin/mpirun"
  # Open MPI looks for ssh even when it needs none.
  export OMPI_MCA_plm=isolated
  set -m
  interrupt patient INT
  set +m
  expect "the real mpirun passes the request on" called saved
  expect "and the code back" exits_with 75
  CODES="9" launch train --ranks 1
  expect "the real mpirun returns a failure's code" exits_with 9
fi

echo "launch.sh: $passed passed, $failed failed"
((failed == 0))
