import Tensors

/// What a checkpoint holds: a copy that no longer depends on the training that it was taken from.
public struct CheckpointContents: Sendable {
  /// The parameters under the reference's names, F32, in the files' shapes such as `[out, in, k, k]`.
  public let parameters: SafetensorsFile
  /// The moving average of the parameters, if the run keeps one.
  public let ema: SafetensorsFile?
  /// Adam's moments `first.NAME` and `second.NAME`; nil where they were not saved or not loaded.
  public let optimizer: SafetensorsFile?
  /// Everything else.
  public let state: CheckpointState

  init(parameters: SafetensorsFile, ema: SafetensorsFile?, optimizer: SafetensorsFile?, state: CheckpointState) {
    self.parameters = parameters
    self.ema = ema
    self.optimizer = optimizer
    self.state = state
  }

  /// A copy of the flat vectors (`[layout.count]` each) of a run.
  public init(
    state: CheckpointState, layout: ParameterLayout, parameters: FloatBuffer, ema: FloatBuffer? = nil,
    moments: (first: FloatBuffer, second: FloatBuffer)? = nil
  ) {
    // With its configuration, a file of parameters can be used without the rest of the checkpoint.
    let empty = SafetensorsFile(metadata: ["configuration": state.configuration, "step": "\(state.step)"])
    var parameterFile = empty
    parameterFile.add(parameters, layout: layout)
    self.parameters = parameterFile
    self.ema = ema.map { average in
      var file = empty
      file.add(average, layout: layout)
      return file
    }
    optimizer = moments.map { moments in
      var file = SafetensorsFile()
      file.add(moments.first, layout: layout, prefix: "first.")
      file.add(moments.second, layout: layout, prefix: "second.")
      return file
    }
    self.state = state
  }

  /// Copies the parameters to `buffer` (`[layout.count]`).
  ///
  /// - Throws: when names or shapes are not those of `layout`.
  public func copyParameters(to buffer: FloatBuffer, layout: ParameterLayout) throws(CheckpointError) {
    try parameters.copy(to: buffer, layout: layout)
  }

  /// Copies the moving average of the parameters to `buffer` (`[layout.count]`).
  ///
  /// - Throws: when there is none, or names or shapes are not those of `layout`.
  public func copyEMA(to buffer: FloatBuffer, layout: ParameterLayout) throws(CheckpointError) {
    guard let ema else { throw .missingPart(path: parameters.path, file: CheckpointFile.ema.rawValue) }
    try ema.copy(to: buffer, layout: layout)
  }

  /// Copies Adam's moments to `first` and `second` (`[layout.count]` each).
  ///
  /// - Throws: when there are none, or names or shapes are not those of `layout`.
  public func copyMoments(
    first: FloatBuffer, second: FloatBuffer, layout: ParameterLayout
  ) throws(CheckpointError) {
    guard let optimizer else { throw .missingPart(path: parameters.path, file: CheckpointFile.optimizer.rawValue) }
    try optimizer.copy(to: ["first.": first, "second.": second], layout: layout)
  }

  /// The parts that are there, in the order in which they are written.
  var files: [(part: CheckpointFile, content: SafetensorsFile)] {
    let parts: [(CheckpointFile, SafetensorsFile?)] = [(.model, parameters), (.ema, ema), (.optimizer, optimizer)]
    return parts.compactMap { part, content in content.map { (part, $0) } }
  }
}

extension CheckpointContents: Equatable {
  /// Whether state and tensors are the same bits, wherever they were read from.
  public static func == (left: CheckpointContents, right: CheckpointContents) -> Bool {
    left.state == right.state && left.parameters.tensors == right.parameters.tensors
      && left.ema?.tensors == right.ema?.tensors && left.optimizer?.tensors == right.optimizer?.tensors
  }
}
