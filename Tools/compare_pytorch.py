#!/usr/bin/env python3
"""Times the paper's network in PyTorch, to compare lmconv with. Needs `pip install torch`.

Variants of the same network:
  masked               the paper's locally masked convolution: unfold, mask, matrix product (recomputed in the backward)
  dense                an ordinary dense convolution instead, no masks; contiguous activations
  dense-channels-last  the same, activations in PyTorch's channels_last format

Prints JSON: seconds of training steps (forward, backward, Adam) and of forward passes without gradients, and the peak
resident memory. With --serve, commands come from standard input: `train`, `forward` and `quit`; each measurement
answers with one line of JSON, so that a script can measure several programs in turn.

examples:
  python3 Tools/compare_pytorch.py --variant masked --repetitions 5
  python3 Tools/compare_pytorch.py --variant dense-channels-last --filters 32 --blocks 1 --threads 1
"""

import argparse
import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

PAPER_PARAMETERS = 46_072_360  # 160 filters, 5 blocks, RGB


class MaskedConvolution(torch.autograd.Function):
    """The paper's function (section 4): the columns of unfold, masked, times the weight; unfolded again for the backward."""

    @staticmethod
    def columns(x, mask, kernel, dilation):
        batch, channels = x.shape[:2]
        columns = F.unfold(x, kernel, dilation=dilation, padding=dilation * (kernel // 2))
        return (columns.view(batch * channels, kernel * kernel, -1) * mask).view(columns.shape)

    @staticmethod
    def forward(ctx, x, mask, weight, bias, dilation):
        ctx.save_for_backward(x, mask, weight)
        ctx.dilation = dilation
        columns = MaskedConvolution.columns(x, mask, weight.shape[2], dilation)
        y = weight.view(weight.shape[0], -1).matmul(columns) + bias[:, None]
        return y.view(x.shape[0], -1, *x.shape[2:])

    @staticmethod
    def backward(ctx, dy):
        x, mask, weight = ctx.saved_tensors
        kernel = weight.shape[2]
        dy = dy.reshape(*dy.shape[:2], -1)
        columns = MaskedConvolution.columns(x, mask, kernel, ctx.dilation)
        d_weight = dy.matmul(columns.transpose(1, 2)).sum(0).view(weight.shape)
        dx = None
        if ctx.needs_input_grad[0]:
            d_columns = weight.view(weight.shape[0], -1).t().matmul(dy)
            d_columns = d_columns.view(-1, kernel * kernel, d_columns.shape[2]).mul_(mask).view(d_columns.shape)
            dx = F.fold(d_columns, x.shape[2:], kernel, dilation=ctx.dilation, padding=ctx.dilation * (kernel // 2))
        return dx, None, d_weight, dy.sum((0, 2)), None


def s_curve_mask(rows, columns, kernel, dilation, sees_itself):
    """[taps, pixels]: 1 where the tap of a location is inside the image and generated before it, in an S-curve."""

    def position(row, column):
        return row * columns + (column if row % 2 == 0 else columns - 1 - column)

    half = kernel // 2
    mask = torch.zeros(kernel * kernel, rows * columns)
    for row in range(rows):
        for column in range(columns):
            for tap in range(kernel * kernel):
                r = row + (tap // kernel - half) * dilation
                c = column + (tap % kernel - half) * dilation
                if 0 <= r < rows and 0 <= c < columns:
                    before = position(r, c) < position(row, column)
                    if before or (sees_itself and (r, c) == (row, column)):
                        mask[tap, row * columns + column] = 1
    return mask


class Convolution(nn.Module):
    def __init__(self, inputs, outputs, masks, first=False, dilated=False):
        super().__init__()
        self.dilation = 2 if dilated else 1
        self.mask = None if masks is None else masks["first" if first else "dilated" if dilated else "plain"]
        bound = 1 / math.sqrt(9 * inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))

    def forward(self, x):
        if self.mask is None:
            return F.conv2d(x, self.weight, self.bias, padding=self.dilation, dilation=self.dilation)
        return MaskedConvolution.apply(x, self.mask, self.weight, self.bias, self.dilation)


class NetworkInNetwork(nn.Module):
    """A weight-normalized linear layer over the channels of each pixel."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.direction = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.gain = nn.Parameter(self.direction.detach().norm(dim=1, keepdim=True))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))

    def forward(self, x):
        weight = torch._weight_norm(self.direction, self.gain, 0)
        return F.linear(x.permute(0, 2, 3, 1), weight, self.bias).permute(0, 3, 1, 2)


def positional_normalization(x):
    return (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True) + 1e-5).sqrt()


def concat_elu(x):
    return F.elu(torch.cat([x, -x], 1))


class GatedBlock(nn.Module):
    def __init__(self, filters, masks, has_skip):
        super().__init__()
        self.conv_input = Convolution(2 * filters, filters, masks)
        self.nin_skip = NetworkInNetwork(2 * filters, filters) if has_skip else None
        self.conv_out = Convolution(2 * filters, 2 * filters, masks)

    def forward(self, x, skip=None):
        c = positional_normalization(self.conv_input(concat_elu(x)))
        if skip is not None:
            c = c + self.nin_skip(concat_elu(skip))
        p, q = self.conv_out(concat_elu(c)).chunk(2, 1)
        return x + positional_normalization(p) * torch.sigmoid(q)


class Network(nn.Module):
    def __init__(self, filters, blocks, side, mixtures, is_masked):
        super().__init__()
        masks = {
            "first": s_curve_mask(side, side, 3, 1, False),
            "plain": s_curve_mask(side, side, 3, 1, True),
            "dilated": s_curve_mask(side, side, 3, 2, True),
        } if is_masked else None
        self.initial = Convolution(4, filters, masks, first=True)
        self.up = nn.ModuleList(
            nn.ModuleList(GatedBlock(filters, masks, False) for _ in range(blocks)) for _ in range(3))
        self.down = nn.ModuleList(
            nn.ModuleList(GatedBlock(filters, masks, True) for _ in range(blocks + (group > 0))) for group in range(3))
        self.downsize = nn.ModuleList(Convolution(filters, filters, masks, dilated=True) for _ in range(2))
        self.upsize = nn.ModuleList(Convolution(filters, filters, masks, dilated=True) for _ in range(2))
        self.output = NetworkInNetwork(filters, 10 * mixtures)

    def forward(self, x):
        u = positional_normalization(self.initial(torch.cat([x, torch.ones_like(x[:, :1])], 1)))
        stack = [u]
        for group in range(3):
            for block in self.up[group]:
                u = block(u)
                stack.append(u)
            if group < 2:
                u = positional_normalization(self.downsize[group](u))
                stack.append(u)
        u = stack.pop()
        for group in range(3):
            for block in self.down[group]:
                u = block(u, stack.pop())
            if group < 2:
                u = positional_normalization(self.upsize[group](u))
        return self.output(F.elu(u))


def mixture_loss(x, logits, mixtures):
    """The discretized mixture of logistics of PixelCNN++: nats, summed over the batch."""
    x = x.permute(0, 2, 3, 1)[..., None]  # [batch, rows, columns, 3, 1]
    logits = logits.permute(0, 2, 3, 1)
    choice = logits[..., :mixtures]
    means, log_scales, coefficients = logits[..., mixtures:].reshape(*x.shape[:3], 3, 3, mixtures).unbind(-2)
    log_scales = log_scales.clamp(min=-7)
    coefficients = coefficients.tanh()
    red, green = x[..., 0, :], x[..., 1, :]
    means = torch.stack([
        means[..., 0, :],
        means[..., 1, :] + coefficients[..., 0, :] * red,
        means[..., 2, :] + coefficients[..., 1, :] * red + coefficients[..., 2, :] * green,
    ], -2)
    inverse = torch.exp(-log_scales)
    centered = x - means
    plus = inverse * (centered + 1 / 255)
    minus = inverse * (centered - 1 / 255)
    mass = torch.sigmoid(plus) - torch.sigmoid(minus)
    middle = inverse * centered
    density = middle - log_scales - 2 * F.softplus(middle) - math.log(127.5)
    inner = torch.where(mass > 1e-5, mass.clamp(min=1e-12).log(), density)
    log_probabilities = torch.where(
        x < -0.999, plus - F.softplus(plus), torch.where(x > 0.999, -F.softplus(minus), inner))
    return -torch.logsumexp(log_probabilities.sum(-2) + F.log_softmax(choice, -1), -1).sum()


def peak_memory_bytes():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


class Measurement:
    def __init__(self, arguments):
        torch.manual_seed(1)
        self.baseline_memory_bytes = peak_memory_bytes()
        self.mixtures = 10
        is_masked = arguments.variant == "masked"
        self.network = Network(arguments.filters, arguments.blocks, arguments.side, self.mixtures, is_masked)
        levels = torch.randint(0, 256, (arguments.batch, 3, arguments.side, arguments.side))
        self.images = levels.float() * (2 / 255) - 1
        if arguments.variant == "dense-channels-last":
            self.network = self.network.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-4, fused=True)
        self.parameters = sum(p.numel() for p in self.network.parameters())
        if (arguments.filters, arguments.blocks) == (160, 5) and self.parameters != PAPER_PARAMETERS:
            sys.exit(f"compare_pytorch.py: {self.parameters} parameters, the paper's network has {PAPER_PARAMETERS}")

    def train(self):
        self.network.train()
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        mixture_loss(self.images, self.network(self.images), self.mixtures).backward()
        self.optimizer.step()
        return self.result(start)

    def forward(self):
        start = time.perf_counter()
        with torch.inference_mode():
            mixture_loss(self.images, self.network(self.images), self.mixtures).item()
        return self.result(start)

    def result(self, start):
        return {
            "seconds": time.perf_counter() - start,
            "images": len(self.images),
            "peak_memory_bytes": peak_memory_bytes(),
        }

    def serve(self):
        hello = {"parameters": self.parameters, "baseline_memory_bytes": self.baseline_memory_bytes}
        print(json.dumps(hello), flush=True)
        for line in sys.stdin:
            command = line.strip()
            if command == "quit":
                return
            if command not in ("train", "forward"):
                sys.exit(f"compare_pytorch.py: '{command}' is nothing to measure; say train, forward or quit")
            print(json.dumps(getattr(self, command)()), flush=True)

    def run(self, repetitions):
        report = {"torch": torch.__version__, "threads": torch.get_num_threads(), "parameters": self.parameters,
                  "baseline_memory_bytes": self.baseline_memory_bytes}
        for command in (self.train, self.forward):
            command()
            results = [command() for _ in range(repetitions)]
            report[command.__name__] = {
                "seconds": [result["seconds"] for result in results],
                "peak_memory_bytes": results[-1]["peak_memory_bytes"],
            }
        print(json.dumps(report, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=["masked", "dense", "dense-channels-last"], default="masked")
    parser.add_argument("--filters", type=int, default=160)
    parser.add_argument("--blocks", type=int, default=5, help="gated blocks of a group")
    parser.add_argument("--side", type=int, default=32, help="side of the square images")
    parser.add_argument("--batch", type=int, default=4, help="images of a step")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repetitions", type=int, default=5, help="measurements after one that warms up")
    parser.add_argument("--serve", action="store_true", help="measure what standard input asks for")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    measurement = Measurement(arguments)
    if arguments.serve:
        measurement.serve()
    else:
        measurement.run(arguments.repetitions)


if __name__ == "__main__":
    main()
