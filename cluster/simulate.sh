#!/usr/bin/env bash
# Runs a command on N hosts that are network namespaces of this machine: see usage below, or simulate.sh --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: cluster/simulate.sh N [--rate RATE] COMMAND [ARGUMENT...]

Makes N hosts (1 to 64) of this machine, runs COMMAND on the first and removes them again, however COMMAND ends. A host is a
network namespace with an address, an ssh server and a host name of its own; a bridge in one more namespace joins them.
Nothing of it can be reached from outside, nor reaches out. All share this machine's file system, processors and memory.

  --rate RATE   limit each host's link in both directions, in tc's words: 1gbit, 100mbit

{hostfile} in COMMAND stands for an Open MPI host file, also in $HOSTFILE, with one slot a host; mpirun finds its way by
itself. Each rank believes that all processors are its own, so give it a share of them and one thread.
$SIMULATION is the beginning of the namespaces' names: with -1 it is the first host, with -bridge where the other ends of the
links are. To cut host 2 off and join it again, while COMMAND runs:
  ip -netns $SIMULATION-bridge link set port2 down
  ip -netns $SIMULATION-bridge link set port2 up
Needs root, and Debian's iproute2, openssh-server and openmpi-bin.

examples:
  cluster/simulate.sh 3 mpirun --hostfile {hostfile} -n 3 hostname
  cluster/simulate.sh 2 --rate 1gbit mpirun --hostfile {hostfile} -n 2 --bind-to none \
    sh -c 'exec taskset -c $OMPI_COMM_WORLD_RANK .build/release/lmconv benchmark --threads 1'
  cluster/simulate.sh 2 ./launch.sh train --config configurations/digits.yaml --run-dir runs/two --hosts {hostfile}
TEXT
}

die() {
  printf 'simulate.sh: %s\n' "$*" >&2
  exit 64
}

case ${1-} in
  -h | --help)
    usage
    exit
    ;;
esac
[[ ${1-} =~ ^([1-9]|[1-5][0-9]|6[0-4])$ ]] || die "the number of hosts must be 1 to 64, it is '${1-}'; see --help"
hosts=$1
shift
rate=
while [[ ${1-} == --* ]]; do
  case $1 in
    --rate)
      [[ ${2-} =~ ^[1-9][0-9]*[kmg]bit$ ]] || die "--rate needs a number with kbit, mbit or gbit, not '${2-}'"
      rate=$2
      shift 2
      ;;
    *) die "unknown option $1; see --help" ;;
  esac
done
(($# > 0)) || die "no command; see --help"
((EUID == 0)) || die "making network namespaces needs root: run it with sudo"
# sshd wants to be started by its full path.
sshd=$(PATH=$PATH:/usr/sbin:/sbin type -P sshd) || die "sshd is missing: apt-get install openssh-server"
for tool in ip:iproute2 tc:iproute2 ssh-keygen:openssh-client unshare:util-linux mpirun:openmpi-bin; do
  type -P "${tool%:*}" >/dev/null || die "${tool%:*} is missing: apt-get install ${tool#*:}"
done

# Names hold the process that made them, so that what a killed one left can be told from what is in use.
prefix=lmconv-simulated
state=/run/$prefix
# Where sshd confines what is not logged in yet; it does not start without.
privileges=/run/sshd

# remove OWNER: ends all that runs in the namespaces that process OWNER made, and removes them and its files.
remove() {
  local namespace pids
  for namespace in $(ip netns list | awk -v start="$prefix-$1-" 'index($1, start) == 1 { print $1 }'); do
    # What has just been started may start more; the names of processes do not matter here, only where they are.
    for _ in 1 2 3 4 5; do
      mapfile -t pids < <(ip netns pids "$namespace")
      ((${#pids[@]} > 0)) || break
      kill -KILL "${pids[@]}" 2>/dev/null || true
      sleep 0.05
    done
    ip netns delete "$namespace"
  done
  [[ ! -e $state/$1/made-privilege-folder ]] || rmdir "$privileges" 2>/dev/null || true
  rm -rf "${state:?}/$1"
  rmdir "$state" 2>/dev/null || true # others may use it
}

owners() {
  { ip netns list | sed -n "s/^$prefix-\([0-9]*\)-.*/\1/p" && ls "$state" 2>/dev/null; } | sort -u
}

for owner in $(owners); do
  # A number that another program has got by now is left to the next time.
  [[ -d /proc/$owner ]] || remove "$owner"
done

job=
# shellcheck disable=SC2317,SC2329  # a trap runs it
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  [[ -z $job ]] || kill -TERM "$job" 2>/dev/null || true
  remove $$
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

files=$state/$$
mkdir -p "$files"
chmod 700 "$files"
if [[ ! -d $privileges ]]; then
  touch "$files/made-privilege-folder"
  mkdir -m 755 "$privileges"
fi
namespace() { echo "$prefix-$$-$1"; }
address() { echo "10.213.97.$1"; }
port=2222
network=$(address 0)/24

# The rate holds for what leaves an interface, so both ends of a link get it. The queue is long enough to lose nothing when
# several hosts send to one.
limit() { [[ -z $rate ]] || ip netns exec "$1" tc qdisc add dev "$2" root tbf rate "$rate" burst 128kb latency 20ms; }

bridge=$(namespace bridge)
ip netns add "$bridge"
ip -netns "$bridge" link add bridge type bridge
ip -netns "$bridge" link set bridge up
ssh-keygen -q -t ed25519 -N '' -f "$files/user-key"
for ((host = 1; host <= hosts; host++)); do
  name=$(namespace "$host")
  ip netns add "$name"
  ip link add eth0 netns "$name" type veth peer name "port$host" netns "$bridge"
  ip -netns "$bridge" link set "port$host" master bridge up
  ip -netns "$name" address add "$(address "$host")/24" dev eth0
  ip -netns "$name" link set eth0 up
  ip -netns "$name" link set lo up
  # Linux's default, whatever this machine prefers.
  ip -netns "$name" route change "$network" dev eth0 src "$(address "$host")" congctl cubic
  limit "$name" eth0
  limit "$bridge" "port$host"

  ssh-keygen -q -t ed25519 -N '' -f "$files/host-key-$host"
  echo "[$(address "$host")]:$port $(cut -d ' ' -f 1,2 "$files/host-key-$host.pub")" >>"$files/known-hosts"
  echo "$(address "$host") slots=1" >>"$files/hosts"
  cat >"$files/sshd-$host" <<TEXT
ListenAddress $(address "$host"):$port
HostKey $files/host-key-$host
AuthorizedKeysFile $files/user-key.pub
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 100
ClientAliveInterval 2
ClientAliveCountMax 2
TEXT
done
cat >"$files/ssh" <<TEXT
Port $port
IdentityFile $files/user-key
IdentitiesOnly yes
UserKnownHostsFile $files/known-hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
BatchMode yes
TEXT

# on HOST COMMAND...: runs it there, with the host's name.
on() {
  local host=$1
  shift
  # shellcheck disable=SC2016  # for the shell inside
  exec ip netns exec "$(namespace "$host")" unshare --uts sh -c 'hostname "$1" && shift && exec "$@"' sh "host$host" "$@"
}
for ((host = 1; host <= hosts; host++)); do
  (on "$host" "$sshd" -D -e -f "$files/sshd-$host") </dev/null >"$files/log-$host" 2>&1 &
  disown
done
for ((host = 1; host <= hosts; host++)); do
  for ((attempt = 0; ; attempt++)); do
    if [[ -n $(ip netns exec "$(namespace "$host")" ss -Hltn "sport = :$port") ]]; then break; fi
    if ((attempt == 100)); then
      cat "$files/log-$host" >&2
      die "the ssh server of host $host does not start, see above"
    fi
    sleep 0.05
  done
done

export HOSTFILE=$files/hosts SIMULATION=$prefix-$$
export OMPI_MCA_plm_rsh_agent="ssh -F $files/ssh" OMPI_MCA_btl=tcp,self OMPI_MCA_pml=ob1
export OMPI_MCA_btl_tcp_if_include=$network OMPI_MCA_oob_tcp_if_include=$network
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# In the background with the standard input of this script: only so can a signal end the wait for it.
(on 1 "${@//\{hostfile\}/$HOSTFILE}") <&0 &
job=$!
status=0
wait "$job" || status=$?
job=
exit "$status"
