#!/usr/bin/env python3
"""Turns checkpoints of the paper's PyTorch code into safetensors files, and back. Needs torch and numpy.

`lmconv import` and `lmconv export` call it; by itself:
  python3 Tools/import_pth.py import CHECKPOINT.pth MODEL.safetensors
  python3 Tools/import_pth.py export MODEL.safetensors CHECKPOINT.pth

A checkpoint is a dictionary with epoch, global_step, args, model_state_dict, optimizer_state_dict and ema_state_dict, or a
state dictionary alone. Only model_state_dict is taken: the code's moving average follows its first parameter only, so that
the others' averages are their initial values. Unpickling is limited to tensors and plain values: a file cannot run code.
"""

import collections
import os
import pickle
import sys

import numpy
import torch

from read_run import FormatError, read_safetensors, write_safetensors

NUMBERS = ("epoch", "global_step")


def import_checkpoint(source, target):
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        # torch's advice to unpickle anything is not ours.
        raise FormatError(f"{source}: not a checkpoint of tensors and plain values: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise FormatError(f"{source}: a {type(content).__name__}, expected a dictionary")
    parameters = content.get("model_state_dict", content)
    metadata = {key: str(content[key]) for key in NUMBERS if isinstance(content.get(key), int)}
    if isinstance(content.get("configuration"), str):
        metadata["configuration"] = content["configuration"]
    if not parameters or not all(isinstance(value, torch.Tensor) for value in parameters.values()):
        raise FormatError(f"{source}: no model_state_dict, and not a dictionary of tensors; it has "
                          + ", ".join(map(str, list(content)[:8])))
    # torch.nn.DataParallel puts this before every name.
    if all(name.startswith("module.") for name in parameters):
        parameters = {name[len("module."):]: value for name, value in parameters.items()}
    tensors = {}
    for name, value in parameters.items():
        if value.dtype not in (torch.float32, torch.float16, torch.bfloat16):
            raise FormatError(f"{source}: tensor '{name}' is {value.dtype}, expected torch.float32")
        tensors[name] = value.detach().to(torch.float32).contiguous().numpy()
    write_safetensors(target, tensors, metadata)


def export_checkpoint(source, target):
    tensors, metadata = read_safetensors(source)
    # Copies: torch does not share memory that must not be written.
    parameters = collections.OrderedDict((name, torch.from_numpy(numpy.array(t))) for name, t in tensors.items())
    content = {
        "epoch": int(metadata.get("epoch", 0)),
        "global_step": int(metadata.get("global_step", metadata.get("step", 0))),
        "args": {},
        "model_state_dict": parameters,
    }
    if "configuration" in metadata:
        content["configuration"] = metadata["configuration"]
    temporary = f"{target}.tmp-{os.getpid()}"
    torch.save(content, temporary)
    os.replace(temporary, target)


def main():
    directions = {"import": import_checkpoint, "export": export_checkpoint}
    if len(sys.argv) != 4 or sys.argv[1] not in directions:
        print(__doc__.strip())
        sys.exit(0 if "--help" in sys.argv else 64)
    try:
        directions[sys.argv[1]](sys.argv[2], sys.argv[3])
    except (FormatError, OSError) as error:
        sys.exit(f"import_pth.py: error: {error}")


main()
