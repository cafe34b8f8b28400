#!/usr/bin/env bash
# Builds the Debian package and uses it in a new Debian without Swift and without this project: ./launch.sh test --package.
# Needs root, debootstrap and dpkg-dev; some five minutes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
script=package_tests.sh
# shellcheck source=Tests/debian_root.sh
source "$here/Tests/debian_root.sh"
for tool in dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || die "$tool is missing; run: apt-get install dpkg-dev"
done

package=$("$here/Tools/debian-package.sh" "$work")
make_debian
cp "$package" "$work/root/tmp/lmconv.deb"

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

conclude package
