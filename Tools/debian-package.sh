#!/usr/bin/env bash
# Builds a Debian package of lmconv, which runs without Swift: Tools/debian-package.sh [FOLDER] writes
# lmconv_VERSION_ARCHITECTURE.deb there (default: the folder it is called from).
set -euo pipefail

root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..
folder=${1:-.}

die() {
  printf 'debian-package.sh: %s\n' "$*" >&2
  exit 1
}

[[ $# -le 1 && $folder != -* ]] || die "usage: Tools/debian-package.sh [FOLDER]"
for tool in dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || die "$tool is missing; run: apt-get install dpkg-dev"
done
folder=$(mkdir -p "$folder" && cd "$folder" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$work/package
"$root/launch.sh" install --prefix /usr --destdir "$package"
# Debian's zsh looks in a folder of its own.
mkdir -p "$package/usr/share/zsh/vendor-completions"
mv "$package/usr/share/zsh/site-functions/_lmconv" "$package/usr/share/zsh/vendor-completions/"
rmdir "$package/usr/share/zsh/site-functions"

version=$("$package/usr/bin/lmconv" --version)
version=${version#lmconv } version=${version%% *}
architecture=$(dpkg --print-architecture)
# Which of Debian's packages hold the libraries, and of which versions.
mkdir "$work/debian"
printf 'Source: lmconv\n\nPackage: lmconv\nArchitecture: any\n' >"$work/debian/control"
libraries=$(cd "$work" && dpkg-shlibdeps -O "$package/usr/lib/lmconv/lmconv")
mkdir "$package/DEBIAN"
cat >"$package/DEBIAN/control" <<TEXT
Package: lmconv
Version: $version
Architecture: $architecture
Maintainer: lmconv developers <lmconv@localhost>
Installed-Size: $(du -sk "$package/usr" | cut -f1)
Depends: ${libraries#shlibs:Depends=}, openmpi-bin, procps
Recommends: openssh-client
Suggests: python3
Section: science
Priority: optional
Description: trainer for autoregressive image models with arbitrary generation orders
 Trains locally masked convolutional networks on one machine or, over MPI, on a
 cluster; evaluates, samples, completes and compresses images with them.
TEXT
file=$folder/lmconv_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$package" "$file" >&2
printf '%s\n' "$file"
