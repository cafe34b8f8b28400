import Foundation

/// A configuration and data so small that training takes a moment.
enum SmallRun {
  /// Images of 8 x 8 pixels: 24 to train on, 6 to test.
  static let trainingImages = 24
  static let testImages = 6
  static let side = 8

  /// Writes the data to `data` and the configuration to `small.yaml` in `folder`.
  static func prepare(_ folder: TemporaryFolder) throws {
    try FileManager.default.createDirectory(atPath: folder.path + "/data", withIntermediateDirectories: true)
    try folder.write(IDX.images(count: trainingImages, side: side), to: "data/train-images-idx3-ubyte")
    try folder.write(IDX.labels(count: trainingImages), to: "data/train-labels-idx1-ubyte")
    try folder.write(IDX.images(count: testImages, side: side), to: "data/t10k-images-idx3-ubyte")
    try folder.write(IDX.labels(count: testImages), to: "data/t10k-labels-idx1-ubyte")
    try folder.write(configuration, to: "small.yaml")
  }

  static let configuration = """
    name: small
    data:
      set: mnist
      folder: data
    model:
      filters: 4
    orders:
      train: [0, 5]
      test: [0, 3]
    training:
      steps: 4
      microbatches: 2
      microbatch_size: 2
      schedule: constant
    checkpoint:
      every_steps: 2
    evaluation:
      images: 4
    run:
      threads: 1
      progress: plain

    """

  /// A prepared folder whose run `run` is trained: checkpoints of step 2 and, evaluated, of step 4. Made once, and copied
  /// for each test.
  static func trained() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in try master.get().names() {
      try FileManager.default.copyItem(atPath: "\(try master.get().path)/\(name)", toPath: "\(folder.path)/\(name)")
    }
    return folder
  }

  /// The arguments that train, or go on with, the run.
  static let train = ["train", "--config", "small.yaml", "--run-dir", "run"]

  private struct NotTrained: Error {
    let errors: String
  }

  private static let master: Result<TemporaryFolder, any Error> = Result {
    let folder = try TemporaryFolder()
    try prepare(folder)
    let training = try Invocation.lmconv(train, in: folder.path)
    guard training.exitCode == 0 else { throw NotTrained(errors: training.errors) }
    atexit {
      // A static value is never released, so that its folder would stay.
      guard case .success(let folder) = SmallRun.master else { return }
      do { try FileManager.default.removeItem(atPath: folder.path) } catch { print("left behind: \(error)") }
    }
    return folder
  }
}

/// Files in MNIST's format.
enum IDX {
  /// `count` images of `side` x `side` pixels with values that differ.
  static func images(count: Int, side: Int) -> [UInt8] {
    header(0x803, [count, side, side]) + (0..<(count * side * side)).map { UInt8(truncatingIfNeeded: $0 * 37) }
  }

  /// `count` labels.
  static func labels(count: Int) -> [UInt8] { header(0x801, [count]) + (0..<count).map { UInt8($0 % 10) } }

  private static func header(_ magic: Int, _ sizes: [Int]) -> [UInt8] {
    ([magic] + sizes).flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  }
}
