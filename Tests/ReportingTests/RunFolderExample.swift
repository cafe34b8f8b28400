import Foundation
import Imaging
import Reporting

/// A run's folder, written by hand.
struct RunFolderExample {
  let folder: TemporaryFolder
  let path: String

  init(_ name: String = "run") throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/\(name)"
    try FileManager.default.createDirectory(atPath: path + "/pictures", withIntermediateDirectories: true)
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  func write(_ picture: PNGImage, to name: String) throws { try picture.write(to: "\(path)/\(name)") }

  /// The run as it is read.
  func opened() throws -> ReportedRun { try ReportedRun(path) }

  static func start(_ step: Int, event: String = "start") -> String {
    "{\"event\":\"\(event)\",\"ranks\":2,\"step\":\(step),\"threads\":1,\"time\":\"2026-01-02T03:04:05Z\"}\n"
  }

  static func step(_ step: Int, bits: Double) -> String {
    """
    {"bits_per_dimension":\(bits),"elapsed_seconds":\(step),"epoch":0,"gradient_norm":2.5,"images_per_second":40,\
    "learning_rate":0.001,"nats":\(bits * 100),"ranks":2,"skipped_steps":0,"step":\(step)}

    """
  }

  static func evaluation(_ step: Int, bits: Double, order: String = "s_curve/0") -> String {
    func entry(_ name: String) -> String {
      """
      {"bits_per_dimension":\(bits),"bits_per_dimension_standard_error":0.01,"nats":\(bits * 100),\
      "nats_standard_error":1,"order":"\(name)"}
      """
    }
    return """
      {"evaluation":{"ensemble":\(entry("ensemble of 1 orders")),"images":4,"images_in_set":6,\
      "mean_of_orders":\(entry("mean of 1 orders")),"orders":[\(entry(order))]},"step":\(step)}

      """
  }

  static func fault(_ step: Int, reason: String) -> String {
    """
    {"fault":{"gradient_norm":"nan","microbatches":[],"reason":"\(reason)","skipped_in_a_row":0,"step":\(step)},\
    "response":"skip","skipped_steps":1,"step":\(step)}

    """
  }
}
