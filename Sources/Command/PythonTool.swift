import Foundation

/// Programs of the folder `Tools`, for what only Python libraries read.
struct PythonTool {
  /// The program's file name.
  let name: String

  /// Runs the program with `arguments` in the Python that `LMCONV_TORCH_PYTHON` names, or else `python3`.
  ///
  /// - Throws: when the program or Python is not found, or the program ends with an error, which it is told by.
  func run(_ arguments: [String]) throws {
    let environment = ProcessInfo.processInfo.environment
    let python = environment["LMCONV_TORCH_PYTHON"] ?? "python3"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, try path(environment["LMCONV_TOOLS"])] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    do { try process.run() } catch {
      throw PythonToolError.notStarted(python: python, reason: error.localizedDescription)
    }
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let last = text.split(separator: "\n").last.map(String.init) ?? "exit code \(process.terminationStatus)"
      throw PythonToolError.failed(tool: name, python: python, message: last)
    }
  }

  /// Where the program lies: in `folder`, or in the `Tools` of the folder that the executable was built in.
  private func path(_ folder: String?) throws -> String {
    if let folder {
      guard FileManager.default.fileExists(atPath: "\(folder)/\(name)") else {
        throw PythonToolError.notFound(tool: name, near: folder)
      }
      return "\(folder)/\(name)"
    }
    let executable = Bundle.main.bundleURL.resolvingSymlinksInPath()
    var ancestor = executable
    while ancestor.path.count > 1 {
      let candidate = ancestor.appendingPathComponent("Tools/\(name)").path
      if FileManager.default.fileExists(atPath: candidate) { return candidate }
      ancestor.deleteLastPathComponent()
    }
    throw PythonToolError.notFound(tool: name, near: executable.path)
  }
}

/// Why a Python program cannot do its work.
enum PythonToolError: Error, CustomStringConvertible {
  case notFound(tool: String, near: String)
  case notStarted(python: String, reason: String)
  case failed(tool: String, python: String, message: String)

  var description: String {
    switch self {
    case .notFound(let tool, let near):
      return "no Tools/\(tool) in \(near) or a folder above it; set LMCONV_TOOLS to the folder that holds it"
    case .notStarted(let python, let reason): return "\(python) cannot be started: \(reason)"
    case .failed(let tool, let python, let message):
      let prefix = "\(tool): error: "
      if message.hasPrefix(prefix) { return String(message.dropFirst(prefix.count)) }
      // What is most often amiss is a Python without the libraries.
      return "\(tool): \(message); it needs torch and numpy: set LMCONV_TORCH_PYTHON to a Python that has them "
        + "(now \(python))"
    }
  }
}
