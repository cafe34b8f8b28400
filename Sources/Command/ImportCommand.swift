import ArgumentParser
import Checkpoints
import Configuration
import Datasets
import Foundation
import Model
import Tensors
import Training

/// `lmconv import`
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a run, or a model.safetensors file, of parameters of the paper's code or of another program.",
    discussion: """
      Examples:
        lmconv import cifar10_ep349.pth --config configurations/cifar10.yaml --out runs/reference
        lmconv import model.safetensors --config my.yaml --out runs/mine
        lmconv import exported.pth --out model.safetensors

      The configuration says which network the parameters are of; names and shapes must be exactly its own. Files that \
      `lmconv export` wrote hold it. The bits do not change.

      .pth files are read by Tools/import_pth.py with torch, in the Python that LMCONV_TORCH_PYTHON names (default: \
      python3). The run has a checkpoint to evaluate, sample, compress and score with. It has no optimizer state: it cannot \
      be trained on.
      """)

  @Argument(help: ArgumentHelp("A .pth file of the paper's code, or a .safetensors file.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("Configuration, where the file does not hold it.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of the configuration; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A new run's folder, or a file that ends in .safetensors.", valueName: "folder|file"))
  var out: String

  func run() throws {
    let source = try ParameterFile.read(file)
    let configuration: RunConfiguration
    if let config {
      configuration = try RunConfiguration(contentsOf: config, overrides: overrides)
    } else {
      guard let yaml = source.metadata["configuration"] else { throw CommandError.noConfiguration(path: file) }
      configuration = try RunConfiguration(yaml: yaml, path: file, overrides: overrides)
    }
    let channels = try configuration.data.knownChannels ?? configuration.data.images(of: .test).channels
    let network = AutoregressiveNetwork(configuration.modelConfiguration(channels: channels))
    let parameters = FloatBuffer(count: network.layout.count)
    try source.copy(to: parameters, layout: network.layout)
    let step = ["global_step", "step"].lazy.compactMap { source.metadata[$0].flatMap { Int($0) } }.first ?? 0
    let state = CheckpointState(
      step: max(step, 0), seed: configuration.seed, configuration: configuration.yaml, datasetHash: "not known")
    let contents = CheckpointContents(state: state, layout: network.layout, parameters: parameters)
    if ParameterFile.isSafetensors(out) {
      _ = try OutputFile(out)
      try contents.parameters.write(to: out)
    } else {
      try writeRun(contents)
    }
    print("\(out): \(network.layout.parameterCount) parameters of \(file), step \(state.step)")
  }

  private func writeRun(_ contents: CheckpointContents) throws {
    let folder = RunFolder(out)
    guard try CheckpointStore(runFolder: out).list().isEmpty else { throw ParameterFileError.runExists(path: out) }
    try folder.create()
    let writer = try CheckpointWriter(lock: try RunLock(runFolder: out), retention: CheckpointRetention(keepLast: 1))
    try folder.write(contents.state.configuration, to: folder.configuration)
    try writer.write(contents)
  }
}

/// `lmconv export`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model's parameters for the paper's code, or as one safetensors file.",
    discussion: """
      Examples:
        lmconv export runs/digits --out digits.pth
        lmconv export runs/digits --weights raw --checkpoint best --out digits.safetensors

      A .pth file is a checkpoint of the paper's code without optimizer state (load it with --do_not_load_optimizer): \
      epoch, global_step, args and model_state_dict, and lmconv's configuration besides. It is written by \
      Tools/import_pth.py with torch, in the Python that LMCONV_TORCH_PYTHON names (default: python3). The bits do not \
      change.
      """)

  @Argument(help: "A run's folder, a checkpoint's folder, or a model.safetensors file.")
  var model: String

  @Option(help: ArgumentHelp("Which checkpoint of a run.", valueName: "newest|best"))
  var checkpoint = OpenedModel.Choice.newest

  @Option(help: "Which weights: the moving average (ema), those trained (raw), or the average if there is one (auto).")
  var weights = WeightChoice.auto

  @Option(
    name: .shortAndLong, help: ArgumentHelp("File to write, which ends in .pth or .safetensors.", valueName: "file"))
  var out: String

  func validate() throws {
    guard ParameterFile.isSafetensors(out) || ParameterFile.isPickle(out) else {
      throw ValidationError("--out must end in .pth or .safetensors, it is '\(out)'")
    }
  }

  func run() throws {
    let opened = try ModelOptions.opened(model, checkpoint)
    for skipped in opened.skipped { FileHandle.standardError.write(Data("warning: \(skipped)\n".utf8)) }
    let parameters = try ModelOptions.weights(weights, of: opened)
    _ = try OutputFile(out)
    try ParameterFile.write(parameters, to: out)
    print("\(out): \(parameters.tensors.count) tensors of \(opened.path)")
  }
}

/// Files of named parameters, in safetensors or as the paper's code pickles them.
enum ParameterFile {
  private static let tool = PythonTool(name: "import_pth.py")

  static func isSafetensors(_ path: String) -> Bool { path.lowercased().hasSuffix(".safetensors") }
  static func isPickle(_ path: String) -> Bool { path.lowercased().hasSuffix(".pth") }

  /// The parameters in the file at `path`, which ends in .pth if it is pickled.
  ///
  /// - Throws: when it cannot be read.
  static func read(_ path: String) throws -> SafetensorsFile {
    guard FileManager.default.fileExists(atPath: path) else { throw ParameterFileError.noFile(path: path) }
    guard isPickle(path) else { return try SafetensorsFile(contentsOf: path) }
    return try withTemporaryFile { temporary in
      try tool.run(["import", path, temporary])
      // Named as the user knows it.
      return try SafetensorsFile(data: try Data(contentsOf: URL(fileURLWithPath: temporary)), path: path)
    }
  }

  /// Writes `parameters` to the file at `path`, pickled if it ends in .pth.
  ///
  /// - Throws: when it cannot be written.
  static func write(_ parameters: SafetensorsFile, to path: String) throws {
    guard isPickle(path) else { return try parameters.write(to: path) }
    try withTemporaryFile { temporary in
      try parameters.write(to: temporary)
      try tool.run(["export", temporary, path])
    }
  }

  private static func withTemporaryFile<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lmconv-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let result = Swift.Result { try body(folder.path + "/model.safetensors") }
    try FileManager.default.removeItem(at: folder)
    return try result.get()
  }
}

/// Why a file of parameters cannot be used.
enum ParameterFileError: Error, CustomStringConvertible {
  case noFile(path: String)
  case runExists(path: String)

  var description: String {
    switch self {
    case .noFile(let path): return "\(path): no such file; name a .pth or a .safetensors file"
    case .runExists(let path): return "\(path) already holds a run; give another folder"
    }
  }
}
