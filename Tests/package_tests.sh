#!/usr/bin/env bash
# Builds the Debian package and uses it in a new Debian without Swift and without this project: ./launch.sh test --package.
# Needs root, debootstrap and dpkg-dev; some five minutes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
passed=0
failed=0

die() {
  printf 'package_tests.sh: %s\n' "$*" >&2
  exit 1
}

((EUID == 0)) || die "only root can make a new Debian: run it with sudo"
for tool in debootstrap dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || die "$tool is missing; run: apt-get install debootstrap dpkg-dev"
done

work=$(mktemp -d)
clean_up() {
  local place
  for place in proc dev; do
    if mountpoint -q "$work/root/$place"; then umount "$work/root/$place"; fi
  done
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

package=$("$here/Tools/debian-package.sh" "$work")

# The release, the mirror and the proxies of this machine.
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE '^(URIs:|deb).*https?://[^ ]+' |
  grep -v security | grep -oE 'https?://[^ ]+' | head -n 1) || true
[[ -n $mirror ]] || die "no mirror of Debian is named in /etc/apt"
debootstrap --variant=minbase "$release" "$work/root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
  die "debootstrap: $(tail -n 3 "$work/debootstrap.log")"
cp -R /etc/apt/. "$work/root/etc/apt/"
cp /etc/resolv.conf "$work/root/etc/"
if [[ -d /usr/local/share/ca-certificates ]]; then cp -R /usr/local/share/ca-certificates "$work/root/usr/local/share/"; fi
mount -t proc proc "$work/root/proc"
mount --bind /dev "$work/root/dev"
cp "$package" "$work/root/tmp/lmconv.deb"

inside() {
  chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

# expect NAME TEXT COMMAND...: counts whether the command succeeds inside and its output has the text.
expect() {
  local name=$1 text=$2 output code=0
  shift 2
  output=$(inside "$@" 2>&1 </dev/null) || code=$?
  if ((code == 0)) && [[ $output == *"$text"* ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'not so: %s\n  command: %s\n  exit code: %s\n  expected: %s\n  output: %s\n' \
      "$name" "$*" "$code" "$text" "$(tail -n 15 <<<"$output")"
  fi
}

inside apt-get update >"$work/apt.log" 2>&1 || die "apt-get update: $(tail -n 3 "$work/apt.log")"
expect "apt installs the package and what it needs" "" \
  apt-get install -y --no-install-recommends /tmp/lmconv.deb
expect "there is no Swift" "" bash -c '! command -v swift'
expect "it starts" "lmconv 0." lmconv --version
expect "the machine is fit" "fit to train" lmconv doctor
expect "it trains under mpirun" "done:" lmconv-launch train --ranks 2 --run-dir /root/run \
  --config /usr/lib/lmconv/configurations/digits.yaml --set training.steps=3 --set model.filters=8 --set evaluation.images=4
expect "it completes digits" "observed, completed and true" \
  lmconv complete /root/run --missing bottom --count 2 --out /root/completions.png
expect "it tells where its files are" "/usr/lib/lmconv/launch.sh" dpkg -L lmconv
# shellcheck disable=SC2016  # for the shell inside
expect "bash completes its commands" "train" bash -c \
  'source /usr/share/bash-completion/completions/lmconv && COMP_WORDS=(lmconv tra) COMP_CWORD=1 && _lmconv lmconv tra lmconv && echo "${COMPREPLY[@]}"'
expect "its manual can be read" "lmconv" bash -c 'gzip -dc /usr/share/man/man1/lmconv.train.1.gz'
expect "apt removes it" "" apt-get remove -y lmconv
expect "and leaves nothing" "" bash -c '[[ ! -e /usr/lib/lmconv && ! -e /usr/bin/lmconv ]]'

printf 'package: %d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
