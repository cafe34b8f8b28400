#!/usr/bin/env python3
"""Reads runs of lmconv with NumPy alone: checkpoints' tensors and the metrics.

As a module:
  from read_run import read_safetensors, write_safetensors, latest_checkpoint, read_metrics
  tensors, metadata = read_safetensors("runs/digits/checkpoints/step-00001000/ema.safetensors")
  tensors["u_init.weight"].shape                       # (32, 2, 3, 3): [out, in, rows, columns]
  steps, nats = read_metrics("runs/digits", "nats")

As a program, it describes a run:
  python3 Tools/read_run.py runs/digits
"""

import json
import os
import pathlib
import re
import sys

import numpy

TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
    "BOOL": "?",
}
HEADER_LIMIT = 100_000_000


class FormatError(ValueError):
    """A file is not what its name says."""


def read_safetensors(path):
    """The tensors of a safetensors file by name, in the order of their bytes, as arrays that map the file; and its
    metadata, texts by name."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(HEADER_LIMIT, size - 8):
            raise FormatError(f"{path}: byte 0: a header of {length} bytes in a file of {size}")
        try:
            header = json.loads(file.read(length))
        except ValueError as error:
            raise FormatError(f"{path}: byte 8: the header is not JSON: {error}") from None
    metadata = header.pop("__metadata__", {})
    start = 8 + length
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in TYPES:
            raise FormatError(f"{path}: tensor '{name}' is {entry['dtype']}, which NumPy does not have")
        dtype = numpy.dtype(TYPES[entry["dtype"]])
        count = int(numpy.prod(entry["shape"], dtype=numpy.int64))
        if end - begin != count * dtype.itemsize or start + end > size:
            raise FormatError(f"{path}: byte {start + begin}: tensor '{name}' {entry['shape']} has {end - begin} bytes")
        if count == 0:
            tensors[name] = numpy.zeros(entry["shape"], dtype)
        else:
            tensors[name] = numpy.memmap(path, dtype, "r", start + begin, tuple(entry["shape"]))
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    """Writes `tensors`, arrays by name, and `metadata`, texts by name: whole, or not at all."""
    names = {numpy.dtype(notation): name for name, notation in TYPES.items()}
    header, offset = {"__metadata__": metadata} if metadata else {}, 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]
        }
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = f"{path}.tmp-{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(numpy.ascontiguousarray(array).tobytes())
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def latest_checkpoint(run):
    """The folder of the newest checkpoint of the run in folder `run`. lmconv itself also verifies its checksums."""
    folders = [
        folder
        for folder in pathlib.Path(run, "checkpoints").glob("step-*")
        if re.fullmatch(r"step-\d{8,}", folder.name) and (folder / "state.json").is_file()
    ]
    if not folders:
        raise FormatError(f"{run}: no checkpoint in {run}/checkpoints")
    return max(folders, key=lambda folder: int(folder.name[len("step-"):]))


def read_records(run):
    """The records of metrics.jsonl, a dictionary each. A last line that is cut off, as a run under way may show it, is
    left out."""
    path = pathlib.Path(run, "metrics.jsonl")
    records = []
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise FormatError(f"{path}: line {number}: {error}") from None
    return records


def read_metrics(run, key):
    """Steps and values, as arrays, of all records of training steps that have `key`, such as nats or gradient_norm."""
    records = [r for r in read_records(run) if "event" not in r and key in r]
    return numpy.array([r["step"] for r in records], int), numpy.array([float(r[key]) for r in records])


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        sys.exit(0 if "-h" in sys.argv or "--help" in sys.argv else 64)
    run = sys.argv[1]
    folder = latest_checkpoint(run)
    state = json.loads((folder / "state.json").read_text())["state"]
    print(f"{folder}: step {state['step']}, {state['imagesSeen']} images seen")
    for name in ("model", "ema"):
        path = folder / f"{name}.safetensors"
        if path.is_file():
            tensors, _ = read_safetensors(path)
            squares = sum(float(numpy.square(t, dtype=numpy.float64).sum()) for t in tensors.values())
            print(f"{name}: {len(tensors)} tensors, {sum(t.size for t in tensors.values())} values, norm {squares**0.5:.6g}")
    steps, nats = read_metrics(run, "nats")
    if len(steps):
        print(f"nats: {nats[0]:.2f} at step {steps[0]}, {nats[-1]:.2f} at step {steps[-1]}")


if __name__ == "__main__":
    try:
        main()
    except (FormatError, OSError) as error:
        sys.exit(f"read_run.py: error: {error}")
