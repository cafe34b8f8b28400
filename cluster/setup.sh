#!/usr/bin/env bash
# Prepares a host for training: see usage below, or setup.sh --help. May be run again at any time.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: cluster/setup.sh [--hosts FILE]       on the first host: packages, build, ssh key, and whether all hosts answer
       cluster/setup.sh --run-time           on the other hosts: only what it takes to run what is built elsewhere

Installs with apt-get what is missing, with sudo unless root runs it, and builds lmconv unless it is built. Makes an ssh key
without a passphrase if there is none, and tells the command that makes a host accept it; changes nothing on other hosts.
The exit code is 0 when this host, and all hosts of FILE, are ready.
TEXT
}

# Where ldconfig and sshd are.
PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf 'setup.sh: %s\n' "$*" >&2; }

die() {
  say "$@"
  exit 1
}

hosts=
runs_only=false
while (($# > 0)); do
  case $1 in
    -h | --help)
      usage
      exit
      ;;
    --hosts)
      [[ -r ${2-} && ! -d $2 ]] || die "--hosts: cannot read the host file '${2-}'"
      hosts=$2
      shift 2
      ;;
    --run-time)
      runs_only=true
      shift
      ;;
    *) die "unknown option $1; see --help" ;;
  esac
done

# install THING:PACKAGE...: the packages whose thing is not there: a program, or a library's file name.
install() {
  local pair thing packages=() as_root=() libraries
  libraries=$(ldconfig -p)
  for pair; do
    thing=${pair%%:*}
    if ! type -P "$thing" >/dev/null && [[ $libraries != *"$thing "* ]]; then
      packages+=("${pair#*:}")
    fi
  done
  if ((${#packages[@]} == 0)); then
    say "packages: nothing is missing"
    return
  fi
  command -v apt-get >/dev/null || die "missing: ${packages[*]}; there is no apt-get: install what these Debian packages hold"
  if ((EUID != 0)); then as_root=(sudo); fi
  say "packages: installing ${packages[*]}"
  "${as_root[@]}" apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

install mpirun:openmpi-bin libopenblas.so.0:libopenblas0-pthread libpng16.so.16:libpng16-16 \
  libturbojpeg.so.0:libturbojpeg0 libexif.so.12:libexif12 libz.so.1:zlib1g ssh:openssh-client sshd:openssh-server

lmconv=$root/.build/release/lmconv
if $runs_only; then
  [[ -x $lmconv ]] || die "$lmconv is missing: share the project's folder with the host where it is built, or copy it"
  version=$("$lmconv" --version) || die "$lmconv does not start, see above"
  say "$version starts"
else
  "$root/launch.sh" setup
  version=$("$lmconv" --version) || die "$lmconv does not start, see above"
  say "$version is built"
fi

if ! $runs_only; then
  keys=("$HOME"/.ssh/id_*.pub)
  if [[ -e ${keys[0]} ]]; then
    say "ssh key: ${keys[0]}"
  else
    say "ssh key: making $HOME/.ssh/id_ed25519"
    (umask 077 && mkdir -p "$HOME/.ssh")
    ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519"
  fi
fi

if [[ -n $hosts ]]; then
  refused=()
  read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh}"
  while read -r host; do
    if "${shell[@]}" -o BatchMode=yes -o ConnectTimeout=10 "$host" true </dev/null; then
      say "host $host: answers"
    else
      refused+=("$host")
      say "host $host: does not answer without a password, see above; to make it: ssh-copy-id $host"
    fi
  done < <(sed 's/#.*//' "$hosts" | awk 'NF && !seen[$1]++ { print $1 }')
  ((${#refused[@]} == 0)) || die "not ready: ${refused[*]}"
fi
say "ready"
