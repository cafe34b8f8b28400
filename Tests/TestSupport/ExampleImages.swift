import Foundation
import Tensors

extension Workplace {
  /// Writes grey images of one stroke each in MNIST's files to the folder `images`.
  package func writeStrokes(train: Int = 60, test: Int = 8, side: Int = 12) throws {
    for (stem, count, seed) in [("train", train, 1), ("t10k", test, 2)] {
      var pixels: [UInt8] = []
      for image in 0..<count { pixels += Self.stroke(side: side, image: image, seed: UInt64(seed)) }
      let sizes = [count, side, side].map { UInt32($0) }
      try write(Self.idx(magic: 0x803, sizes: sizes, elements: pixels), to: "\(stem)-images-idx3-ubyte")
      let labels = (0..<count).map { UInt8($0 % 10) }
      try write(Self.idx(magic: 0x801, sizes: [UInt32(count)], elements: labels), to: "\(stem)-labels-idx1-ubyte")
    }
  }

  /// Writes colour images with a stroke in each channel in CIFAR-10's files to the folder `images`: four in each of the
  /// five files to train on, and `test`.
  package func writeColorStrokes(test: Int = 3) throws {
    let files = (1...5).map { ("data_batch_\($0).bin", 4) } + [("test_batch.bin", test)]
    for (file, (name, count)) in files.enumerated() {
      var bytes: [UInt8] = []
      for image in 0..<count {
        bytes.append(UInt8(image % 10))
        for channel in 0..<3 { bytes += Self.stroke(side: 32, image: image * 3 + channel, seed: UInt64(10 + file)) }
      }
      try write(bytes, to: name)
    }
  }

  /// A soft line between two random points.
  private static func stroke(side: Int, image: Int, seed: UInt64) -> [UInt8] {
    var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: image)
    let ends = (0..<4).map { _ in generator.uniform() * Float(side - 1) }
    let (rows, columns) = (ends[2] - ends[0], ends[3] - ends[1])
    let squaredLength = max(rows * rows + columns * columns, 1)
    return (0..<(side * side)).map { pixel in
      let (row, column) = (Float(pixel / side) - ends[0], Float(pixel % side) - ends[1])
      let along = min(max((row * rows + column * columns) / squaredLength, 0), 1)
      let (rowDistance, columnDistance) = (row - along * rows, column - along * columns)
      let distance = (rowDistance * rowDistance + columnDistance * columnDistance).squareRoot()
      return UInt8(255 * min(max(2 - distance, 0), 1))
    }
  }

  /// A file of MNIST's format: a magic number and sizes, then `elements`.
  package static func idx(magic: UInt32, sizes: [UInt32], elements: [UInt8]) -> [UInt8] {
    ([magic] + sizes).flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } } + elements
  }

  private func write(_ bytes: [UInt8], to name: String) throws {
    try FileManager.default.createDirectory(atPath: path + "/images", withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/images/\(name)"))
  }
}
