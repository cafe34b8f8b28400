#!/usr/bin/env bash
# Sets up, builds and runs lmconv, on this machine or on several: see usage below, or ./launch.sh help.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: ./launch.sh                       set up, build, train on the embedded digits with all cores, evaluate, complete
       ./launch.sh test [OPTIONS]        set up, then build and run all tests; OPTIONS go to swift test
       ./launch.sh test --faults [PART]  set up, then kill, stop and damage runs; PART chooses among the cases by name
       ./launch.sh setup                 install what is missing and build
       ./launch.sh COMMAND [OPTIONS]     build if needed and run lmconv COMMAND
       ./launch.sh help                  this text

COMMAND is train, evaluate, sample, complete, compress, decompress, info, orders, masks, doctor, ...; COMMAND --help explains one.
train, evaluate, sample, complete, compress and decompress run under mpirun, with these options besides their own:
  --ranks N            number of processes (default: one per core, or what the hosts file or Slurm gives)
  --hosts FILE         run on the hosts of an Open MPI host file, lines of HOST slots=N; see cluster/README.md
  --restarts N         after a failure start again from the last checkpoint, at most N times (default 0)
  --restart-delay S    seconds before the first restart, doubled at each up to 300 (default 5)

Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 ask the job to save and stop; a second one ends it at once.
The exit code is that of the job. 64 (bad usage) and 75 (stopped on request) are never restarted.

examples:
  ./launch.sh train --config configurations/digits.yaml --run-dir runs/wide --set model.filters=64
  ./launch.sh train --config configurations/cifar10.yaml --run-dir runs/cifar10 --hosts hosts --restarts 10
  ./launch.sh evaluate runs/digits --ranks 1
  ./launch.sh test --filter ParityTests
TEXT
}

root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
lmconv="$root/.build/release/lmconv"

say() { printf 'launch.sh: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# --- Setting up -------------------------------------------------------------------------------------------------------

# Debian's packages for what this machine lacks, found by looking for the thing itself: a library or an MPI that was
# installed in another way counts.
missing_packages() {
  local module package
  command -v mpirun >/dev/null || echo openmpi-bin
  command -v pkg-config >/dev/null || echo pkg-config
  while read -r module package; do
    pkg-config --exists "$module" 2>/dev/null || echo "$package"
  done <<'TABLE'
ompi-c libopenmpi-dev
openblas libopenblas-dev
libpng libpng-dev
zlib zlib1g-dev
TABLE
}

set_up() {
  local packages sudo=()
  mapfile -t packages < <(missing_packages)
  if ((${#packages[@]} > 0)); then
    local command="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
    ((EUID == 0)) || command="sudo apt-get update && sudo ${command#*&& }"
    command -v apt-get >/dev/null ||
      die "missing: ${packages[*]}; this system has no apt-get: install what these Debian packages hold, then try again"
    if ((EUID != 0)); then
      # Without a terminal sudo cannot ask for a password.
      if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
        die "missing: ${packages[*]}; not allowed to install them, run this first: $command"
      fi
      sudo=(sudo)
    fi
    say "missing: ${packages[*]}"
    say "installing them: $command"
    if ! { "${sudo[@]}" apt-get update &&
      "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } >&2
    then
      die "the installation did not succeed, see above; the command was: $command"
    fi
  fi
  command -v swift >/dev/null ||
    die "swift is not on the PATH: install Swift 6.1 or later from https://www.swift.org/install and try again"
}

# Builds lmconv unless the last build is newer than all sources; a computing node needs no compiler then.
build() {
  local stamp="$root/.build/launch-stamp" settings="baseline=${LMCONV_BASELINE-} werror=${LMCONV_WERROR-}"
  if [[ -x $lmconv && -f $stamp && $(<"$stamp") == "$settings" ]] &&
    [[ -z $(find "$root/Package.swift" "$root/Sources" -newer "$stamp" -print -quit) ]]; then
    return
  fi
  set_up
  say "building lmconv (release); the first time takes some minutes"
  mkdir -p "$root/.build"
  printf '%s' "$settings" >"$stamp.new"
  swift build --package-path "$root" -c release --product lmconv >&2 || die "the build did not succeed, see above"
  mv "$stamp.new" "$stamp"
}

# --- Running under mpirun ---------------------------------------------------------------------------------------------

# Cores that this process may use: hardware threads of one core count once, and a container's quota is kept.
core_count() {
  local count physical quota period
  # nproc would take the OpenMP threads of a rank for the cores of the machine.
  count=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
  physical=$(lscpu --parse=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l) || physical=0
  if ((physical > 0 && physical < count)); then count=$physical; fi
  if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota != max ]]; then
    quota=$(((quota + period - 1) / period))
    if ((quota < count)); then count=$quota; fi
  fi
  echo "$count"
}

# Signals received while a job runs, and the job's process.
signals=0
job=

# mpirun gives the ranks one second after SIGINT and SIGTERM, too short for a checkpoint, but it passes SIGUSR1 on: that
# is the request to save and stop. The second signal lets mpirun end the job.
forward_signal() {
  signals=$((signals + 1))
  [[ -n $job ]] || return 0
  if ((signals == 1)); then
    say "stopping after a checkpoint; once more ends the job at once"
    kill -USR1 "$job" 2>/dev/null || true
  else
    kill -TERM "$job" 2>/dev/null || true
  fi
}

# Runs a command and waits for its end, also when signals arrive meanwhile; returns its exit code.
run_forwarding_signals() {
  local status=0 seen
  # In a session of its own the job does not get the terminal's Ctrl-C, only what is forwarded.
  setsid "$@" </dev/null &
  job=$!
  while true; do
    seen=$signals
    status=0
    wait "$job" || status=$?
    # A signal ends the wait early; the job's own code comes from a wait that none disturbed.
    if ((seen == signals)); then break; fi
  done
  job=
  return "$status"
}

# mpi_job RANKS HOSTS RESTARTS DELAY ARGUMENT...: runs lmconv under mpirun, again after failures. RANKS and HOSTS may be
# empty. Returns the exit code of the last attempt.
mpi_job() {
  local ranks=$1 hosts=$2 restarts=$3 delay=$4 attempt=0 status name
  shift 4
  command -v mpirun >/dev/null || die "mpirun is not on the PATH: run ./launch.sh setup on this machine first"

  # One thread of BLAS and OpenMP a rank: the ranks and lmconv's own threads use the cores.
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  # A rank's own streams are mpirun's, so it cannot see whether its messages end at a terminal.
  LMCONV_TERMINAL=0
  if [[ -t 2 ]]; then LMCONV_TERMINAL=1; fi
  export LMCONV_TERMINAL
  if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

  local command=(mpirun)
  if [[ -n $hosts ]]; then
    command+=(--hostfile "$hosts")
  elif [[ -z ${SLURM_JOB_ID-} ]]; then
    local cores
    cores=$(core_count)
    ranks=${ranks:-$cores}
    # With a core for each rank none of them moves. Fewer ranks may have threads, and leave room for other jobs.
    if ((ranks > cores)); then
      command+=(--oversubscribe --bind-to none)
    elif ((ranks == cores)); then
      command+=(--bind-to core)
    else
      command+=(--bind-to none)
    fi
  fi
  if [[ -n $ranks ]]; then command+=(-n "$ranks"); fi
  for name in OPENBLAS_NUM_THREADS OMP_NUM_THREADS LD_LIBRARY_PATH $(compgen -e LMCONV_); do
    if [[ -v $name ]]; then command+=(-x "$name"); fi
  done

  trap forward_signal INT TERM HUP USR1
  while true; do
    status=0
    run_forwarding_signals "${command[@]}" "$lmconv" "$@" || status=$?
    case $status in
      0 | 64 | 75) break ;;
    esac
    if ((signals > 0 || attempt >= restarts)); then break; fi
    attempt=$((attempt + 1))
    say "the job ended with code $status; restart $attempt of $restarts in $delay s"
    sleep "$delay" &
    wait $! || true
    if ((signals > 0)); then break; fi
    delay=$((delay * 2 > 300 ? 300 : delay * 2))
  done
  trap - INT TERM HUP USR1
  return "$status"
}

# --- Commands ---------------------------------------------------------------------------------------------------------

# number NAME VALUE LEAST: checks an option's value.
number() {
  if [[ ! $2 =~ ^(0|[1-9][0-9]{0,5})$ ]] || (($2 < $3)); then die "$1 needs a whole number of at least $3, not '$2'"; fi
}

# Runs an lmconv command under mpirun; takes launch.sh's own options out of its arguments.
run_under_mpi() {
  local ranks='' hosts='' restarts=0 delay=5 arguments=("$1") name value
  shift
  while (($# > 0)); do
    case $1 in
      -h | --help)
        build
        exec "$lmconv" "${arguments[0]}" --help
        ;;
      --)
        arguments+=("$@")
        break
        ;;
      --ranks | --hosts | --restarts | --restart-delay)
        (($# > 1)) || die "$1 needs a value; see ./launch.sh help"
        name=$1 value=$2
        shift 2
        ;;
      --ranks=* | --hosts=* | --restarts=* | --restart-delay=*)
        name=${1%%=*} value=${1#*=}
        shift
        ;;
      *)
        arguments+=("$1")
        shift
        continue
        ;;
    esac
    case $name in
      --ranks) number "$name" "$value" 1 && ranks=$value ;;
      --restarts) number "$name" "$value" 0 && restarts=$value ;;
      --restart-delay) number "$name" "$value" 0 && delay=$value ;;
      --hosts)
        [[ -r $value && ! -d $value ]] || die "$name: cannot read the host file '$value'"
        hosts=$value
        ;;
    esac
  done
  build
  mpi_job "$ranks" "$hosts" "$restarts" "$delay" "${arguments[@]}"
}

# One part of the whole demonstration; what ends it early ends it with that code.
part() {
  local status=0
  say "$1"
  shift
  mpi_job '' '' 0 0 "$@" || status=$?
  if ((signals > 0 || status == 75)); then
    say "stopped; ./launch.sh goes on from the last checkpoint"
    exit "$((status > 0 ? status : 130))"
  fi
  ((status == 0)) || { say "lmconv $1 ended with code $status, see above" && exit "$status"; }
}

train_evaluate_complete() {
  cd "$root"
  build
  local run=runs/digits
  part "training on the embedded digits" train --config configurations/digits.yaml --run-dir "$run"
  part "evaluating the 8-order ensemble on all test digits" evaluate "$run"
  mkdir -p "$run/pictures"
  part "completing half-erased test digits" complete "$run" --missing bottom --count 16 --out "$run/pictures/completions.png"
  cat <<TEXT

done:
  model     $root/$run/checkpoints (newest: $(newest_checkpoint "$run"))
  metrics   $root/$run/metrics.jsonl
  pictures  $root/$run/pictures/completions.png
            (rows: the half that is given, completions, the true digits)
TEXT
}

newest_checkpoint() {
  local folders=("$1"/checkpoints/step-*)
  basename "${folders[-1]}"
}

run_tests() {
  set_up
  cd "$root"
  # Whole runs also test this script; a choice of tests (--filter ...) is one among those of the package.
  if (($# == 0)); then Tests/launch_tests.sh; fi
  swift build -c release --build-tests || die "the build did not succeed, see above"
  # A choice that matches no test must not pass as success.
  swift test -c release --skip-build --disable-xctest "$@" | awk '
    { print; fflush() }
    /Test run with 0 tests/ { none = 1 }
    END { if (none) { print "launch.sh: no test was run: none matches" >"/dev/stderr"; exit 1 } }'
}

# Tests that take minutes, by the option that asks for them; CONTRIBUTING.md tells what each does and how long it takes.
run_long_tests() {
  local kind=$1
  shift
  case $kind in
    --faults) LMCONV_FAULTS=1 run_tests --filter "^FaultTests\..*${1-}" ;;
  esac
}

case ${1-} in
  '') train_evaluate_complete ;;
  help | --help | -h) usage ;;
  setup)
    set_up
    build
    ;;
  test)
    shift
    case ${1-} in
      --faults) run_long_tests "$@" ;;
      *) run_tests "$@" ;;
    esac
    ;;
  train | evaluate | sample | complete | compress | decompress) run_under_mpi "$@" ;;
  --version | [!-]*)
    build
    exec "$lmconv" "$@"
    ;;
  *) die "'$1' is an option, a command must come first; see ./launch.sh help" ;;
esac
