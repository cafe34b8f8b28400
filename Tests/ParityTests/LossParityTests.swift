import Checkpoints
import Kernels
import Model
import Tensors
import TestSupport
import Testing

/// The losses against the reference.
///
/// With 8 bits and for binary pixels the package must give the reference's numbers. With other numbers of bits it may
/// differ where a component has a low probability: there, it is compared with a transcription of the reference in which
/// nothing but that branch is changed.
@Suite("Parity: losses") struct ParityLosses {
  struct Settings: Decodable {
    let bits: Int
    let loss: String
    let mixtures: Int

    var distribution: PixelDistribution {
      loss == "binary" ? .binary : .logisticMixture(mixtures: mixtures, bits: bits)
    }
  }

  /// A fixture, and what the package computes for it.
  private struct Example {
    let name: String
    let settings: Settings
    let x: [[Double]]
    let logits: [[Double]]
    let goldenLoss: Double
    let goldenDLogits: [[Double]]
    let nats: [Double]
    let dLogits: [[Double]]

    static func all() throws -> [Example] {
      try Fixtures.all(prefix: "loss_").map { try Example(name: $0.name, file: $0.file) }
    }

    static func mixtures() throws -> [Example] { try all().filter { $0.settings.distribution != .binary } }

    init(name: String, file: SafetensorsFile) throws {
      self.name = name
      settings = try Fixtures.configuration(Settings.self, of: file)
      x = try Golden.pixelRows(file, "x")
      logits = try Golden.pixelRows(file, "logits")
      goldenLoss = try file.doubles("loss")[0]
      goldenDLogits = try Golden.pixelRows(file, "dlogits")
      let matrix = try Golden.activations(file, "logits")
      let gradient = Matrix(rows: matrix.rows, columns: matrix.columns)
      let sums = DoubleBuffer(count: matrix.rows)
      let loss = PixelLoss(distribution: settings.distribution, channels: x[0].count)
      loss.evaluate(
        levels: try Golden.levels(file, "x", levels: settings.distribution.levels), logits: matrix, dLogits: gradient,
        nats: sums, scratch: DoubleBuffer(count: loss.scratchCount(threads: 2)), pool: ThreadPool(threads: 2))
      nats = (0..<matrix.rows).map { sums[$0] }
      dLogits = (0..<matrix.rows).map { row in (0..<matrix.columns).map { Double(gradient[row, $0]) } }
    }

    func transcription(_ lowProbability: ReferenceMixtureLoss.LowProbability) -> [ReferenceMixtureLoss.Result] {
      let loss = ReferenceMixtureLoss(
        channels: x[0].count, mixtures: settings.mixtures, levels: settings.distribution.levels,
        lowProbability: lowProbability)
      return zip(x, logits).map { loss(x: $0, logits: $1) }
    }
  }

  @Test func lossesAndGradientsAreThoseOfTheReference() throws {
    for example in try Example.all() where example.settings.bits == 8 || example.settings.distribution == .binary {
      expectClose([example.nats.reduce(0, +)], [example.goldenLoss], "\(example.name): loss")
      expectClose(
        example.dLogits.flatMap { $0 }, example.goldenDLogits.flatMap { $0 }, "\(example.name): dlogits")
    }
  }

  @Test func theTranscriptionIsTheReference() throws {
    for example in try Example.mixtures() {
      let results = example.transcription(.reference)
      // A difference of sigmoids of 1e-5 keeps eleven digits, and its reciprocal scales the gradient.
      let lossError = Golden.relativeError([results.reduce(0) { $0 + $1.nats }], [example.goldenLoss])
      #expect(lossError < 1e-10, "\(example.name): loss is off by \(lossError)")
      let error = Golden.relativeError(results.flatMap(\.gradient), example.goldenDLogits.flatMap { $0 })
      #expect(error < 1e-8, "\(example.name): dlogits are off by \(error)")
    }
  }

  @Test func onlyTheBranchOfLowProbabilitiesDiffers() throws {
    for example in try Example.mixtures() {
      let results = example.transcription(.package)
      expectClose(example.nats, results.map(\.nats), "\(example.name): nats of all pixels")
      expectClose(
        example.dLogits.flatMap { $0 }, results.flatMap(\.gradient), "\(example.name): dlogits of all pixels")
      let exact = results.indices.filter { !results[$0].isLow }
      #expect(!exact.isEmpty, "\(example.name): no pixel without low probabilities")
      expectClose(
        exact.flatMap { example.dLogits[$0] }, exact.flatMap { example.goldenDLogits[$0] },
        "\(example.name): dlogits of pixels without low probabilities")
    }
  }

  private func expectClose(_ values: [Double], _ golden: [Double], _ name: String) {
    let error = Golden.relativeError(values, golden)
    #expect(error < Golden.layerTolerance, "\(name) are off by \(error)")
  }
}
