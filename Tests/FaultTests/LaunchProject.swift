import Foundation
import TestSupport

extension Workplace {
  /// Writes the folder `project` with `launch.sh`, `cluster/` and what is built already, and the configuration of `trial`
  /// as `run.yaml`.
  func writeProject(configuration trial: Trial) throws {
    let files = FileManager.default
    let (root, project) = (Fixtures.packageRoot, path + "/project")
    for folder in ["cluster", "Sources", ".build/release"] {
      try files.createDirectory(atPath: "\(project)/\(folder)", withIntermediateDirectories: true)
    }
    for name in ["launch.sh", "cluster/slurm.sbatch", "Package.swift"] {
      try files.copyItem(atPath: "\(root)/\(name)", toPath: "\(project)/\(name)")
    }
    try files.createSymbolicLink(atPath: project + "/.build/release/lmconv", withDestinationPath: Workplace.program)
    // As after a build with the settings that launch.sh will see.
    let environment = ProcessInfo.processInfo.environment
    let settings = "baseline=\(environment["LMCONV_BASELINE"] ?? "") werror=\(environment["LMCONV_WERROR"] ?? "")"
    try settings.write(toFile: project + "/.build/launch-stamp", atomically: true, encoding: .utf8)

    var sections: [String: [String: String]] = [:]
    for word in trial.arguments() + ["data.folder=\(path)/images"] {
      guard let parts = word.wholeMatch(of: /(\w+)\.(\w+)=(.*)/)?.output else { continue }
      sections[String(parts.1), default: [:]][String(parts.2)] = String(parts.3)
    }
    let yaml = sections.sorted { $0.key < $1.key }.map { section, values in
      "\(section):\n" + values.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)\n" }.joined()
    }
    try yaml.joined().write(toFile: path + "/run.yaml", atomically: true, encoding: .utf8)
  }
}
