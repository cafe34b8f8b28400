import ArgumentParser
import Collectives
import Compression
import Datasets
import Foundation
import Kernels
import Logging
import Orders
import Training

/// `lmconv compress`
struct CompressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract: "Compress images without loss, by all ranks.",
    discussion: """
      Examples:
        lmconv compress runs/digits a.png b.png c.png --out letters.lmc
        lmconv compress runs/digits --split test --count 100 --out digits.lmc
        mpirun -n 2 lmconv compress runs/digits --split test --order 1 --out digits.lmc --json

      A range coder codes each pixel under the model's distribution given the pixels before it in the order, so the file \
      is as large as the model's negative log likelihood, and only the same model can decompress it: keep the checkpoint. \
      The bytes do not depend on the number of ranks and threads.

      Images must be what the model is of: one size, its channels, and no values between its levels.
      """)

  @OptionGroup var options: ModelOptions

  @Argument(help: ArgumentHelp("\(Pictures.forms), of one size."))
  var images: [String] = []

  @Option(help: ArgumentHelp("Compress images of the model's data set instead of files.", valueName: "train|test"))
  var split: Split?

  @Option(parsing: .unconditional, help: "First image of the set.")
  var first = 0

  @Option(parsing: .unconditional, help: "Images of the set; 0 takes all from the first on.")
  var count = 0

  @OptionGroup var order: SingleOrderArgument

  @Option(
    parsing: .unconditional,
    help: "Images that are coded side by side: what damage can destroy at once, and what a thread works on.")
  var chunk: Int?

  @Flag(help: "Drop the lower bits that the model does not know; of two levels, a threshold at one half.")
  var quantize = false

  @Option(name: .shortAndLong, help: ArgumentHelp("File to write.", valueName: "file"))
  var out: String

  @Flag(help: "Print sizes and likelihood as JSON.")
  var json = false

  func validate() throws {
    guard images.isEmpty != (split == nil) else {
      throw ValidationError("name images or pass --split test, one of the two")
    }
    guard split != nil || (first == 0 && count == 0) else {
      throw ValidationError("--first and --count choose images of a set; pass --split as well")
    }
    guard first >= 0 && count >= 0 else { throw ValidationError("--first and --count must not be negative") }
    guard chunk.map({ (1...65536).contains($0) }) ?? true else {
      throw ValidationError("--chunk must be 1 to 65536, it is \(chunk ?? 0)")
    }
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let network = try model.experiment.network.underLocalMasks(for: "compress")
      communicator.timeoutSeconds = model.experiment.configuration.run.timeoutSeconds
      let file = communicator.rank == 0 ? try OutputFile(out) : nil
      let (levels, size) = try levels(model.experiment)
      let codec = ImageCodec(
        network: network, parameters: model.parameters, communicator: communicator,
        threads: HostThreads.count(requested: options.threads, communicator: communicator))
      let start = ContinuousClock.now
      let compressed: ImageCodec.Compressed
      do {
        compressed = try codec.compress(
          levels, size: size, order: try codedOrder(model.experiment, size: size),
          imagesPerChunk: chunk ?? codec.defaultImagesPerChunk(size: size), path: out,
          shouldStop: { stopSignal.isReceived })
      } catch let error as CompressionError {
        guard case .interrupted = error else { throw error }
        log.info("\(error)")
        try Job.leave(communicator, status: ExitStatus.stopped)
      }
      guard let file else { return }
      let bytes = compressed.file.encoded
      try file.write(bytes)
      let summary = CompressionSummary(compressed, bytes: bytes.count, seconds: (ContinuousClock.now - start).seconds)
      if json { try JSONOutput.print(summary) } else { print(summary.text) }
    }
  }

  /// What to compress, `[images, pixels, channels]`.
  private func levels(_ experiment: Experiment) throws -> (levels: [UInt8], size: ImageSize) {
    guard let split else {
      return try PictureLevels(experiment.network.configuration).read(images, quantizes: quantize)
    }
    let dataset = try experiment.images(of: split)
    return (try dataset.levels(first: first, count: count, seed: experiment.configuration.seed), dataset.size)
  }

  private func codedOrder(_ experiment: Experiment, size: ImageSize) throws -> CodedOrder {
    let options = experiment.configuration.orders
    let named = try order.named(options, size: size)
    switch try order.choice(options) {
    case .base(let base, let variant): return .named(base: base, flags: .identity, variant: variant)
    case .variant(let variant) where options.file == nil:
      let flags = OrderVariant(
        transpose: options.transpose, reflectRows: options.reflectRows, reflectColumns: options.reflectColumns)
      return .named(base: options.base, flags: flags, variant: variant)
    case .variant, .randoms, .random, .file: return .listed(named.order)
    }
  }
}

/// How well images were compressed.
struct CompressionSummary: Encodable {
  let file: String
  let images: Int
  let size: String
  let channels: Int
  let bits: Int
  let order: String
  let chunks: Int
  let bytes: Int
  /// Bytes of the pixels themselves.
  let rawBytes: Double
  /// `rawBytes` over `bytes`.
  let ratio: Double
  let bitsPerDimension: Double
  /// The model's negative log likelihood of the images.
  let likelihoodBitsPerDimension: Double
  let overheadBitsPerDimension: Double
  let seconds: Double

  enum CodingKeys: String, CodingKey {
    case file, images, size, channels, bits, order, chunks, bytes, ratio, seconds
    case rawBytes = "raw_bytes"
    case bitsPerDimension = "bits_per_dimension"
    case likelihoodBitsPerDimension = "likelihood_bits_per_dimension"
    case overheadBitsPerDimension = "overhead_bits_per_dimension"
  }

  init(_ compressed: ImageCodec.Compressed, bytes: Int, seconds: Double) {
    let header = compressed.file.header
    let dimensions = Double(header.images * header.size.pixels * header.channels)
    file = compressed.file.path
    images = header.images
    size = "\(header.size)"
    channels = header.channels
    bits = header.bits
    order =
      switch header.order {
      case .named(let base, _, let variant): "\(base.rawValue)/\(variant.rawValue)"
      case .listed: "listed"
      }
    chunks = header.chunks
    self.bytes = bytes
    rawBytes = dimensions * Double(header.bits) / 8
    ratio = rawBytes / Double(bytes)
    bitsPerDimension = Double(8 * bytes) / dimensions
    likelihoodBitsPerDimension = compressed.nats / log(2) / dimensions
    overheadBitsPerDimension = bitsPerDimension - likelihoodBitsPerDimension
    self.seconds = seconds
  }

  var text: String {
    """
    \(file): \(images) images of \(size), \(channels) x \(bits) bit, order \(order), in \(chunks) chunks
    \(bytes) bytes, 1/\(TrainingProgress.number(ratio, 2)) of the raw pixels
    \(TrainingProgress.number(bitsPerDimension, 4)) bpd = likelihood \
    \(TrainingProgress.number(likelihoodBitsPerDimension, 4)) + overhead \
    \(TrainingProgress.number(overheadBitsPerDimension, 4))
    """
  }
}

extension Duration {
  /// The duration as a number.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension Experiment {
  /// The images of `split`.
  ///
  /// - Throws: when they cannot be read.
  func images(of split: Split) throws -> ImageDataset { try split == .test ? test : loadTrainingImages() }
}

extension ImageDataset {
  /// The levels `[images, pixels, channels]` of `count` images from `first` on, or of all from there if it is 0, as they
  /// are evaluated with `seed`.
  ///
  /// - Throws: when the set does not have them, or they cannot be read.
  func levels(first: Int, count: Int, seed: UInt64) throws -> [UInt8] {
    guard first < self.count && count <= self.count - first else {
      throw CommandError.imagesOutside(first: first, count: max(count, 1), available: self.count)
    }
    let images = Array(first..<(count == 0 ? self.count : first + count))
    var levels = [UInt8](repeating: 0, count: images.count * valuesPerImage)
    try fill(levels: &levels, images: images[...], key: .evaluation(seed: seed))
    return levels
  }
}
