#!/usr/bin/env bash
# Makes the Swift sources of the protocol buffer messages in Sources/TensorFlowFormats anew from their .proto files; due when
# these, or the version of swift-protobuf, change. Needs protoc (Debian's protobuf-compiler); builds protoc-gen-swift from the
# package that the project depends on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v protoc >/dev/null || {
  echo "generate-messages.sh: protoc is missing; install protobuf-compiler" >&2
  exit 1
}
swift package resolve
build=(swift build --package-path .build/checkouts/swift-protobuf --scratch-path .build-protobuf --product protoc-gen-swift)
"${build[@]}"
plugin=$("${build[@]}" --show-bin-path)/protoc-gen-swift
folder=Sources/TensorFlowFormats
protoc --plugin=protoc-gen-swift="$plugin" --proto_path="$folder" --swift_out="$folder" --swift_opt=Visibility=Package \
  "$folder"/*.proto
