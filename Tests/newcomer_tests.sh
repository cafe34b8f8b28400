#!/usr/bin/env bash
# Does what a newcomer does, in a new Debian with nothing but git and Swift: clones this repository's last commit, runs the
# README's two commands, then every command of the tutorial as it is written: ./launch.sh test --newcomer.
# Needs root and debootstrap; some half an hour on two cores.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
script=newcomer_tests.sh
# shellcheck source=Tests/debian_root.sh
source "$here/Tests/debian_root.sh"

swift=$(readlink -f "$(command -v swift)")
toolchain=${swift%/usr/bin/*}
[[ -n $toolchain && $toolchain != "$swift" ]] ||
  die "Swift must be in a folder of its own, such as /usr/local/swift, to be shown inside; it is at $swift"
[[ -z $(git -C "$here" status --porcelain) ]] || echo "$script: what is not committed is not tested" >&2

# shell_blocks FILE: its blocks of shell commands, each in a file of its own in the order of the page.
shell_blocks() {
  rm -rf "$work/blocks"
  mkdir "$work/blocks"
  awk -v folder="$work/blocks" '
    /^```sh$/ { block = sprintf("%s/%02d.sh", folder, ++count); print "set -euo pipefail" >block; next }
    /^```/ { block = "" }
    block { print >block }' "$1"
}

# run_block NAME FILE FOLDER: counts whether a block of commands succeeds inside, in a folder there.
run_block() {
  local code=0 start=$SECONDS
  inside "PATH=$toolchain/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" OMPI_ALLOW_RUN_AS_ROOT=1 \
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 bash -c "cd '$3' && exec bash /dev/stdin" <"$2" >"$work/output" 2>&1 || code=$?
  if ((code == 0)); then
    passed=$((passed + 1))
    printf '%s: %s (%d s)\n' "$script" "$1" $((SECONDS - start)) >&2
  else
    failed=$((failed + 1))
    printf 'not so: %s\n%s\n  exit code: %s\n  output: %s\n' "$1" "$(sed 's/^/  $ /' "$2")" "$code" "$(tail -n 25 "$work/output")"
  fi
}

make_debian
mount_inside "$toolchain"
# Where git takes repositories from folders of this machine, it does so inside, too.
if [[ -e /etc/gitconfig ]]; then
  git config --file /etc/gitconfig --get-regexp '^url\./.*\.insteadof$' | while read -r key address; do
    folder=${key#url.}
    echo "${folder%.insteadof} $address"
  done >"$work/folders" || true
fi
# What Swift's own installation page asks for on Debian, of which a program like this needs little; and git.
inside DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git ca-certificates binutils gcc \
  libc6-dev libstdc++-12-dev libgcc-12-dev libncurses6 libcurl4 libxml2 libz3-4 libedit2 libsqlite3-0 \
  >"$work/apt.log" 2>&1 || die "the base system was not installed: $(tail -n 3 "$work/apt.log")"
if [[ -s $work/folders ]]; then
  while read -r folder address; do
    inside git config --system --add "url.$folder.insteadOf" "$address"
    if ! mountpoint -q "$work/root${folder%/}"; then mount_inside "${folder%/}"; fi
  done <"$work/folders"
  inside git config --system safe.directory '*'
fi
git clone --quiet --bare "$here" "$work/root/srv/lmconv.git"

shell_blocks "$here/README.md"
sed -i 's#ADDRESS-OF-THIS-REPOSITORY#/srv/lmconv.git#' "$work/blocks/01.sh"
run_block "the README's two commands" "$work/blocks/01.sh" /root
shell_blocks "$here/docs/tutorial.md"
[[ -e $work/blocks/01.sh ]] || die "the tutorial has no commands"
for block in "$work"/blocks/*.sh; do
  run_block "the tutorial, block $((10#$(basename "$block" .sh)))" "$block" /root/lmconv
done
conclude newcomer
