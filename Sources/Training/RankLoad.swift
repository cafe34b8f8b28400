import Collectives
import Foundation

/// How a rank fares, for the live view.
package struct RankLoad: Equatable, Sendable {
  /// The share of the last step in which it waited for other ranks' gradients.
  package let waitShare: Double
  /// Memory it has resident.
  package let residentBytes: Double

  package init(waitShare: Double, residentBytes: Double) {
    self.waitShare = waitShare
    self.residentBytes = residentBytes
  }

  /// The loads of all ranks, by rank; this one waited `waitedSeconds` of `stepSeconds`.
  ///
  /// - Throws: when a rank is silent.
  static func gather(
    waitedSeconds: Double, stepSeconds: Double, over communicator: any Communicator
  ) throws(CollectiveError) -> [RankLoad] {
    var values = [Double](repeating: 0, count: 2 * communicator.size)
    values[2 * communicator.rank] = stepSeconds > 0 ? waitedSeconds / stepSeconds : 0
    values[2 * communicator.rank + 1] = Double(residentBytes)
    try communicator.allGather(&values, counts: Array(repeating: 2, count: communicator.size))
    return (0..<communicator.size).map { RankLoad(waitShare: values[2 * $0], residentBytes: values[2 * $0 + 1]) }
  }

  /// Memory that this process has resident; 0 where the system does not tell.
  private static var residentBytes: Int {
    guard let text = FileManager.default.contents(atPath: "/proc/self/statm") else { return 0 }
    let fields = String(decoding: text, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
  }
}
