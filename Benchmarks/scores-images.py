#!/usr/bin/env python3
"""Makes the images that Benchmarks/scores.sh scores: letters, textures and blank pages of 28x28 grey pixels like MNIST's
(light on dark), and noisy digits to train a background model on.

usage: scores-images.py DIGITS OUT
"""

import glob
import gzip
import pathlib
import string
import sys

import numpy
from PIL import Image, ImageDraw, ImageFont

SIDE = 28
COUNT = 500
NOISE = 0.1  # of all pixels are drawn anew (Ren et al. 2019 use 0.1 to 0.3)
FONTS = "/usr/share/fonts/truetype/{dejavu,liberation}*/*.ttf"
PHOTOGRAPHS = "/usr/share/backgrounds/mate/nature/*.jpg"
# O, o, I and l have the shapes of 0 and 1.
LETTERS = [letter for letter in string.ascii_letters if letter not in "OoIl"]


def files(pattern, package):
    head, names, tail = pattern.partition("{")[0], pattern.partition("{")[2].partition("}")[0], pattern.partition("}")[2]
    found = sorted(f for name in (names.split(",") if names else [""]) for f in glob.glob(head + name + tail))
    if not found:
        sys.exit(f"scores-images.py: no {pattern}; run: apt-get install {package}")
    return found


def letter(path, text):
    """As MNIST's digits were made: fit into 20x20 pixels with soft edges, the centre of mass in the middle of 28x28."""
    font = ImageFont.truetype(path, 160)
    left, top, right, bottom = font.getbbox(text)
    large = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(large).text((-left, -top), text, fill=255, font=font)
    scale = 20 / max(large.size)
    small = large.resize([max(1, round(s * scale)) for s in large.size], Image.Resampling.BOX)
    pixels = numpy.asarray(small, dtype=float)
    rows, columns = numpy.indices(pixels.shape)
    row = round((SIDE - 1) / 2 - (rows * pixels).sum() / pixels.sum())
    column = round((SIDE - 1) / 2 - (columns * pixels).sum() / pixels.sum())
    image = Image.new("L", (SIDE, SIDE), 0)
    image.paste(small, (column, row))
    return numpy.asarray(image)


def letters(random):
    fonts = [f for f in files(FONTS, "fonts-dejavu-core fonts-dejavu-extra fonts-liberation2") if "MathTeX" not in f]
    return [letter(fonts[random.integers(len(fonts))], LETTERS[i % len(LETTERS)]) for i in range(COUNT)]


def textures(random):
    """Pieces of photographs, reduced to a quarter, stretched to the full range as the digits are."""
    photographs = [Image.open(f).convert("L").reduce(4) for f in files(PHOTOGRAPHS, "mate-backgrounds")]
    pieces = []
    while len(pieces) < COUNT:
        photograph = photographs[len(pieces) % len(photographs)]
        column, row = random.integers(photograph.width - SIDE), random.integers(photograph.height - SIDE)
        piece = numpy.asarray(photograph.crop((column, row, column + SIDE, row + SIDE)), dtype=float)
        if numpy.ptp(piece) >= 32:  # else there is nothing in it
            pieces.append(numpy.round((piece - piece.min()) / numpy.ptp(piece) * 255).astype(numpy.uint8))
    return pieces


def write_noisy(digits, folder, random):
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(digits.glob("*ubyte*")):
        opened = gzip.open(source) if source.suffix == ".gz" else open(source, "rb")
        with opened as file:
            data = bytearray(file.read())
        target = folder / source.name.removesuffix(".gz")
        if "idx3" in source.name:
            pixels = numpy.frombuffer(data, dtype=numpy.uint8, offset=16)
            noise = random.choice(numpy.array([0, 255], dtype=numpy.uint8), pixels.size)
            data[16:] = numpy.where(random.random(pixels.size) < NOISE, noise, pixels).tobytes()
        target.write_bytes(data)


def main():
    digits, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    random = numpy.random.default_rng(1)
    numpy.save(out / "letters.npy", numpy.stack(letters(random)))
    numpy.save(out / "textures.npy", numpy.stack(textures(random)))
    numpy.save(out / "blank.npy", numpy.zeros((COUNT, SIDE, SIDE), dtype=numpy.uint8))
    write_noisy(digits, out / "noisy", random)


main()
