import Tensors

extension SafetensorsFile {
  /// Adds every parameter of `layout` with its values in `buffer` (`[layout.count]`), in the files' element order.
  ///
  /// `prefix` is put before each name.
  public mutating func add(_ buffer: FloatBuffer, layout: ParameterLayout, prefix: String = "") {
    for entry in layout.entries {
      add(prefix + entry.name, shape: entry.shape, floats: layout.fileValues(of: entry, in: buffer))
    }
  }

  /// Copies the file's tensors to `buffer` (`[layout.count]`), in memory's element order.
  ///
  /// The file must hold exactly the parameters of `layout`, as F32, in their shapes; otherwise nothing is written.
  ///
  /// - Throws: `CheckpointError.mismatch` with all that differs.
  public func copy(to buffer: FloatBuffer, layout: ParameterLayout) throws(CheckpointError) {
    try copy(to: ["": buffer], layout: layout)
  }

  /// Copies the parameters under each prefix to its buffer; the file holds nothing else.
  func copy(to buffers: [String: FloatBuffer], layout: ParameterLayout) throws(CheckpointError) {
    let mismatches = mismatches(with: layout, prefixes: buffers.keys.sorted())
    guard mismatches.isEmpty else { throw .mismatch(path: path, mismatches) }
    for (prefix, buffer) in buffers {
      for entry in layout.entries {
        do throws(SafetensorsError) {
          layout.setFileValues(try floats(prefix + entry.name), of: entry, in: buffer)
        } catch { throw .unusableFile(error) }
      }
    }
  }

  private func mismatches(with layout: ParameterLayout, prefixes: [String]) -> [TensorMismatch] {
    var mismatches: [TensorMismatch] = []
    var needed: Set<String> = []
    for prefix in prefixes {
      for entry in layout.entries {
        let name = prefix + entry.name
        needed.insert(name)
        guard let tensor = tensors[name] else {
          mismatches.append(.missing(name: name, needed: entry.shape))
          continue
        }
        if tensor.shape != entry.shape {
          mismatches.append(.shape(name: name, found: tensor.shape, needed: entry.shape))
        } else if tensor.type != .float32 {
          mismatches.append(.type(name: name, found: tensor.type.rawValue))
        }
      }
    }
    for (name, tensor) in sortedTensors where !needed.contains(name) {
      mismatches.append(.unexpected(name: name, found: tensor.shape))
    }
    return mismatches
  }
}
