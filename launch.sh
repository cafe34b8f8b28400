#!/usr/bin/env bash
# Sets up, builds and runs lmconv, on this machine or on several: see usage below, or ./launch.sh help.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: ./launch.sh                       set up, build, train on the embedded digits with all cores, evaluate, complete
       ./launch.sh test [OPTIONS]        set up, then build and run all tests; OPTIONS go to swift test
       ./launch.sh test --faults [PART]  kill, stop, cut off and damage runs, as root; PART chooses cases by name
       ./launch.sh test --soak [MINUTES] a run of four ranks with a fault a minute (default 30), then undisturbed
       ./launch.sh test --fuzz [RUNS]    feed the parsers with changed files, RUNS for each (default 110000)
       ./launch.sh test --sanitize KIND  run the unit tests under AddressSanitizer or ThreadSanitizer: address, thread
       ./launch.sh test --browser        build, then use the page of lmconv serve in a headless Chromium; with
                                         --pictures FOLDER keep screenshots
       ./launch.sh test --tensorboard    set up, then let TensorBoard itself read what runs write for it
       ./launch.sh test --docs [PAGE...] build, then run the commands of the documentation; with --run FOLDER on a
                                         trained run of the digits
       ./launch.sh test --package        build the Debian package and use it in a new Debian
       ./launch.sh test --newcomer       the README's two commands and the whole tutorial, in a new Debian
       ./launch.sh setup                 install what is missing and build
       ./launch.sh install --prefix DIR  build a program that needs no Swift, and install it under DIR
       ./launch.sh COMMAND [OPTIONS]     build if needed and run lmconv COMMAND
       ./launch.sh help                  this text

COMMAND is train, evaluate, sample, complete, serve, compress, decompress, score, info, orders, masks, doctor, ...; COMMAND --help explains one.
train, evaluate, sample, complete, compress, decompress and score run under mpirun, with these options besides their own:
  --ranks N            number of processes (default: one per core, or what the hosts file or Slurm gives)
  --hosts FILE         run on the hosts of an Open MPI host file, lines of HOST slots=N; see cluster/README.md
  --drop-dead-hosts    leave out hosts that are not fit, and go on with the others (default: ask on a terminal, or stop)
  --free-disk MB       what must be free on each host for temporary files, and for the run's folder (default 512)
  --restarts N         after a failure start again from the last checkpoint, at most N times (default 0)
  --restart-delay S    seconds before the first restart, doubled at each up to 300 (default 5)

Hosts are checked before each start: that they answer, run the same build, Open MPI and C library, see the same data, and
have free disk. A step that fails twice for the same reason ends the job, whatever --restarts allows.

Ctrl-C, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 ask the job to save and stop; a second one ends it at once.
The exit code is that of the job, or 69 when hosts are not fit; README.md lists them all. 64 (bad usage) and 75 (stopped on
request) are never restarted.

examples:
  ./launch.sh train --config configurations/digits.yaml --run-dir runs/wide --set model.filters=64
  ./launch.sh train --config configurations/cifar10.yaml --run-dir runs/cifar10 --hosts hosts --restarts 10
  ./launch.sh evaluate runs/digits --ranks 1
  ./launch.sh test --filter ParityTests
TEXT
}

root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
lmconv="$root/.build/release/lmconv"
# An installed copy lies beside the program and builds nothing.
installed=0
if [[ -x $root/lmconv && ! -e $root/Package.swift ]]; then installed=1 lmconv="$root/lmconv"; fi

say() { printf 'launch.sh: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# --- Setting up -------------------------------------------------------------------------------------------------------

# missing_packages [PROGRAM:PACKAGE...]: Debian's packages for what this machine lacks, and for programs that are needed
# besides, found by looking for the thing itself: a library or an MPI that was installed in another way counts.
missing_packages() {
  local module package program
  for program in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin type -P "${program%:*}" >/dev/null || echo "${program#*:}"
  done
  command -v mpirun >/dev/null || echo openmpi-bin
  command -v pkg-config >/dev/null || echo pkg-config
  while read -r module package; do
    pkg-config --exists "$module" 2>/dev/null || echo "$package"
  done <<'TABLE'
ompi-c libopenmpi-dev
openblas libopenblas-dev
libpng libpng-dev
libturbojpeg libturbojpeg0-dev
libexif libexif-dev
zlib zlib1g-dev
TABLE
}

# set_up [PROGRAM:PACKAGE...]: installs what is missing.
set_up() {
  ((!installed)) || die "this is an installed copy: it has no sources to build or test"
  local packages sudo=()
  mapfile -t packages < <(missing_packages "$@" | sort -u)
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
  if ((installed)); then return; fi
  local stamp="$root/.build/launch-stamp" settings="baseline=${LMCONV_BASELINE-} werror=${LMCONV_WERROR-}"
  if [[ -x $lmconv && -f $stamp && $(<"$stamp") == "$settings" ]] &&
    [[ -z $(find "$root/Package.swift" "$root/Sources" -newer "$stamp" -print -quit) ]]; then
    return
  fi
  set_up
  say "building lmconv (release); the first time takes some minutes"
  mkdir -p "$root/.build"
  printf '%s' "$settings" >"$stamp.new"
  build_information
  LMCONV_BUILD=$built swift build --package-path "$root" -c release --product lmconv >&2 ||
    die "the build did not succeed, see above"
  mv "$stamp.new" "$stamp"
}

# Sets `built` to what --version shows of the build: the last commit that changed the program, whether it was changed
# since, and the compiler. The same sources give the same program, whatever else was committed.
build_information() {
  local commit version
  commit=$(git -C "$root" log -1 --format=%h --abbrev=12 -- Package.swift Sources 2>/dev/null) || commit=
  if [[ -n $commit && -n $(git -C "$root" status --porcelain -- Package.swift Sources) ]]; then commit+=" with changes"; fi
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p') || version=
  built="${commit:-no commit}${version:+, Swift $version}"
}

# --- Installing -------------------------------------------------------------------------------------------------------

# Installs the program, this script and their documentation under a prefix.
install_program() {
  local prefix='' destination='' scratch="$root/.build-install" home shell pages
  while (($# > 0)); do
    case $1 in
      --prefix | --destdir) (($# > 1)) || die "$1 needs a folder; see ./launch.sh help" ;;&
      --prefix) prefix=$2 && shift ;;
      --prefix=*) prefix=${1#*=} ;;
      --destdir) destination=$2 && shift ;;
      --destdir=*) destination=${1#*=} ;;
      *) die "install: unknown option '$1'; see ./launch.sh help" ;;
    esac
    shift
  done
  [[ $prefix == /* ]] || die "install needs --prefix with an absolute folder, such as /usr/local or $HOME/.local"
  destination+=$prefix
  mkdir -p "$destination" 2>/dev/null && [[ -w $destination ]] ||
    die "install: cannot write to $destination; choose another --prefix, or use sudo after ./launch.sh setup"
  # Foundation's networking, which lmconv serve brings along, is linked with curl.
  set_up curl-config:libcurl4-openssl-dev
  build_information
  say "building lmconv with Swift's libraries inside; it takes some minutes"
  local builds=(env LMCONV_BUILD="$built" swift build --package-path "$root" --scratch-path "$scratch" -c release)
  { "${builds[@]}" --static-swift-stdlib -Xlinker -s --product lmconv && "${builds[@]}" --product generate-manual; } >&2 ||
    die "the build did not succeed, see above"

  # What belongs together lies together: the program finds its data, and this script the program, beside itself.
  home=$destination/lib/lmconv
  mkdir -p "$home" "$destination"/{bin,share/man/man1,share/doc/lmconv} "$destination"/share/bash-completion/completions \
    "$destination"/share/zsh/site-functions "$destination"/share/fish/vendor_completions.d
  rm -rf "${home:?}"/*
  cp "$scratch/release/lmconv" "$home/"
  cp -R "$scratch"/release/*.resources "$home/"
  cp -R "$root"/{launch.sh,configurations} "$home/"
  mkdir "$home/Tools"
  cp "$root"/Tools/*.py "$home/Tools/"
  ln -sf ../lib/lmconv/lmconv "$destination/bin/lmconv"
  ln -sf ../lib/lmconv/launch.sh "$destination/bin/lmconv-launch"
  cp -R "$root"/{README.md,CHANGELOG.md,LICENSE,docs} "$destination/share/doc/lmconv/"
  "$home/lmconv" --generate-completion-script bash >"$destination/share/bash-completion/completions/lmconv"
  "$home/lmconv" --generate-completion-script zsh >"$destination/share/zsh/site-functions/_lmconv"
  "$home/lmconv" --generate-completion-script fish >"$destination/share/fish/vendor_completions.d/lmconv.fish"
  pages=$(mktemp -d)
  "$scratch/release/generate-manual" --multi-page --output-directory "$pages" "$home/lmconv"
  for page in "$pages"/*.1; do gzip -9n <"$page" >"$destination/share/man/man1/${page##*/}.gz"; done
  rm -r "$pages"
  say "installed under $destination: bin/lmconv, and bin/lmconv-launch, which is this script"
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

# Requests to stop, the first one's signal and time, all signals received, and the job's process.
signals=0
received=0
first_signal=
first_signal_time=
job=

# mpirun gives the ranks one second after SIGINT and SIGTERM, too short for a checkpoint, but it passes SIGUSR1 on: that
# is the request to save and stop. The second signal lets mpirun end the job.
forward_signal() {
  received=$((received + 1))
  # A scheduler signals all processes, among them those that pass it on: what comes soon after the first is the same
  # request, but for what people send again.
  if ((signals == 0)); then
    first_signal=$1 first_signal_time=$SECONDS
  elif [[ $1 != "$first_signal" || $1 == USR? ]] && ((SECONDS - first_signal_time < 4)); then
    return 0
  fi
  signals=$((signals + 1))
  [[ -n $job ]] || return 0
  if ((signals == 1)); then
    say "stopping after a checkpoint; once more ends the job at once"
    kill -USR1 "$job" 2>/dev/null || true
  else
    kill -INT "$job" 2>/dev/null || true
  fi
}

# Runs a command and waits for its end, also when signals arrive meanwhile; returns its exit code.
run_forwarding_signals() {
  local status=0 seen
  # In a session of its own the job does not get the terminal's Ctrl-C, only what is forwarded. A scheduler that stops a
  # job sends SIGTERM to all its processes: mpirun must not end the ranks then, which save. They get the signal too.
  setsid env --default-signal=INT --block-signal=TERM "$@" </dev/null &
  job=$!
  # What came before there was a job to tell.
  if ((signals > 0)); then kill -USR1 "$job" 2>/dev/null || true; fi
  while true; do
    seen=$received
    status=0
    wait "$job" || status=$?
    # A signal ends the wait early; the job's own code comes from a wait that none disturbed.
    if ((seen == received)); then break; fi
  done
  job=
  return "$status"
}

# --- Hosts ------------------------------------------------------------------------------------------------------------

# Exit codes of this script's own: hosts are not fit, and, as lmconv's, stopped on request.
unfit=69
stopped=75
# How long a host may take to answer, reading the data included.
host_timeout=120

# What each host runs, with its arguments set: LMCONV FOLDER RUN_FOLDER FREE_MB ARGUMENT... RUN_FOLDER is empty where
# nothing is written. Prints "same KEY|VALUE" for what must be equal everywhere, "fault TEXT", and "end".
host_probe() {
  cat <<'TEXT'
lmconv=$1 folder=$2 runs=$3 least=$4
shift 4
fault() { echo "fault $*"; }
free() {
  local place=$1 available
  while [[ ! -e $place && $place == */* ]]; do place=${place%/*}; done
  available=$(df -Pm -- "${place:-/}" 2>/dev/null | awk 'NR == 2 { print $4 }')
  [[ -n $available ]] || { fault "free disk of ${place:-/} cannot be told" && return; }
  ((available >= least)) || fault "only $available MB are free in ${place:-/}, $least are needed (--free-disk)"
}
if ! cd -- "$folder" 2>/dev/null; then
  fault "the folder $folder is missing"
elif [[ ! -x $lmconv ]]; then
  fault "$lmconv is missing: share the project's folder, or build it there"
elif ! version=$(mpirun --version 2>/dev/null); then
  fault "mpirun is not on the PATH of commands over ssh: install openmpi-bin"
else
  sum=$(sha256sum <"$lmconv")
  echo "same build of lmconv|${sum%% *}"
  echo "same Open MPI|${version%%$'\n'*}"
  echo "same C library|$(getconf GNU_LIBC_VERSION 2>/dev/null || uname -o)"
  free "${TMPDIR:-/tmp}"
  if [[ -n $runs ]]; then free "$runs"; fi
  # Also tells whether it starts at all: its libraries, the processor.
  if printed=$("$lmconv" "$@" 2>&1); then
    while read -r key value; do
      case $key in data | configuration) echo "same $key|$value" ;; esac
    done <<<"$printed"
  else
    fault "lmconv does not start: ${printed##*$'\n'}"
  fi
fi
echo end
TEXT
}

# probe_script ARGUMENT...: host_probe with its arguments, and with the variables that ranks get too.
probe_script() {
  local name
  for name in LD_LIBRARY_PATH $(compgen -e LMCONV_); do
    if [[ -v $name ]]; then printf 'export %s=%q\n' "$name" "${!name}"; fi
  done
  printf 'export OPENBLAS_NUM_THREADS=1\nset --'
  printf ' %q' "$@"
  printf '\n'
  host_probe
}

# The hosts of an Open MPI host file, each once.
host_names() { sed 's/#.*//' "$1" | awk 'NF && !seen[$1]++ { print $1 }'; }

is_this_machine() {
  local address
  case $1 in localhost | 127.* | ::1 | "$HOSTNAME" | "${HOSTNAME%%.*}") return 0 ;; esac
  for address in $(hostname -I 2>/dev/null); do
    if [[ $1 == "$address" ]]; then return 0; fi
  done
  return 1
}

# on_host HOST: runs the bash script of its standard input there, in the way that mpirun reaches hosts.
on_host() {
  local shell more
  if is_this_machine "$1"; then
    timeout --kill-after=5 "$host_timeout" bash
  else
    read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh}"
    if [[ ${shell[0]##*/} == ssh ]]; then shell+=(-o BatchMode=yes -o ConnectTimeout=10); fi
    read -ra more <<<"${OMPI_MCA_plm_rsh_args-}"
    timeout --kill-after=5 "$host_timeout" "${shell[@]}" "${more[@]}" "$1" bash
  fi
}

# host_faults ANSWER EXPECTED: what is wrong with a host, a line each; nothing if it is fit. ANSWER.code and ANSWER.errors
# are its exit code and messages; EXPECTED is this machine's answer.
host_faults() {
  local answer=$1 expected=$2 code errors line key value wanted
  code=$(<"$answer.code")
  errors=$(tail -n 1 "$answer.errors")
  if ((code == 124 || code == 137)); then
    echo "no answer within $host_timeout s"
  elif ! grep -qx end "$answer"; then
    echo "cannot be reached${errors:+: $errors}"
  else
    while IFS= read -r line; do
      case $line in
        'fault '*) echo "${line#fault }" ;;
        'same '*)
          key=${line%%|*} value=${line#*|}
          wanted=$(grep -F -- "$key|" "$expected" || true)
          if [[ ${wanted#*|} != "$value" ]]; then
            echo "another ${key#same } than this machine: $value, expected ${wanted#*|}"
          fi
          ;;
      esac
    done <"$answer"
  fi
}

# check_hosts FILE ANSWERS PROBE_ARGUMENT...: asks all hosts of the file at once; what they answer goes to the folder
# ANSWERS. Tells what is wrong, and sets `fit` and `dead` to the hosts that are and are not fit.
check_hosts() {
  local file=$1 answers=$2 names asked=() index who faults line process
  shift 2
  mapfile -t names < <(host_names "$file")
  # This machine starts the job, and its answer is what the others are compared with.
  names=(localhost "${names[@]}")
  for index in "${!names[@]}"; do
    local arguments=("$@")
    # Only the first host, where rank 0 is, writes the run's folder.
    ((index == 1)) || arguments[2]=
    {
      local code=0
      probe_script "${arguments[@]}" | on_host "${names[index]}" >"$answers/$index" 2>"$answers/$index.errors" || code=$?
      echo "$code" >"$answers/$index.code"
    } &
    asked+=($!)
  done
  for process in "${asked[@]}"; do
    # A signal ends a wait early.
    while kill -0 "$process" 2>/dev/null; do wait "$process" || true; done
  done
  fit=() dead=()
  for index in "${!names[@]}"; do
    who="host ${names[index]}"
    ((index > 0)) || who="this machine"
    faults=$(host_faults "$answers/$index" "$answers/0")
    if [[ -n $faults ]]; then
      while IFS= read -r line; do say "$who: $line"; done <<<"$faults"
      # What this machine cannot do, none can be compared with.
      if ((index == 0)); then
        dead=("${names[@]:1}")
        return
      fi
      dead+=("${names[index]}")
    elif ((index > 0)); then
      fit+=("${names[index]}")
    fi
  done
}

# choose_hosts FILE MAY_DROP MAY_ASK ANSWERS PROBE_ARGUMENT...: checks the hosts and sets `used_hosts` to a host file of
# those to use. Fails if some are not fit and may not be left out, or none is left.
choose_hosts() {
  local file=$1 drops=$2 asks=$3 answers=$4 reply
  shift 4
  local fit dead
  say "checking the hosts of $file"
  check_hosts "$file" "$answers" "$@"
  used_hosts=$file
  if ((${#fit[@]} == 0)); then
    say "no host of $file is left"
    return 1
  fi
  if ((${#dead[@]} == 0)); then return; fi
  if ((!drops && asks)); then
    printf 'launch.sh: leave out %s and go on with %s? [y/N] ' "${dead[*]}" "${fit[*]}" >&2
    read -r reply || reply=
    if [[ $reply == [yY]* ]]; then drops=1; fi
  fi
  if ((!drops)); then
    say "${#dead[@]} of $((${#dead[@]} + ${#fit[@]})) hosts are not fit; mend them, or pass --drop-dead-hosts to go on without"
    return 1
  fi
  say "going on without ${dead[*]}"
  used_hosts=$answers/hosts
  awk -v dead="${dead[*]}" '
    BEGIN { count = split(dead, names, " "); for (i = 1; i <= count; i++) out[names[i]] = 1 }
    !($1 in out)' "$file" >"$used_hosts"
}

# The slots of a host file; nothing if a host leaves their number to Open MPI.
slot_count() {
  sed 's/#.*//' "$1" | awk '
    NF { found = 0; for (i = 2; i <= NF; i++) if (sub(/^slots=/, "", $i)) { total += $i; found = 1 } missing += !found }
    END { if (!missing) print total }'
}

# --- Running and starting again ---------------------------------------------------------------------------------------

# json_value KEY FILE: a value of a JSON file that has one key a line; of a text its first line.
json_value() { sed -n "s/^  \"$1\" : //p" "$2" | sed 's/,$//; s/^"\(.*\)"$/\1/; s/\\n.*//; s/\\"/"/g'; }

# read_cause RUN_FOLDER STATUS: why an attempt ended, from what it left in its folder. Sets `cause_step`, empty before the
# first step and where the folder is not on this machine, `cause_reason`, the same for the same kind of failure, and
# `cause_text` for people.
read_cause() {
  local run=$1 status=$2 who
  cause_step='' cause_reason="exit code $status" cause_text="ended with code $status"
  if ((status > 128 && status <= 192)); then cause_text+=", killed by signal $((status - 128))"; fi
  if [[ -n $run && -r $run/failure.json ]]; then
    cause_step=$(json_value step "$run/failure.json")
    cause_reason=$(json_value reason "$run/failure.json")
    who="rank $(json_value rank "$run/failure.json") on $(json_value host "$run/failure.json")"
    cause_text="$who: $(json_value message "$run/failure.json")"
  elif [[ -n $run && -r $run/step.txt ]]; then
    # The step after those that are done.
    read -r cause_step <"$run/step.txt" || true
    if [[ -n $cause_step ]]; then cause_step=$((cause_step + 1)); fi
  fi
}

# has_saved RUN_FOLDER: whether the last attempt wrote a checkpoint: one newer than the configuration, which an attempt writes
# before step.txt.
has_saved() {
  local folder
  [[ -e $1/step.txt ]] || return 1
  for folder in "$1"/checkpoints/step-*; do
    if [[ $folder -nt $1/config.yaml ]]; then return 0; fi
  done
  return 1
}

# without_resume ARGUMENT...: sets `arguments` to them without --resume: a restart goes on from the newest checkpoint.
without_resume() {
  arguments=()
  while (($# > 0)); do
    case $1 in
      --resume) if (($# > 1)); then shift; fi ;;
      --resume=*) ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
}

# mpirun_command RANKS HOSTS: sets `command` to what starts the ranks.
mpirun_command() {
  local ranks=$1 hosts=$2 cores slots name
  command=(mpirun)
  if [[ -n $hosts ]]; then
    command+=(--hostfile "$hosts")
    # Hosts that were left out take their slots with them.
    slots=$(slot_count "$hosts")
    if [[ -n $ranks ]] && ((ranks > ${slots:-ranks})); then ranks=$slots; fi
  elif [[ -z ${SLURM_JOB_ID-} ]]; then
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
}

# Options of mpi_job, which run_under_mpi sets.
ranks='' hosts='' drops_hosts=0 free_disk=512 restarts=0 delay=5

# mpi_job ARGUMENT...: runs lmconv under mpirun, again after failures. Returns the exit code of the last attempt.
mpi_job() {
  command -v mpirun >/dev/null || die "mpirun is not on the PATH: run ./launch.sh setup on this machine first"

  # One thread of BLAS and OpenMP a rank: the ranks and lmconv's own threads use the cores.
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  # A rank's own streams are mpirun's, so it cannot see whether its messages end at a terminal.
  LMCONV_TERMINAL=0
  if [[ -t 2 ]]; then
    LMCONV_TERMINAL=1
    # Nor how wide it is.
    LMCONV_COLUMNS=$(stty size <&2 2>/dev/null | cut -d ' ' -f 2) || LMCONV_COLUMNS=
    export LMCONV_COLUMNS
  fi
  export LMCONV_TERMINAL
  if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
  # On the other hosts too, what starts the ranks lets them save (see run_forwarding_signals).
  export OMPI_MCA_orte_launch_agent=${OMPI_MCA_orte_launch_agent-env --block-signal=TERM orted}

  # What tells hosts apart, and where to look for the cause of a failure.
  local run='' probe=(--version) status=0
  if [[ $1 == train && -n $hosts || $1 == train && $restarts -gt 0 ]]; then
    probe=("$@" --fingerprint)
    run=$("$lmconv" "${probe[@]}" | sed -n 's/^run_folder //p') || return
  fi

  local scratch
  scratch=$(mktemp -d)
  local name
  for name in INT TERM HUP USR1 USR2; do
    # shellcheck disable=SC2064  # the name as it is now
    trap "forward_signal $name" "$name"
  done
  attempts "$@" || status=$?
  trap - INT TERM HUP USR1 USR2
  rm -rf "$scratch"
  return "$status"
}

# The attempts of mpi_job, whose variables it uses.
attempts() {
  local attempt=0 status command used_hosts=$hosts previous_hosts='' cause_step cause_reason cause_text pause=$delay
  local causes=() started asks=0 ending='' arguments=("$@")
  local -A failed=()
  if [[ -t 0 && -t 2 ]]; then asks=1; fi
  while true; do
    status=0
    started=$SECONDS
    # Only what this attempt leaves counts.
    if [[ -n $run ]]; then rm -f "$run/failure.json" "$run/step.txt"; fi
    if [[ -n $hosts ]] &&
      ! choose_hosts "$hosts" "$drops_hosts" "$asks" "$scratch" "$lmconv" "$PWD" "$run" "$free_disk" "${probe[@]}"; then
      status=$unfit
      # At the first start somebody is there to mend it. Later, a host may come back.
      if ((attempt == 0 && signals == 0)); then return "$status"; fi
      cause_step='' cause_reason=hosts cause_text="hosts were not fit, see above"
    fi
    asks=0
    if ((signals > 0)); then
      say "stopped before the job began"
      return "$stopped"
    fi
    if ((status == 0)); then
      mpirun_command "$ranks" "$used_hosts"
      run_forwarding_signals "${command[@]}" "$lmconv" "${arguments[@]}" || status=$?
      read_cause "$run" "$status"
      # Once it has a checkpoint of its own, a run must not begin again from where it was told to.
      if [[ -n $run ]] && has_saved "$run"; then without_resume "${arguments[@]}"; fi
    fi
    # The request itself ended what did not listen yet: there was nothing to save.
    if ((signals > 0 && status == 128 + 10)); then
      say "stopped before the job listened"
      return "$stopped"
    fi
    case $status in
      0 | 64 | 75) return "$status" ;;
    esac
    if ((signals > 0)); then return "$status"; fi

    causes+=("attempt $((attempt + 1))${cause_step:+, step $cause_step}: $cause_text")
    # Other hosts may do what these could not.
    if [[ -n $hosts ]]; then
      if [[ $(<"$used_hosts") != "$previous_hosts" ]]; then failed=(); fi
      previous_hosts=$(<"$used_hosts")
    fi
    if [[ -n $cause_step && -n ${failed["$cause_step $cause_reason"]-} ]]; then
      ending="step $cause_step failed twice for the same reason"
    elif ((attempt >= restarts)); then
      ending="no restart is left"
    fi
    failed["$cause_step $cause_reason"]=1
    if [[ -n $ending ]]; then
      if ((restarts > 0)); then
        say "giving up: $ending"
        printf 'launch.sh:   %s\n' "${causes[@]}" >&2
      fi
      return "$status"
    fi

    attempt=$((attempt + 1))
    # An attempt that went well for some time says nothing about the next.
    if ((SECONDS - started > 300)); then pause=$delay; fi
    say "the job ended with code $status; restart $attempt of $restarts in $pause s"
    sleep "$pause" &
    wait $! || true
    if ((signals > 0)); then
      say "stopped before the restart"
      return "$stopped"
    fi
    pause=$((pause * 2 > 300 ? 300 : pause * 2))
  done
}

# --- Commands ---------------------------------------------------------------------------------------------------------

# number NAME VALUE LEAST: checks an option's value.
number() {
  if [[ ! $2 =~ ^(0|[1-9][0-9]{0,5})$ ]] || (($2 < $3)); then die "$1 needs a whole number of at least $3, not '$2'"; fi
}

# Runs an lmconv command under mpirun; takes launch.sh's own options out of its arguments.
run_under_mpi() {
  local arguments=("$1") name value
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
      --drop-dead-hosts)
        drops_hosts=1
        shift
        continue
        ;;
      --ranks | --hosts | --free-disk | --restarts | --restart-delay)
        (($# > 1)) || die "$1 needs a value; see ./launch.sh help"
        name=$1 value=$2
        shift 2
        ;;
      --ranks=* | --hosts=* | --free-disk=* | --restarts=* | --restart-delay=*)
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
      --free-disk) number "$name" "$value" 0 && free_disk=$value ;;
      --restarts) number "$name" "$value" 0 && restarts=$value ;;
      --restart-delay) number "$name" "$value" 0 && delay=$value ;;
      --hosts)
        [[ -r $value && ! -d $value ]] || die "$name: cannot read the host file '$value'"
        hosts=$value
        ;;
    esac
  done
  build
  mpi_job "${arguments[@]}"
}

# One part of the whole demonstration; what ends it early ends it with that code.
part() {
  local status=0
  say "$1"
  shift
  mpi_job "$@" || status=$?
  if ((signals > 0 || status == 75)); then
    say "stopped; ./launch.sh goes on from the last checkpoint"
    exit "$((status > 0 ? status : 130))"
  fi
  ((status == 0)) || { say "lmconv $1 ended with code $status, see above" && exit "$status"; }
}

train_evaluate_complete() {
  # An installed copy's folder is not for runs.
  if ((!installed)); then cd "$root"; fi
  build
  local run=runs/digits
  part "training on the embedded digits" train --config "$root/configurations/digits.yaml" --run-dir "$run"
  part "evaluating the 8-order ensemble on all test digits" evaluate "$run"
  mkdir -p "$run/pictures"
  part "completing half-erased test digits" complete "$run" --missing bottom --count 16 --out "$run/pictures/completions.png"
  cat <<TEXT

done:
  model     $PWD/$run/checkpoints (newest: $(newest_checkpoint "$run"))
  metrics   $PWD/$run/metrics.jsonl
  pictures  $PWD/$run/pictures/completions.png
            (rows: the half that is given, completions, the true digits)
TEXT
}

newest_checkpoint() {
  local folders=("$1"/checkpoints/step-*)
  basename "${folders[-1]}"
}

run_tests() {
  set_up
  build_information
  cd "$root"
  # Whole runs also test this script; a choice of tests (--filter ...) is one among those of the package.
  if (($# == 0)); then Tests/launch_tests.sh; fi
  LMCONV_BUILD=$built swift build -c release --build-tests || die "the build did not succeed, see above"
  # A choice that matches no test must not pass as success.
  LMCONV_BUILD=$built swift test -c release --skip-build --disable-xctest "$@" | awk '
    { print; fflush() }
    /Test run with 0 tests/ { none = 1 }
    END { if (none) { print "launch.sh: no test was run: none matches" >"/dev/stderr"; exit 1 } }'
}

# A Python with TensorBoard: what LMCONV_TENSORBOARD_PYTHON names, or an environment of its own.
provide_tensorboard() {
  local environment="$root/.build/tensorboard"
  if [[ -z ${LMCONV_TENSORBOARD_PYTHON-} ]]; then
    LMCONV_TENSORBOARD_PYTHON=$environment/bin/python3
    if ! "$LMCONV_TENSORBOARD_PYTHON" -c 'import tensorboard' 2>/dev/null; then
      say "installing the Python package tensorboard into $environment"
      { python3 -m venv "$environment" && "$LMCONV_TENSORBOARD_PYTHON" -m pip install --quiet tensorboard==2.21.0; } >&2 ||
        die "the package tensorboard was not installed, see above; or set LMCONV_TENSORBOARD_PYTHON to a Python that has it"
    fi
  fi
  export LMCONV_TENSORBOARD_PYTHON
}

# Tests that take minutes, by the option that asks for them; CONTRIBUTING.md tells what each does and how long it takes.
run_long_tests() {
  local kind=$1
  shift
  case $kind in
    --faults)
      ((EUID == 0)) || die "test --faults needs root: it makes network namespaces and disks of its own"
      set_up sshd:openssh-server ssh:openssh-client ip:iproute2 unshare:util-linux slurmctld:slurm-wlm munged:munge
      LMCONV_FAULTS=1 run_tests --filter "^FaultTests\..*${1-}"
      ;;
    --soak)
      number "test --soak" "${1-30}" 1
      LMCONV_SOAK_MINUTES=${1-30} run_tests --filter "^FaultTests\.SoakTests"
      ;;
    --fuzz)
      number "test --fuzz" "${1-110000}" 1
      set_up
      exec "$root/Tests/fuzz.sh" "$@"
      ;;
    --sanitize)
      case ${1-} in
        address | thread) ;;
        *) die "test --sanitize needs address or thread, not '${1-}'" ;;
      esac
      set_up
      exec "$root/Tests/sanitize.sh" "$@"
      ;;
    --browser)
      # Says itself which browser it needs: too large to be installed without being asked.
      build
      python3 "$root/Tests/browser_test.py" "$lmconv" "$@"
      ;;
    --tensorboard)
      provide_tensorboard
      run_tests --filter MonitoringTests
      ;;
    --docs)
      build
      python3 "$root/Tests/docs_test.py" "$@"
      ;;
    --package) exec "$root/Tests/package_tests.sh" ;;
    --newcomer) exec "$root/Tests/newcomer_tests.sh" ;;
  esac
}

case ${1-} in
  '') train_evaluate_complete ;;
  help | --help | -h) usage ;;
  setup)
    set_up
    build
    ;;
  install)
    shift
    install_program "$@"
    ;;
  test)
    shift
    case ${1-} in
      --faults | --soak | --fuzz | --sanitize | --browser | --tensorboard | --docs | --package | --newcomer)
        run_long_tests "$@"
        ;;
      *) run_tests "$@" ;;
    esac
    ;;
  train | evaluate | sample | complete | compress | decompress | score) run_under_mpi "$@" ;;
  --version | [!-]*)
    build
    exec "$lmconv" "$@"
    ;;
  *) die "'$1' is an option, a command must come first; see ./launch.sh help" ;;
esac
