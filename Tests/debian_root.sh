# shellcheck shell=bash
# A new Debian in a folder, of this machine's release, to try things in that must not depend on what is installed here.
# Sourced by scripts of this folder, which set `script` to their names. Needs root and debootstrap.

die() {
  printf '%s: %s\n' "${script:?}" "$*" >&2
  exit 1
}

((EUID == 0)) || die "only root can make a new Debian: run it with sudo"
command -v debootstrap >/dev/null || die "debootstrap is missing; run: apt-get install debootstrap"

work=$(mktemp -d)
mounts=()
clean_up() {
  local place
  for place in "${mounts[@]}"; do umount -R "$place" || true; done
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

# mount_inside FOLDER: shows a folder of this machine at the same place inside, not to be written to.
mount_inside() {
  mkdir -p "$work/root$1"
  mount --bind "$1" "$work/root$1"
  mounts=("$work/root$1" "${mounts[@]}")
  mount -o remount,bind,ro "$work/root$1"
}

# Makes it, with the mirror and the proxies of this machine, in $work/root.
make_debian() {
  local release mirror
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -oE '^(URIs:|deb).*https?://[^ ]+' | grep -v security | grep -oE 'https?://[^ ]+' | head -n 1) || true
  [[ -n $mirror ]] || die "no mirror of Debian is named in /etc/apt"
  debootstrap --variant=minbase "$release" "$work/root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    die "debootstrap: $(tail -n 3 "$work/debootstrap.log")"
  cp -R /etc/apt/. "$work/root/etc/apt/"
  cp /etc/resolv.conf "$work/root/etc/"
  if [[ -d /usr/local/share/ca-certificates ]]; then
    cp -R /usr/local/share/ca-certificates "$work/root/usr/local/share/"
  fi
  mount -t proc proc "$work/root/proc"
  mount --rbind /dev "$work/root/dev"
  mount --make-rslave "$work/root/dev"
  mounts=("$work/root/proc" "$work/root/dev" "${mounts[@]}")
  inside apt-get update >"$work/apt.log" 2>&1 || die "apt-get update: $(tail -n 3 "$work/apt.log")"
}

# inside [NAME=VALUE...] COMMAND...: runs a command in it.
inside() {
  chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

passed=0
failed=0

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

# Says how many expectations held, and whether all did.
conclude() {
  printf '%s: %d passed, %d failed\n' "$1" "$passed" "$failed"
  ((failed == 0 && passed > 0))
}
