import Datasets
import Foundation
import Training

/// Images to score, with what is known of them.
struct ScoreSource {
  /// What the images are called in results.
  let name: String
  /// The images, as the model sees its own.
  let dataset: ImageDataset
  /// Which of `dataset` are scored.
  let range: Range<Int>
  /// The file of each image of `dataset`; nil where they are known by number.
  let files: [String]?
  /// Whether each image of `range` is anomalous.
  private(set) var isAnomalous: [Bool]

  /// Images `range` of the model's own `split`; those of a class in `anomalousClasses` are anomalous.
  static func split(
    _ split: Split, of experiment: Experiment, range: (Int) throws -> Range<Int>, anomalousClasses: Set<Int>
  ) throws -> ScoreSource {
    let dataset = try experiment.images(of: split)
    let range = try range(dataset.count)
    return ScoreSource(
      name: split.rawValue, dataset: dataset, range: range, files: nil,
      isAnomalous: range.map { anomalousClasses.contains(Int(dataset.labels[$0])) })
  }

  /// The pictures that `paths` name, together called `name`, prepared as the images of `experiment` are.
  static func pictures(
    _ paths: [String], name: String, for experiment: Experiment, areAnomalous: Bool
  ) throws -> ScoreSource {
    let own = experiment.test
    let pictures = try Pictures(paths, channels: own.channels, bits: own.bits)
    guard pictures.size == own.size else {
      throw PictureError.sizeOfOtherModel(path: pictures.names[0], found: pictures.size, expected: own.size)
    }
    let dataset = try pictures.dataset(name: name, bits: own.bits, binarization: own.binarization)
    return ScoreSource(
      name: name, dataset: dataset, range: 0..<dataset.count, files: pictures.names,
      isAnomalous: [Bool](repeating: areAnomalous, count: dataset.count))
  }

  /// What `text` names, all of it anomalous: `train` or `test` of the model's own set, `SET:FOLDER` for the test images of
  /// another, or pictures.
  static func against(_ text: String, for experiment: Experiment) throws -> ScoreSource {
    let own = experiment.test
    if let split = Split(rawValue: text) {
      return try .split(split, of: experiment, range: { 0..<$0 }, anomalousClasses: Set(0...Int(UInt8.max)))
    }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, let set = ImageSet(rawValue: parts[0]) else {
      return try .pictures([text], name: text, for: experiment, areAnomalous: true)
    }
    let other = try ImageDataset.load(
      set: set, folder: parts[1], split: .test, bits: own.bits, binarization: own.binarization,
      pictures: experiment.configuration.data.pictures)
    guard other.size == own.size else {
      throw PictureError.sizeOfOtherModel(path: text, found: other.size, expected: own.size)
    }
    guard other.channels == own.channels else {
      throw PictureError.otherChannels(path: text, found: other.channels, expected: own.channels)
    }
    return ScoreSource(
      name: text, dataset: other, range: 0..<other.count, files: nil,
      isAnomalous: [Bool](repeating: true, count: other.count))
  }

  /// Marks the images that the file at `path` says are anomalous: a line with 0 or 1 for each.
  ///
  /// - Throws: when it cannot be read or has other lines.
  mutating func readLabels(_ path: String) throws {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw ScoreError.unreadableLabels(path: path, reason: error.localizedDescription)
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    if lines.last == "" { lines.removeLast() }
    guard lines.count == range.count else {
      throw ScoreError.wrongLabelCount(path: path, found: lines.count, images: range.count)
    }
    for (index, line) in lines.enumerated() {
      guard ["0", "1"].contains(line) else {
        throw ScoreError.malformedLabel(path: path, line: index + 1, found: line)
      }
      isAnomalous[index] = line == "1"
    }
  }
}

/// Why images cannot be scored.
enum ScoreError: Error, CustomStringConvertible {
  case unreadableLabels(path: String, reason: String)
  case wrongLabelCount(path: String, found: Int, images: Int)
  case malformedLabel(path: String, line: Int, found: String)
  case otherBackground(path: String, found: Int, expected: Int)

  var description: String {
    switch self {
    case .unreadableLabels(let path, let reason): return "\(path): \(reason)"
    case .wrongLabelCount(let path, let found, let images):
      return "\(path): \(found) lines, expected \(images), one for each image"
    case .malformedLabel(let path, let line, let found):
      return "\(path): line \(line): '\(found)', expected 0 for a normal image or 1 for an anomalous one"
    case .otherBackground(let path, let found, let expected):
      return
        "\(path) is a model of \(found) levels, the other one of \(expected); a background model is of the same images"
    }
  }
}
