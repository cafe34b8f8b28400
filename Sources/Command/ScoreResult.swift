import Evaluation
import Foundation
import Imaging
import Training

/// The scores of several sources of images, and how well each tells anomalous images from normal ones.
struct ScoreResult {
  /// The bits per dimension of training images.
  struct Typical: Encodable {
    let bitsPerDimension: Double
    /// Nil where the mean was given.
    var standardError: Double?
    var images: Int?

    enum CodingKeys: String, CodingKey {
      case bitsPerDimension = "bits_per_dimension"
      case standardError = "standard_error"
      case images
    }

    var text: String {
      guard let images, let standardError else {
        return "typical: \(TrainingProgress.number(bitsPerDimension, 4)) bpd, as given"
      }
      return "typical: \(TrainingProgress.number(bitsPerDimension, 4)) +- "
        + "\(TrainingProgress.number(standardError, 4)) bpd, \(images) training images"
    }
  }

  /// Images of one source that are all normal or all anomalous.
  private struct Group {
    let name: String
    let isAnomalous: Bool
    let images: Int
    let values: [AnomalyScores.Measure: [Double]]
  }

  private let model: ModelOptions.Opened
  private let background: String?
  private let typical: Typical
  private let sources: [ScoreSource]
  private let scores: [AnomalyScores]
  private let groups: [Group]
  private let measures: [AnomalyScores.Measure]

  /// The `scores` of `sources`, the same number of both, at least one.
  init(
    _ model: ModelOptions.Opened, background: String?, typical: Typical, sources: [ScoreSource], scores: [AnomalyScores]
  ) {
    self.model = model
    self.background = background
    self.typical = typical
    self.sources = sources
    self.scores = scores
    measures = scores[0].measures
    groups = zip(sources, scores).flatMap { source, scores in
      [false, true].compactMap { isAnomalous in
        let members = source.isAnomalous.indices.filter { source.isAnomalous[$0] == isAnomalous }
        guard !members.isEmpty else { return nil }
        let isWhole = members.count == source.isAnomalous.count
        return Group(
          name: isWhole ? source.name : "\(source.name), \(isAnomalous ? "anomalous" : "normal")",
          isAnomalous: isAnomalous, images: members.count,
          values: Dictionary(
            uniqueKeysWithValues: scores.measures.map { measure in (measure, members.map { scores[measure][$0] }) }))
      }
    }
  }

  // MARK: Each image

  private var columns: [(name: String, values: [Double])] {
    func all(_ values: (AnomalyScores) -> [Double]) -> [Double] { scores.flatMap(values) }
    return [("nats", all { $0.nats })] + measures.map { measure in (measure.rawValue, all { $0[measure] }) }
      + [("png_bits", all { $0.codecBits.map { Double($0) } })]
  }

  /// A line for each image, as CSV (RFC 4180).
  var csv: String {
    func field(_ text: String) -> String {
      text.contains { ",\"\r\n".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
    let columns = self.columns
    var text = (["set", "image", "anomalous"] + columns.map(\.name)).joined(separator: ",") + "\n"
    var row = 0
    for source in sources {
      for (index, isAnomalous) in zip(source.range, source.isAnomalous) {
        let place = [field(source.name), field(source.files?[index] ?? "\(index)"), isAnomalous ? "1" : "0"]
        text += (place + columns.map { "\($0.values[row])" }).joined(separator: ",") + "\n"
        row += 1
      }
    }
    return text
  }

  /// The same for NumPy; the columns `set` and `image` are numbers.
  var array: NPYTable {
    let sets = sources.enumerated().flatMap { number, source in source.range.map { _ in Double(number) } }
    return NPYTable(
      columns: [
        ("set", sets), ("image", sources.flatMap { $0.range.map(Double.init) }),
        ("anomalous", sources.flatMap { $0.isAnomalous.map { $0 ? 1 : 0 } }),
      ] + columns)
  }

  // MARK: Groups

  /// The area of `measure` for `group` against all normal images; nil where there are none.
  private func area(_ measure: AnomalyScores.Measure, _ group: Group) -> AreaUnderROC? {
    let normal = groups.filter { !$0.isAnomalous }.flatMap { $0.values[measure, default: []] }
    guard group.isAnomalous && !normal.isEmpty else { return nil }
    return AreaUnderROC(anomalous: group.values[measure, default: []], normal: normal)
  }

  /// Histograms of each measure, a panel each.
  var picture: PNGImage {
    HistogramPicture.draw(
      measures.map { measure in
        HistogramPicture.Panel(
          title: measure.rawValue,
          groups: groups.map { group in
            let area = area(measure, group).map { ", auroc \(TrainingProgress.number($0.value, 4))" } ?? ""
            return .init(name: group.name + area, values: group.values[measure, default: []])
          })
      })
  }

  /// What is printed.
  var text: String {
    let means = groups.map { group in
      [group.name, "\(group.images)"]
        + measures.map { TrainingProgress.number(Self.mean(group.values[$0, default: []]), 4) }
    }
    let head = ["mean of", "images"] + measures.map(\.rawValue)
    let numbers = Set(1..<head.count)
    var parts = [
      "\(model.path), \(model.isAverage ? "moving average" : "raw weights"); \(typical.text)",
      TextTable.text([head] + means, rightAligned: numbers),
    ]
    let areas = groups.filter(\.isAnomalous).compactMap { group -> [String]? in
      let areas = measures.compactMap { area($0, group) }
      guard !areas.isEmpty else { return nil }
      return [group.name, "\(group.images)"] + areas.map(Self.text)
    }
    if !areas.isEmpty {
      parts.append("area under the ROC curve: 1 tells all apart, 0.5 is chance, less is the wrong way round")
      parts.append(
        TextTable.text([["anomalous", "images"] + measures.map(\.rawValue)] + areas, rightAligned: numbers))
    }
    return parts.joined(separator: "\n")
  }

  /// What `--json` prints.
  var summary: some Encodable {
    Summary(
      model: model.path, step: model.step, weights: (model.isAverage ? WeightChoice.ema : .raw).rawValue,
      background: background, typical: typical,
      groups: groups.map { group in
        Summary.Entry(
          name: group.name, isAnomalous: group.isAnomalous, images: group.images,
          means: Dictionary(
            uniqueKeysWithValues: measures.map { ($0.rawValue, Self.mean(group.values[$0, default: []])) }),
          areas: Dictionary(
            uniqueKeysWithValues: measures.compactMap { measure in
              area(measure, group).map { (measure.rawValue, .init(value: $0.value, standardError: $0.standardError)) }
            }))
      })
  }

  private static func text(_ area: AreaUnderROC) -> String {
    TrainingProgress.number(area.value, 4)
      + (area.standardError.map { " +- " + TrainingProgress.number($0, 4) } ?? "")
  }

  private static func mean(_ values: [Double]) -> Double {
    var sum = 0.0
    for value in values { sum += value }
    return sum / Double(values.count)
  }

  private struct Summary: Encodable {
    struct Area: Encodable {
      let value: Double
      let standardError: Double?

      enum CodingKeys: String, CodingKey {
        case value
        case standardError = "standard_error"
      }
    }

    struct Entry: Encodable {
      let name: String
      let isAnomalous: Bool
      let images: Int
      let means: [String: Double]
      let areas: [String: Area]

      enum CodingKeys: String, CodingKey {
        case name, images, means
        case isAnomalous = "anomalous"
        case areas = "area_under_roc"
      }
    }

    let model: String
    let step: Int?
    let weights: String
    let background: String?
    let typical: Typical
    let groups: [Entry]
  }
}
