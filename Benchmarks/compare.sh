#!/usr/bin/env bash
# Compares lmconv with PyTorch and with this machine's limits: all programs in turn, in one run. Prints the targets with
# what was measured, and keeps it in Benchmarks/results.json. Needs `pip install torch` for the Python that PYTHON names
# (default: python3). About ten minutes on two cores; nothing else should run meanwhile. --help tells the options.
# `compare.sh sample` compares sampling and coding instead, with the model that ./launch.sh trained.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}

"$python" -c 'import torch' 2>/dev/null || {
  echo "compare.sh: $python cannot import torch; run '$python -m pip install torch', or set PYTHON to one that can" >&2
  exit 1
}
"$root/launch.sh" --version >/dev/null # builds lmconv if needed
if [[ ${1-} == sample ]]; then
  shift
  exec "$python" "$root/Benchmarks/sampling.py" "$@"
fi
exec "$python" "$root/Benchmarks/compare.py" "$@"
