import Foundation
import SwiftProtobuf
import TensorFlowFormats

/// TFRecord files of images, made in Glow's layout.
package enum RecordFiles {
  /// The message of an image of `side` x `side` pixels; a random-looking ramp that depends on `image`.
  package static func example(image: Int, side: Int, channels: Int = 3) throws -> [UInt8] {
    try example(shape: [side, side, channels], data: pixels(image: image, side: side, channels: channels))
  }

  /// The pixels of that image, [row, column, channel].
  package static func pixels(image: Int, side: Int, channels: Int = 3) -> [UInt8] {
    (0..<(side * side * channels)).map { UInt8(truncatingIfNeeded: $0 * (2 * image + 37) + 11 * image) }
  }

  /// The message with features `shape` and `data`, and those that Glow adds.
  package static func example(shape: [Int], data: [UInt8]) throws -> [UInt8] {
    let message = TFExample.with {
      $0.features.feature = [
        "shape": .with { $0.int64List.value = shape.map(Int64.init) },
        "data": .with { $0.bytesList.value = [Data(data)] },
        "label": .with { $0.int64List.value = [0] },
        "attr": .with { $0.int64List.value = [1, -1, 1] },
      ]
    }
    return try message.serializedBytes()
  }

  /// The name of shard `shard` of `shards` of images of 2 to the power of `resolution`.
  package static func name(_ folder: String, resolution: Int, shard: Int, of shards: Int) -> String {
    String(format: "%@/%@-r%02d-s-%04d-of-%04d.tfrecords", folder, folder, resolution, shard, shards)
  }

  /// Writes `train` and `validation` images of 2 to the power of `resolution`, numbered from 0 on, training images first,
  /// in `shards` files each, to the folder `path`.
  package static func write(
    train: Int, validation: Int, resolution: Int, shards: Int = 2, channels: Int = 3, to path: String
  ) throws {
    for (folder, images) in [("train", 0..<train), ("validation", train..<(train + validation))] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
      for shard in 0..<shards {
        let own = images.count * shard / shards..<images.count * (shard + 1) / shards
        let bytes = try own.flatMap {
          RecordFrame.around(
            try example(image: images.lowerBound + $0, side: 1 << resolution, channels: channels))
        }
        let name = name(folder, resolution: resolution, shard: shard, of: shards)
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
      }
    }
  }
}
