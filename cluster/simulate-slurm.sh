#!/usr/bin/env bash
# Runs a command under a Slurm of its own on this machine: see usage below, or simulate-slurm.sh --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: cluster/simulate-slurm.sh [--nodes N] [--slots N] COMMAND [ARGUMENT...]

Starts Slurm's controller and N nodes (1 to 16, default 2) with some slots (default 2) each on this machine, runs COMMAND
where sbatch, squeue and scancel reach them, and ends all of it again, however COMMAND ends. It runs in process and network
namespaces of its own, apart from any other Slurm; files and processors are this machine's.

There are two partitions: "normal", and "urgent", whose jobs take nodes from running ones; those get the signal of their
--signal option, 60 seconds to end, and go back to the queue.
Needs root, and Debian's slurm-wlm, munge and iproute2.

examples:
  cluster/simulate-slurm.sh sh -c 'sinfo; srun -N 2 hostname'
  cluster/simulate-slurm.sh bash
TEXT
}

die() {
  printf 'simulate-slurm.sh: %s\n' "$*" >&2
  exit 64
}

nodes=2
slots=2
while [[ ${1-} == -* ]]; do
  case $1 in
    -h | --help)
      usage
      exit
      ;;
    --nodes | --slots)
      [[ ${2-} =~ ^([1-9]|1[0-6])$ ]] || die "$1 must be 1 to 16, it is '${2-}'"
      if [[ $1 == --nodes ]]; then nodes=$2; else slots=$2; fi
      shift 2
      ;;
    *) die "unknown option $1; see --help" ;;
  esac
done
(($# > 0)) || die "no command; see --help"
((EUID == 0)) || die "making namespaces needs root: run it with sudo"
export PATH=$PATH:/usr/sbin:/sbin
for tool in slurmctld:slurm-wlm slurmd:slurm-wlm sbatch:slurm-wlm munged:munge ip:iproute2 unshare:util-linux; do
  type -P "${tool%:*}" >/dev/null || die "${tool%:*} is missing: apt-get install ${tool#*:}"
done

address=10.213.98.1

# --- Inside the namespaces --------------------------------------------------------------------------------------------

# The first process of the namespace: when it ends, the system ends all others there.
if [[ -n ${LMCONV_SLURM_FILES-} ]]; then
  files=$LMCONV_SLURM_FILES
  unset LMCONV_SLURM_FILES
  # Slurm wants an address that is not the loopback's; what is sent to it does not leave this machine.
  ip link add eth0 type veth peer name unused
  ip address add "$address/24" dev eth0
  ip link set lo up
  ip link set unused up
  ip link set eth0 up
  head -c 1024 /dev/urandom >"$files/munge-key"
  chmod 600 "$files/munge-key"
  munged --force --foreground --key-file "$files/munge-key" --socket "$files/munge" --pid-file "$files/munge-pid" \
    --log-file "$files/munge-log" --seed-file "$files/munge-seed" &>"$files/munge-output" &
  export SLURM_CONF=$files/slurm.conf
  slurmctld -D -f "$SLURM_CONF" &>"$files/controller-output" &
  for ((node = 1; node <= nodes; node++)); do
    slurmd -D -f "$SLURM_CONF" -N "node$node" &>"$files/node$node-output" &
  done
  for ((attempt = 0; ; attempt++)); do
    if [[ $(timeout 2 sinfo -h -N -t idle -p normal 2>/dev/null | wc -l) == "$nodes" ]]; then break; fi
    if ((attempt == 150)); then
      tail -n 5 "$files"/*-output "$files"/*-log "$files"/*.log >&2 || true
      printf 'simulate-slurm.sh: the nodes are not ready after 30 s, see above\n' >&2
      exit 1
    fi
    sleep 0.1
  done
  # In the background, so that the first process answers signals and collects what others leave.
  "$@" <&0 &
  job=$!
  trap 'exit 143' TERM
  status=0
  wait "$job" || status=$?
  exit "$status"
fi

# --- Outside ----------------------------------------------------------------------------------------------------------

# Named after the process that made it, so that what a killed one left can be told from what is in use.
state=/run/lmconv-slurm
mkdir -p "$state"
for left in "$state"/*; do
  if [[ -d $left && ! -d /proc/${left##*/} ]]; then rm -rf "$left"; fi
done
files=$state/$$
inside=
# shellcheck disable=SC2317  # reached by the trap
# shellcheck disable=SC2317,SC2329  # a trap runs it
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  if [[ -n $inside ]]; then
    # Takes its child, the first process of the namespace, with it.
    kill -KILL "$inside" 2>/dev/null || true
    wait "$inside" 2>/dev/null || true
  fi
  rm -rf "$files"
  rmdir "$state" 2>/dev/null || true # others may use it
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
mkdir -m 755 "$files"
mkdir "$files/state"

cat >"$files/slurm.conf" <<TEXT
ClusterName=simulated
SlurmctldHost=$(uname -n)($address)
SlurmctldPort=6817
AuthType=auth/munge
AuthInfo=socket=$files/munge
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$files/state
SlurmdSpoolDir=$files/spool-%n
SlurmctldPidFile=$files/controller-pid
SlurmdPidFile=$files/%n-pid
SlurmctldLogFile=$files/controller.log
SlurmdLogFile=$files/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5,batch_sched_delay=0,requeue_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=30
InactiveLimit=0
$(for ((node = 1; node <= nodes; node++)); do
  echo "NodeName=node$node NodeHostname=$(uname -n) NodeAddr=$address Port=$((6817 + node)) CPUs=$slots State=UNKNOWN"
done)
PartitionName=normal Nodes=ALL Default=YES PriorityTier=1 GraceTime=60 State=UP
PartitionName=urgent Nodes=ALL PriorityTier=2 PreemptMode=OFF State=UP
TEXT

# Nodes have one host name, and so would share the names of their shared memory.
export OMPI_MCA_btl=tcp,self OMPI_MCA_pml=ob1 OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
LMCONV_SLURM_FILES=$files unshare --pid --net --mount-proc --fork --kill-child=KILL \
  "$(readlink -f "${BASH_SOURCE[0]}")" --nodes "$nodes" --slots "$slots" "$@" <&0 &
inside=$!
status=0
wait "$inside" || status=$?
inside=
exit "$status"
