#!/usr/bin/env bash
# Makes a website of the pages of docs/ and of the modules' public declarations, by DocC, which comes with Swift:
#
#   Tools/documentation.sh            # into .build/documentation
#   python3 -m http.server --directory .build/documentation 8080
#
# usage: Tools/documentation.sh [FOLDER] [--base-path PATH]    PATH: where the site lies on its server (default: its root)
# Builds lmconv if needed. A link or symbol that does not resolve is an error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
  echo "documentation.sh: $*" >&2
  exit 1
}

site=$root/.build/documentation base=
while (($# > 0)); do
  case $1 in
    --base-path)
      (($# > 1)) || die "--base-path needs a path, such as /lmconv"
      base=$2 && shift
      ;;
    -*) die "unknown option '$1'; usage: Tools/documentation.sh [FOLDER] [--base-path PATH]" ;;
    *) site=$1 ;;
  esac
  shift
done
[[ ! -e $site || -e $site/metadata.json || -z $(ls -A "$site") ]] ||
  die "$site is not empty and holds no documentation; choose another folder"
"$root/launch.sh" setup >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the compiler needs to know of the C modules that Swift modules import.
build=$root/.build/release
flags=(-I "$build/Modules" -target "$(swift -print-target-info | sed -n 's/.*"triple": "\(.*\)".*/\1/p' | head -1)")
while read -r map; do flags+=(-Xcc "-fmodule-map-file=$map"); done < <(
  find "$root/Sources" "$root/.build/checkouts" "$build"/C*.build -maxdepth 5 -name module.modulemap)
for folder in "$root"/Sources/*/include; do flags+=(-I "$folder"); done
for flag in $(pkg-config --cflags-only-I ompi-c openblas libpng libturbojpeg zlib); do flags+=(-Xcc "$flag"); done

# Modules with public declarations: those of Swift that are no program.
modules=()
for folder in "$root"/Sources/*/; do
  module=$(basename "$folder")
  if [[ $module != Command && $module != C[A-Z]* ]]; then modules+=("$module"); fi
done

archives=()
convert() { # NAME FOLDER-OF-SYMBOLS CATALOG
  docc convert ${3:+"$3"} --additional-symbol-graph-dir "$2" --output-path "$work/$1.doccarchive" \
    --fallback-display-name "$1" --fallback-bundle-identifier "lmconv.$1" --fallback-default-module-kind Module \
    --warnings-as-errors ${base:+--hosting-base-path "$base"} >"$work/log" 2>&1 ||
    { cat "$work/log" >&2 && die "the documentation of $1 has errors, see above"; }
  archives+=("$work/$1.doccarchive")
}

# The pages of docs/ are articles: links to each other become links of the site, others go to the repository's files by name.
catalog=$work/Guide.docc
mkdir "$catalog"
pages=$(cd "$root/docs" && ls -- *.md)
for page in $pages; do
  sed -E -e 's#\]\((docs/)?([a-z-]+)\.md(\#[^)]*)?\)#](doc:\2)#g' -e 's#\]\((\.\./)?([A-Za-z/_.-]+/)?(README|CONTRIBUTING|CHANGELOG)\.md(\#[^)]*)?\)#]#g' \
    -e 's#\]\((docs/)?pictures/([^)]*)\)#](\2)#g' "$root/docs/$page" >"$catalog/$page"
done
cp "$root"/docs/pictures/* "$catalog/"
{
  printf '# Guide\n\nAutoregressive models of images that generate pixels in any order, trained on one machine or a cluster.\n\n'
  printf '@Metadata {\n  @TechnologyRoot\n}\n\n## Topics\n\n### Pages\n\n'
  for page in $pages; do printf -- '- <doc:%s>\n' "${page%.md}"; done
} >"$catalog/Guide.md"
mkdir "$work/none"
convert Guide "$work/none" "$catalog"

for module in "${modules[@]}"; do
  mkdir "$work/$module"
  swift symbolgraph-extract -module-name "$module" "${flags[@]}" -minimum-access-level public -skip-synthesized-members \
    -output-dir "$work/$module" || die "the declarations of $module cannot be read, see above"
  # Extensions of other modules' types are not documentation of those modules.
  rm -f "$work/$module"/*@*.json
  convert "$module" "$work/$module" ''
done

rm -rf "$site"
mkdir -p "$(dirname "$site")"
docc merge "${archives[@]}" --synthesized-landing-page-name lmconv --synthesized-landing-page-topics-style list \
  --output-path "$site"
echo "documentation.sh: ${#modules[@]} modules and $(wc -w <<<"$pages") pages in $site"
