import ArgumentParser
import Collectives
import Compression
import Datasets
import Foundation
import Imaging
import Kernels
import Logging
import Orders
import Training

/// `lmconv decompress`
struct DecompressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decompress",
    abstract: "Turn compressed images back into PNG files, by all ranks.",
    discussion: """
      Examples:
        lmconv decompress runs/digits digits.lmc --out digits
        lmconv decompress runs/digits digits.lmc --verify test
        # what is left of a damaged file
        lmconv decompress runs/digits digits.lmc --out digits --keep-going

      Takes the model that compressed the images, from the same checkpoint and with the same --weights, on any number of \
      ranks and threads. Each image is checked before it is written: a wrong model, another processor, a cut or changed \
      file end with an error that names what differs.
      """)

  @OptionGroup var options: ModelOptions

  @Argument(help: "A file that lmconv compress wrote.")
  var file: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Folder for image-0000.png and so on.", valueName: "folder"))
  var out: String?

  @Option(
    help: ArgumentHelp("Compare with images of the model's data set, from --first on.", valueName: "train|test"))
  var verify: Split?

  @Option(parsing: .unconditional, help: "First image of the set to compare with.")
  var first = 0

  @Flag(help: "Decompress what is undamaged, tell which images are lost, and end with an error if any are.")
  var keepGoing = false

  @Flag(help: "Print what was decompressed and what is lost as JSON.")
  var json = false

  func validate() throws {
    guard out != nil || verify != nil else { throw ValidationError("pass --out FOLDER, --verify SPLIT, or both") }
    guard first >= 0 else { throw ValidationError("--first must not be negative, it is \(first)") }
    guard verify != nil || first == 0 else { throw ValidationError("--first goes with --verify") }
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      // The file need only be on the first rank's host.
      let bytes = try communicator.broadcast(communicator.rank == 0 ? try DatasetFile.bytes(at: file) : [], from: 0)
      let compressed = try CompressedImages(parsing: bytes, path: file)
      let model = try options.open(log: log)
      let network = try model.experiment.network.underLocalMasks(for: "decompress")
      communicator.timeoutSeconds = model.experiment.configuration.run.timeoutSeconds
      let folder = try communicator.rank == 0 ? out.map { try OutputFile($0 + "/image") } : nil
      let codec = ImageCodec(
        network: network, parameters: model.parameters, communicator: communicator,
        threads: HostThreads.count(requested: options.threads, communicator: communicator))
      let start = ContinuousClock.now
      let chunks: [ImageCodec.DecompressedChunk]
      do {
        chunks = try codec.decompress(compressed, keepsGoing: keepGoing, shouldStop: { stopSignal.isReceived })
      } catch let error as CompressionError {
        guard case .interrupted = error else { throw error }
        log.info("\(error)")
        try Job.leave(communicator, status: ExitStatus.stopped)
      }
      guard communicator.rank == 0 else { return }
      let seconds = (ContinuousClock.now - start).seconds
      if compressed.trailingBytes > 0 {
        log.warning("\(file): \(compressed.trailingBytes) bytes after the last chunk were passed over")
      }
      let different = try verify.map { try differences(chunks, compressed.header, from: $0, of: model.experiment) }
      if let folder { try write(chunks, compressed.header, to: folder) }
      let summary = DecompressionSummary(
        file: file, chunks: chunks, images: compressed.header.images, different: different, seconds: seconds)
      if json { try JSONOutput.print(summary) } else { print(summary.text) }
      if let different, !different.isEmpty { throw VerificationError(file: file, images: different) }
      guard summary.damages.isEmpty else {
        throw CompressionError.damagedChunks(path: file, summary.damages, chunks: chunks.count)
      }
    }
  }

  private func write(
    _ chunks: [ImageCodec.DecompressedChunk], _ header: CompressedImages.Header, to file: OutputFile
  ) throws {
    let levels = PictureLevels(channels: header.channels, bits: header.bits)
    let digits = max(4, String(header.images - 1).count)
    for chunk in chunks {
      guard case .success(let values) = chunk.levels else { continue }
      for (image, picture) in zip(chunk.images, levels.pictures(values, size: header.size)) {
        let number = String(image)
        try picture.write(to: "\(file.path)-\(String(repeating: "0", count: digits - number.count))\(number).png")
      }
    }
  }

  /// The images that are not those of the set, of the chunks that are whole.
  private func differences(
    _ chunks: [ImageCodec.DecompressedChunk], _ header: CompressedImages.Header, from split: Split,
    of experiment: Experiment
  ) throws -> [Int] {
    let dataset = try experiment.images(of: split)
    let expected = try dataset.levels(first: first, count: header.images, seed: experiment.configuration.seed)
    guard dataset.size == header.size && dataset.channels == header.channels else { return Array(0..<header.images) }
    let count = dataset.valuesPerImage
    return chunks.flatMap { chunk -> [Int] in
      guard case .success(let levels) = chunk.levels else { return [] }
      return chunk.images.filter { image in
        let place = (image - chunk.images.lowerBound) * count
        return levels[place..<(place + count)] != expected[(image * count)..<((image + 1) * count)]
      }
    }
  }
}

/// Decompressed images are not those they were compared with.
struct VerificationError: Error, CustomStringConvertible {
  let file: String
  let images: [Int]

  var description: String {
    let named = images.prefix(5).map { "\($0)" }.joined(separator: ", ")
    return "\(file): \(images.count) images are not those of the set: \(named)\(images.count > 5 ? ", ..." : "")"
  }
}

/// What was decompressed, and what is lost.
struct DecompressionSummary: Encodable {
  let file: String
  let images: Int
  let lostImages: [Int]
  let damages: [ChunkDamage]
  let isVerified: Bool?
  let seconds: Double

  enum CodingKeys: String, CodingKey {
    case file, images, damages, seconds
    case lostImages = "lost_images"
    case isVerified = "verified"
  }

  init(file: String, chunks: [ImageCodec.DecompressedChunk], images: Int, different: [Int]?, seconds: Double) {
    self.file = file
    self.images = images
    damages = chunks.compactMap { chunk in
      guard case .failure(let damage) = chunk.levels else { return nil }
      return damage
    }
    let lost = damages.flatMap { Array($0.images) }
    lostImages = lost
    isVerified = different.map { $0.isEmpty && lost.isEmpty }
    self.seconds = seconds
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file, forKey: .file)
    try container.encode(images, forKey: .images)
    try container.encode(lostImages, forKey: .lostImages)
    try container.encode(damages.map(\.description), forKey: .damages)
    try container.encodeIfPresent(isVerified, forKey: .isVerified)
    try container.encode(seconds, forKey: .seconds)
  }

  var text: String {
    let whole = "\(file): \(images - lostImages.count) of \(images) images decompressed"
    return isVerified == true ? whole + ", all equal to those of the set" : whole
  }
}
