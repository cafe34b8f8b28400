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

    /// The loss of every pixel by the transcription; with `rounded` of the logits as the package gets them, in single
    /// precision.
    func transcription(
      _ lowProbability: ReferenceMixtureLoss.LowProbability, rounded: Bool = false
    ) -> [ReferenceMixtureLoss.Result] {
      let loss = ReferenceMixtureLoss(
        channels: x[0].count, mixtures: settings.mixtures, levels: settings.distribution.levels,
        lowProbability: lowProbability)
      return zip(x, logits).map { loss(x: $0, logits: rounded ? $1.map { Double(Float($0)) } : $1) }
    }

    /// The golden gradients of `pixels`, moved by what rounding the logits to single precision does to them: where scales
    /// are small, a mean's last bit is 1e-4 of a scale.
    func goldenGradients(_ pixels: [Int]) -> [Double] {
      guard settings.distribution != .binary else { return pixels.flatMap { goldenDLogits[$0] } }
      let exact = transcription(.reference)
      let rounded = transcription(.reference, rounded: true)
      return pixels.flatMap { pixel in
        goldenDLogits[pixel].indices.map {
          goldenDLogits[pixel][$0] + rounded[pixel].gradient[$0] - exact[pixel].gradient[$0]
        }
      }
    }
  }

  @Test func lossesAndGradientsAreThoseOfTheReference() throws {
    for example in try Example.all() where example.settings.bits == 8 || example.settings.distribution == .binary {
      // Pixels that components with a density far from the bin's probability decide cannot both agree with the reference
      // and sum to 1; `onlyTheBranchOfLowProbabilitiesDiffers` covers them.
      let results = example.settings.distribution == .binary ? [] : example.transcription(.reference)
      let package = example.settings.distribution == .binary ? [] : example.transcription(.package)
      let compared = example.x.indices.filter {
        results.isEmpty || max(results[$0].wideDensityWeight, package[$0].wideDensityWeight) < 1e-6
      }
      #expect(compared.count * 2 > example.x.count, "\(example.name): only \(compared.count) pixels can be compared")
      let elsewhere = results.indices.filter { !compared.contains($0) }.reduce(0.0) { $0 + results[$1].nats }
      expectClose(
        [compared.reduce(0.0) { $0 + example.nats[$1] }], [example.goldenLoss - elsewhere], "\(example.name): loss")
      expectClose(
        compared.flatMap { example.dLogits[$0] }, example.goldenGradients(compared), "\(example.name): dlogits")
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
      let results = example.transcription(.package, rounded: true)
      expectClose(example.nats, results.map(\.nats), "\(example.name): nats of all pixels")
      expectClose(
        example.dLogits.flatMap { $0 }, results.flatMap(\.gradient), "\(example.name): dlogits of all pixels")
      let reference = example.transcription(.reference)
      let exact = results.indices.filter { max(results[$0].lowWeight, reference[$0].lowWeight) < 1e-7 }
      #expect(!exact.isEmpty, "\(example.name): low probabilities decide every pixel")
      expectClose(
        exact.flatMap { example.dLogits[$0] }, example.goldenGradients(exact),
        "\(example.name): dlogits of pixels that no low probability decides")
    }
  }

  private func expectClose(_ values: [Double], _ golden: [Double], _ name: String) {
    let error = Golden.relativeError(values, golden)
    #expect(error < Golden.layerTolerance, "\(name) are off by \(error)")
  }
}
