import Checkpoints
import Configuration
import Datasets
import Foundation
import Imaging
import Orders
import TensorFlowFormats
import Tensors
import TestSupport

extension FuzzedParser {
  /// Inputs that the parser accepts, to begin with.
  package func seeds() throws -> [[UInt8]] {
    switch self {
    case .idxImages: return [Workplace.idx(magic: 0x803, sizes: [3, 2, 3], elements: (0..<18).map { UInt8($0) })]
    case .idxLabels: return [Workplace.idx(magic: 0x801, sizes: [10], elements: (0..<10).map { UInt8($0) })]
    case .gzip:
      // The images above.
      let packed = "H4sIAAAAAAACA2Ng4GBmYGAAYSYwzcjEzMLKxs7BycXNw8vHLyAIAEap9/ciAAAA"
      return [[UInt8](try Self.decoded(packed))]
    case .cifar: return [[UInt8](repeating: 3, count: 3073), [UInt8](repeating: 7, count: 2 * 3073)]
    case .png:
      return try (1...4).map { channels in
        let size = ImageSize(rows: 5, columns: 7)
        let pixels = (0..<(35 * channels)).map { UInt8(truncatingIfNeeded: $0 * 37) }
        return try PNGImage(size: size, channels: channels, pixels: pixels).encoded()
      }
    case .jpeg:
      let pictures = try ["grey.jpg", "rgb.jpg", "progressive.jpg"].map(Self.picture)
      return pictures + [Self.turned(pictures[0])]
    case .npy: return [try Self.picture("grey.npy"), NPYArray(shape: [3], elements: [1, 2, 3]).encoded]
    case .npz: return try ["stored.npz", "deflated.npz"].map(Self.picture)
    case .packed: return [try Self.packedSet()]
    case .records:
      return [
        try (0..<3).flatMap { RecordFrame.around(try RecordFiles.example(image: $0, side: 4)) },
        RecordFrame.around(try RecordFiles.example(image: 0, side: 8, channels: 1)),
      ]
    case .example:
      return try [1, 3, 4].map { try RecordFiles.example(image: 5, side: 4, channels: $0) }
    case .region: return ["top", "center\nleft", "1,2,3,4"].map { [UInt8]($0.utf8) }
    case .safetensors: return [[UInt8](try Self.tensors.encoded())]
    case .checkpoint: return [[UInt8](try Self.checkpointRecord())]
    case .configuration:
      return [
        RunConfiguration().yaml,
        "name: a\ntraining: {steps: 10, learning_rate: 1e-3}\norders: {train: [0, 1]}\n",
        "model.filters: &f 8\ntraining:\n  steps: *f\n",
      ].map { [UInt8]($0.utf8) }
    case .override: return ["training.steps=10", "orders.train=[0, 1]", "name=abc"].map { [UInt8]($0.utf8) }
    case .order:
      let size = ImageSize(rows: 4, columns: 5)
      return [[UInt8](OrderFile.text(of: try GenerationOrder(base: .sCurve, size: size)).utf8)]
    case .compressed: return [try SmallCodec.shared.compressed(images: 5).encoded]
    case .chunk: return try SmallCodec.shared.compressed(images: 2).chunks.map(\.bytes)
    }
  }

  private static func packedSet() throws -> [UInt8] {
    func set(_ count: Int) throws -> ImageDataset {
      try ImageDataset(
        name: "x", size: ImageSize(rows: 2, columns: 3), channels: 1, pixels: (0..<(6 * count)).map { UInt8($0) },
        labels: (0..<count).map { UInt8($0) })
    }
    let folder = try Workplace()
    let path = folder.path + "/x"
    _ = try PackedSet.pack(train: try set(3), test: try set(2), to: path)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private static func picture(_ name: String) throws -> [UInt8] {
    let path = Fixtures.packageRoot + "/Tests/Fixtures/pictures/" + name
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The JPEG file `bytes` with a camera's mark that it is to be turned.
  private static func turned(_ bytes: [UInt8]) -> [UInt8] {
    let mark: [UInt8] =
      [0xFF, 0xE1, 0, 34] + Array("Exif\0\0II*\0".utf8)
      + [8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
    return bytes[..<2] + mark + bytes[2...]
  }

  private static var tensors: SafetensorsFile {
    var file = SafetensorsFile(metadata: ["step": "3"])
    file.add("weight", shape: [2, 3], floats: [1, 2, 3, 4, 5, 6])
    file.add("bias", shape: [2], floats: [0, -1])
    file.add("none", shape: [0], floats: [])
    return file
  }

  /// The record of a checkpoint that is written for it.
  private static func checkpointRecord() throws -> Data {
    let folder = try Workplace()
    let layout = ParameterLayout()
    let state = CheckpointState(
      step: 3, epoch: 0, seed: 1, configuration: RunConfiguration().yaml, datasetHash: "x", metric: 1.5,
      bestMetric: 1.5,
      imagesSeen: 30, elapsedSeconds: 2)
    let empty = FloatBuffer(count: layout.count)
    let writer = try CheckpointWriter(
      lock: try RunLock(runFolder: folder.path), retention: CheckpointRetention(keepLast: 1, keepEvery: 0))
    let written = try writer.write(
      CheckpointContents(state: state, layout: layout, parameters: empty, ema: empty, moments: (empty, empty)))
    return try Data(contentsOf: URL(fileURLWithPath: written.path + "/state.json"))
  }

  private static func decoded(_ text: String) throws -> Data {
    guard let data = Data(base64Encoded: text) else { throw CocoaError(.coderInvalidValue) }
    return data
  }
}
