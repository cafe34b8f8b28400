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
for tool in awk basename bash cat chmod cp cut dirname env find getconf grep gzip id kill ln lscpu mkdir mktemp mv nproc readlink \
  rm sed setsid sha256sum sleep sort tail timeout touch wc; do
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
echo "LMCONV_BUILD=${LMCONV_BUILD-}" >>"$CALLS"
[[ -z ${SWIFT_FAILS-} ]] || exit 1
case $1 in
  build)
    release=$PROJECT/.build/release
    if [[ $* == *.build-install* ]]; then release=$PROJECT/.build-install/release; fi
    mkdir -p "$release/lmconv_Datasets.resources"
    cp "$FAKES/fake-lmconv" "$release/lmconv"
    cp "$FAKES/fake-manual" "$release/generate-manual"
    ;;
  --version) echo "Swift version 6.5.4 (swift-6.5.4-RELEASE)" ;;
  test) echo "${SWIFT_TEST_PRINTS-Test run with 3 tests passed}"; exit "${SWIFT_TEST_CODE-0}" ;;
esac
TEXT
# Runs the command once and passes SIGUSR1 on, as mpirun does; SIGINT ends it.
stand_in mpirun <<'TEXT'
[[ $1 != --version ]] || { echo "mpirun (Open MPI) ${FAKE_MPI-4.1.4}" && exit; }
echo "mpirun $*" >>"$CALLS"
while [[ $1 != */lmconv ]]; do shift; done
"$@" & child=$!
trap 'kill -USR1 $child' USR1
trap 'kill -KILL $child; exit 1' INT
code=0
until wait $child && code=0 || { code=$?; ! kill -0 $child 2>/dev/null; }; do :; done
wait $child || code=$?
exit $code
TEXT
# Notes how it was called, then ends with the codes of CODES, one a call; or waits for SIGUSR1 and ends with 75. LEAVES has,
# for each call, what it leaves in the run's folder: STEP:REASON for a failure, STEP for a step, +STEP for a step that is
# saved, - for nothing.
stand_in fake-lmconv <<'TEXT'
case " $* " in
  *' --fingerprint '*)
    echo "fingerprint $*" >>"$CALLS"
    [[ -z ${REFUSES-} ]] || { echo "lmconv: error: it is refused" >&2 && exit 64; }
    printf '%s\n' "run_folder $SANDBOX/run" "configuration 1" "data ${FAKE_DATA-5}"
    exit
    ;;
  *' --version '*) echo 1 && exit ;;
esac
echo "lmconv $* (in $PWD, threads ${OPENBLAS_NUM_THREADS-unset})" >>"$CALLS"
if [[ -n ${WAITS-} ]]; then
  if [[ $WAITS == stubborn ]]; then trap 'echo "asked to stop" >>"$CALLS"' USR1; else
    trap 'sleep 0.3; echo "saved" >>"$CALLS"; exit 75' USR1
  fi
  touch "$SANDBOX/ready"
  while :; do sleep 0.05; done
fi
call=$(grep -c '^lmconv ' "$CALLS")
left=$(cut -d' ' -f"$call" <<<"${LEAVES-} - - - -")
case $left in
  *:*) printf '{\n  "host" : "node-a",\n  "message" : "it is \\"%s\\"",\n  "rank" : 3,\n  "reason" : "%s",\n  "step" : %s,\n  "time" : "2"\n}\n' \
    "${left#*:}" "${left#*:}" "${left%:*}" >"$SANDBOX/run/failure.json" ;;
  [0-9]*) printf '%20s\n' "$left" >"$SANDBOX/run/step.txt" ;;
  +*)
    touch "$SANDBOX/run/config.yaml"
    sleep 0.02
    mkdir -p "$SANDBOX/run/checkpoints/step-0000$left"
    printf '%20s\n' "$left" >"$SANDBOX/run/step.txt"
    ;;
esac
exit "$(cut -d' ' -f"$call" <<<"${CODES-} 0 0 0 0 0 0" | grep . || echo 0)"
TEXT

stand_in fake-manual <<'TEXT'
echo "manual $*" >>"$CALLS"
while [[ $1 != --output-directory ]]; do shift; done
echo ".Sh NAME" >"$2/lmconv.train.1"
TEXT

# Reaches hosts that are this machine with something else about them.
stand_in fake-ssh <<'TEXT'
echo "ssh $*" >>"$CALLS"
case $1 in
  dead*) echo "ssh: connect to host $1 port 22: No route to host" >&2; exit 255 ;;
  slow) exit 124 ;;
  cut-off) head -c 0; echo "same build of lmconv|0"; exit 0 ;;
  other-data) export FAKE_DATA=6 ;;
  other-mpi) export FAKE_MPI=5.0.1 ;;
  full) export FAKE_FREE=3 ;;
  refuses) export REFUSES=1 ;;
  without-mpi) PATH=$SANDBOX/without-mpi ;;
  flaps) if [[ -e $SANDBOX/flapped ]]; then exit 255; fi ;;
esac
shift
exec "$@"
TEXT
stand_in df <<'TEXT'
printf 'Filesystem 1M-blocks Used Available Use%% Mounted\nx 1 1 %s 1%% /\n' "${FAKE_FREE-5000}"
TEXT
mkdir "$sandbox/without-mpi" "$sandbox/run"
ln -s "$sandbox/bin/"{bash,awk,sha256sum,getconf} "$sandbox/without-mpi/"

stand_in python3 <<'TEXT'
echo "python3 $*" >>"$CALLS"
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
never_says() { [[ $output != *"$1"* ]]; }
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

expect "the build is told what it is" called "LMCONV_BUILD=no commit, Swift 6.5.4"
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

# --- Installing -------------------------------------------------------------------------------------------------------

mkdir -p "$project"/{Tools,configurations,docs}
touch "$project"/{README.md,CHANGELOG.md,LICENSE,Tools/read_run.py,configurations/digits.yaml,docs/orders.md}
launch install
expect "an installation needs a place" says "install needs --prefix with an absolute folder"
expect "and ends without" exits_with 1
launch install --prefix relative
expect "a relative place is refused" says "install needs --prefix with an absolute folder"
launch install --prefix
expect "a missing value is told" says "--prefix needs a folder"
launch install --prefix /usr --colour red
expect "an unknown option is told" says "install: unknown option '--colour'"
launch install --prefix /proc/none
expect "a place that cannot be written is told" says "install: cannot write to /proc/none"
stand_in curl-config <<<''
launch install --prefix=/usr --destdir "$sandbox/package"
expect "an installation succeeds" exits_with 0
expect "with Swift's libraries inside" called "--static-swift-stdlib"
for file in bin/lmconv bin/lmconv-launch lib/lmconv/lmconv_Datasets.resources lib/lmconv/Tools/read_run.py \
  lib/lmconv/configurations/digits.yaml share/man/man1/lmconv.train.1.gz share/doc/lmconv/docs/orders.md \
  share/bash-completion/completions/lmconv share/zsh/site-functions/_lmconv share/fish/vendor_completions.d/lmconv.fish; do
  expect "$file is installed" test -e "$sandbox/package/usr/$file"
done

# launch_installed ARGUMENTS...: the same as launch, of the installed copy.
launch_installed() {
  : >"$CALLS"
  code=0
  output=$(cd "$sandbox/elsewhere" && PATH="$sandbox/bin" "$sandbox/package/usr/bin/lmconv-launch" "$@" 2>&1 </dev/null) ||
    code=$?
}

launch_installed train --ranks 2 --run-dir runs/x
expect "the installed copy trains" called "lmconv train --run-dir runs/x (in $sandbox/elsewhere,"
expect "with the installed program" called "$sandbox/package/usr/lib/lmconv/lmconv train"
expect "and builds nothing" never_called swift
launch_installed
expect "its demonstration is where it is called" called \
  "--config $sandbox/package/usr/lib/lmconv/configurations/digits.yaml --run-dir runs/digits (in $sandbox/elsewhere,"
launch_installed test
expect "it has nothing to test" says "this is an installed copy: it has no sources to build or test"
rm -rf "$sandbox/elsewhere/runs" "$sandbox/package"

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
OMPI_MCA_plm_rsh_agent=fake-ssh LMCONV_FIXTURES=f launch complete --hosts hosts
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

# --- Hosts that are not fit ---------------------------------------------------------------------------------------------

export OMPI_MCA_plm_rsh_agent="fake-ssh"
# hosts NAME...: a host file with two slots each.
hosts() { printf '%s slots=2\n' "$@" >"$sandbox/elsewhere/hosts"; }

hosts host-a host-b
launch train --hosts hosts --config c.yaml
expect "all hosts are asked" called "ssh host-b bash"
expect "fit hosts are used as they are" called "mpirun --hostfile hosts -x"
expect "hosts compare the data" called "fingerprint train --config c.yaml --fingerprint"
expect "and the job runs once" called_times "lmconv train --config c.yaml (in" 1

for fault in "dead:cannot be reached: ssh: connect to host dead port 22: No route to host" \
  "slow:no answer within 120 s" \
  "cut-off:cannot be reached" \
  "other-data:another data than this machine: 6, expected 5" \
  "other-mpi:another Open MPI than this machine: mpirun (Open MPI) 5.0.1, expected mpirun (Open MPI) 4.1.4" \
  "full:only 3 MB are free in /tmp, 512 are needed (--free-disk)" \
  "refuses:lmconv does not start: lmconv: error: it is refused" \
  "without-mpi:mpirun is not on the PATH of commands over ssh"; do
  hosts host-a "${fault%%:*}"
  TMPDIR=/tmp launch train --hosts hosts --restarts 3
  expect "a host with a fault is named with it" says "launch.sh: host ${fault%%:*}: ${fault#*:}"
  expect "and how many" says "1 of 2 hosts are not fit; mend them, or pass --drop-dead-hosts to go on without"
  expect "the fit host is not named" never_says "host host-a"
  expect "nothing is started" never_called "lmconv train (in"
  expect "and the code says so" exits_with 69
done
launch evaluate r --hosts hosts
expect "other commands do not need the data" never_called fingerprint
hosts full
launch train --hosts hosts --free-disk 2
expect "the free disk that is needed can be given" exits_with 0

hosts dead-1 host-a dead-2
launch train --hosts hosts --drop-dead-hosts --ranks 6
expect "dead hosts are left out on demand" says "going on without dead-1 dead-2"
expect "the others' slots limit the ranks" called "-n 2 "
expect "and the job runs" exits_with 0
hosts dead-1 dead-2
launch train --hosts hosts --drop-dead-hosts
expect "without any host nothing is started" says "no host of hosts is left"
expect "which has the code of hosts" exits_with 69
printf '# nothing\n' >"$sandbox/elsewhere/hosts"
launch train --hosts hosts
expect "a file without hosts is an error" exits_with 69

# The job fails, and so does a host: the first attempt is the only one with it.
rm -f "$sandbox/flapped"
hosts host-a flaps
stand_in flapping-lmconv <<'TEXT'
[[ " $* " == *" --fingerprint "* ]] || touch "$SANDBOX/flapped"
exec "$SANDBOX/bin/fake-lmconv" "$@"
TEXT
cp "$sandbox/bin/flapping-lmconv" "$project/.build/release/lmconv"
CODES="76" launch train --hosts hosts --drop-dead-hosts --restarts 2 --restart-delay 0
expect "a restart goes on with the hosts that are left" says "going on without flaps"
expect "from their own host file" called_times "mpirun --hostfile /" 1
expect "to the end" exits_with 0
rm -f "$sandbox/flapped"
CODES="76" launch train --hosts hosts --restarts 2 --restart-delay 0
expect "without permission it waits for the host" says "restart 2 of 2 in 0 s"
expect "but not for ever" says "giving up: no restart is left"
expect "and tells each attempt's cause" says "attempt 3: hosts were not fit, see above"
expect "with the code of hosts" exits_with 69
cp "$sandbox/bin/fake-lmconv" "$project/.build/release/lmconv"
unset OMPI_MCA_plm_rsh_agent

# --- The same failure again -------------------------------------------------------------------------------------------

LEAVES="812:TrainingError.unfitStep 812:TrainingError.unfitStep" CODES="1 1" launch train --restarts 9 --restart-delay 0
expect "the same step and reason twice end the job" called_times "lmconv train (in" 2
expect "which says why" says "giving up: step 812 failed twice for the same reason"
expect "with the causes" says 'attempt 2, step 812: rank 3 on node-a: it is "TrainingError.unfitStep"'
expect "and returns the job's code" exits_with 1
LEAVES="812:A 900:A 812:B 812:A" CODES="1 1 1 1" launch train --restarts 9 --restart-delay 0
expect "other steps and reasons in between do not hide it" called_times "lmconv train (in" 4
LEAVES="40 40" CODES="137 137" launch train --restarts 9 --restart-delay 0
expect "so does a step that is killed twice" says "attempt 1, step 41: ended with code 137, killed by signal 9"
expect "after two attempts" called_times "lmconv train (in" 2
LEAVES="40 41 42" CODES="137 137 137" launch train --restarts 9 --restart-delay 0
expect "a kill at a later step is another one" called_times "lmconv train (in" 4
expect "and the job ends well" exits_with 0
LEAVES="40 -" CODES="137 137 137" launch train --restarts 9 --restart-delay 0
expect "what an earlier attempt left does not count" exits_with 0
LEAVES="7 +8" CODES="137 137" launch train --resume other --restarts 9 --restart-delay 0 --run-dir r
expect "a run that has not saved is resumed as before" called_times "lmconv train --resume other --run-dir r (in" 2
expect "one that has is resumed from its own checkpoint" called_times "lmconv train --run-dir r (in" 1
rm -r "$sandbox/run/checkpoints"
REFUSES=1 launch train --restarts 9
expect "a refused configuration is not started" never_called "mpirun"
expect "and keeps its code" exits_with 64

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
    if (($# > 0)); then sleep "${BETWEEN-0.5}"; fi
  done
  code=0
  wait "$launched" || code=$?
  output=$(<"$sandbox/output")
}

# Background commands of a script ignore SIGINT, so it takes job control to send one.
set -m
for signal in INT TERM HUP USR1 USR2; do
  interrupt patient "$signal"
  expect "$signal lets the job save" called saved
  expect "$signal returns the job's code" exits_with 75
  expect "$signal is not followed by a restart" called_times "lmconv train (in" 1
done
interrupt stubborn TERM TERM
expect "a second signal ends a job that does not stop" exits_with 1
expect "which was asked first" called_times "asked to stop" 1
for signals in "TERM USR1" "USR1 USR1"; do
  # shellcheck disable=SC2086  # two words
  BETWEEN=0.1 interrupt patient $signals
  expect "$signals at once is one request" called saved
  expect "and the job ends in good order" exits_with 75
done
set +m

# --- The whole demonstration and the tests ----------------------------------------------------------------------------

mkdir -p "$project/runs/digits/checkpoints/step-00000010" "$project/runs/digits/checkpoints/step-00000200"
launch
expect "digits are trained" called "lmconv train --config $project/configurations/digits.yaml --run-dir runs/digits (in $project,"
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

launch test --browser --pictures shots
expect "the page is tested in a browser" called \
  "python3 $project/Tests/browser_test.py $project/.build/release/lmconv --pictures shots"

# They say how they were called.
cat >"$project/Tests/fuzz.sh" <<'TEXT'
#!/usr/bin/env bash
echo "$(basename "$0" .sh) $*" >>"$CALLS"
TEXT
chmod 755 "$project/Tests/fuzz.sh"
cp "$project/Tests/fuzz.sh" "$project/Tests/sanitize.sh"
stand_in swift <<'TEXT'
echo "swift $* (faults ${LMCONV_FAULTS-unset}, minutes ${LMCONV_SOAK_MINUTES-unset})" >>"$CALLS"
[[ $1 != test ]] || echo "Test run with 3 tests passed"
TEXT
launch test --soak 45
expect "a soak is told how long" called "--filter ^FaultTests\.SoakTests (faults unset, minutes 45)"
launch test --soak
expect "and takes half an hour if it is not" called "minutes 30)"
launch test --soak long
expect "no number is refused" says "test --soak needs a whole number of at least 1, not 'long'"
expect "and nothing is built" never_called "swift build"
launch test --fuzz 2000
expect "parsers are fuzzed with so many inputs" called "fuzz 2000"
launch test --sanitize address Tensors
expect "a sanitizer gets its choice of tests" called "sanitize address Tensors"
for wrong in "" memory; do
  # shellcheck disable=SC2086  # none, or a word
  launch test --sanitize $wrong
  expect "another sanitizer is refused" says "test --sanitize needs address or thread, not '$wrong'"
  expect "and not started" never_called sanitize
done
if ((EUID == 0)); then
  launch test --faults SlurmTests
  expect "faults choose their cases" called "--filter ^FaultTests\..*SlurmTests (faults 1, minutes unset)"
  expect "faults are tested in release" called "swift build -c release --build-tests"
  if PATH=$real_path:/usr/sbin type -P munged >/dev/null; then
    expect "what is there is not installed" never_called munge
  else
    expect "what is missing is installed" called "munge"
  fi
else
  launch test --faults
  expect "faults need root" says "test --faults needs root"
fi

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
  set -m
  interrupt stubborn TERM TERM
  set +m
  expect "the real mpirun ends a job that does not stop" exits_with 1
  CODES="9" launch train --ranks 1
  expect "the real mpirun returns a failure's code" exits_with 9
fi

echo "launch.sh: $passed passed, $failed failed"
((failed == 0))
