"""What the documentation's commands find on a reader's machine: pictures, data sets and runs of the reader's own."""
import gzip
import random
import shutil
import struct
import subprocess
import zlib

import numpy


def png(path, pixels):
    """Writes `pixels`, uint8 [rows, columns] or [rows, columns, 3]."""
    rows, columns = pixels.shape[:2]
    lines = b"".join(b"\0" + pixels[row].tobytes() for row in range(rows))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def photographs(folder, count, side):
    """Coloured pictures of a soft slope and a disk."""
    drawn = random.Random(1)
    rows, columns = numpy.mgrid[0:side, 0:side + 6]
    for index in range(count):
        slope = rows * drawn.random() + columns * drawn.random()
        centre = drawn.randrange(side), drawn.randrange(side)
        disk = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < (side // 4) ** 2
        channels = [slope * 2 * drawn.random() + disk * drawn.randrange(120) for _ in range(3)]
        png(folder / f"{index:03}.png", numpy.stack(channels, axis=-1).clip(0, 255).astype(numpy.uint8))


def masked_crc(data):
    """The checksum of TFRecord files: CRC-32C, turned and shifted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def message(number, data):
    """A field of a protocol buffer: bytes, text or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def shard(path, pictures):
    """Writes `pictures`, uint8 [rows, columns, channels], as Glow's CelebA-HQ has them: a tf.train.Example each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = b""
    for picture in pictures:
        features = {b"shape": message(3, message(1, b"".join(map(varint, picture.shape)))),
                    b"data": message(1, message(1, picture.tobytes()))}
        example = message(1, b"".join(
            message(1, message(1, name) + message(2, value)) for name, value in features.items()))
        length = struct.pack("<Q", len(example))
        records += length + masked_crc(length) + example + masked_crc(example)
    path.write_bytes(records)


def digits(clone):
    """The test digits that come with the program, [500, 28, 28]."""
    with gzip.open(clone / "Sources/Datasets/Resources/digits/t10k-images-idx3-ubyte.gz") as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 28, 28)


def black_and_white(clone):
    return numpy.where(digits(clone) < 128, 0, 255).astype(numpy.uint8)


def letters(clone):
    for index, picture in enumerate(black_and_white(clone)[:6]):
        png(clone / f"letters/{index}.png", picture.T.copy())


def run(clone, environment, name, *more):
    """Trains a small run of the digits."""
    subprocess.run(
        ["lmconv", "train", "--run-dir", f"runs/{name}", "--set", "training.steps=4", "--set", "evaluation.images=4",
         "--set", "model.filters=8", "--set", "run.progress=off", *more],
        cwd=clone, env=environment, check=True, capture_output=True)


def provide(page, clone, environment):
    """Makes what the commands of `page` use and do not make themselves."""
    if page == "README.md":
        shutil.copytree(clone / "Sources/Datasets/Resources/digits", clone / "mnist")
        (clone / "my.yaml").write_text("name: mine\ntraining:\n  steps: 20\n")
        png(clone / "mine.png", black_and_white(clone)[0])
        letters(clone)
        photographs(clone / "photographs", 60, 48)
        run(clone, environment, "wide")
    elif page == "docs/compression.md":
        for name, picture in zip("abc", black_and_white(clone)):
            png(clone / f"{name}.png", picture)
    elif page == "docs/data.md":
        photographs(clone / "holiday-pictures", 60, 48)
        photographs(clone / "faces", 60, 70)
        drawn = numpy.random.default_rng(1)
        for folder, number, shards in [("train", 0, 2), ("train", 1, 2), ("validation", 0, 1)]:
            shard(clone / f"celeba-tfr/{folder}/{folder}-r05-s-{number:04}-of-{shards:04}.tfrecords",
                  drawn.integers(0, 256, (3, 32, 32, 3), numpy.uint8))
    elif page == "docs/experiments.md":
        shutil.copytree(clone / "Sources/Datasets/Resources/digits", clone / "data/mnist")
        (clone / "data/cifar10").mkdir()
        drawn = random.Random(1)
        for name in ["test_batch"] + [f"data_batch_{number}" for number in range(1, 6)]:
            records = b"".join(bytes([index % 10]) + drawn.randbytes(3072) for index in range(20))
            (clone / "data/cifar10" / f"{name}.bin").write_bytes(records)
        photographs(clone / "data/celeba-hq/train", 40, 260)
        photographs(clone / "data/celeba-hq/test", 4, 260)
    elif page == "docs/scores.md":
        pictures = black_and_white(clone)[:8]
        for name, picture in zip("ab", pictures):
            png(clone / f"{name}.png", picture)
        letters(clone)
        numpy.save(clone / "pictures.npy", pictures)
        (clone / "labels.txt").write_text("0\n1\n" * 4)
        shutil.copytree(clone / "Sources/Datasets/Resources/digits", clone / "fashion")
        run(clone, environment, "background")
    elif page == "docs/seeing.md":
        for name in ("narrow", "wide"):
            if not (clone / "runs" / name).exists():
                run(clone, environment, name)
    elif page == "docs/serve.md":
        mask = numpy.full((28, 28), 255, numpy.uint8)
        mask[14:] = 0
        png(clone / "mask.png", mask)
