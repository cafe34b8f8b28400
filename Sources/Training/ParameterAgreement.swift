import Checkpoints
import Collectives
import Tensors

/// Ranks that hold other parameters than most.
public struct ParameterDisagreement: Codable, Sendable, Equatable, CustomStringConvertible {
  /// The ranks, ascending.
  public let ranks: [Int]
  /// Their hosts.
  public let hosts: [String]
  /// Number of all ranks.
  public let size: Int
  /// The first parameter that differs.
  public let parameter: String

  /// Who differs from whom, and in what.
  public var description: String {
    let names = zip(ranks, hosts).map { "rank \($0) on \($1)" }.joined(separator: ", ")
    let isEven = ranks.count * 2 == size
    return "\(names) \(ranks.count == 1 ? "holds" : "hold") other parameters than the \(size - ranks.count) other "
      + "rank\(size - ranks.count == 1 ? "" : "s"), first of all '\(parameter)'"
      + (isEven ? "; with as many on either side, either may be wrong" : "")
  }
}

/// All ranks hold the same parameters, bit for bit, unless memory, a processor or the network is faulty.
package enum ParameterAgreement {
  /// Who holds other `parameters` than most ranks; where two groups are equally large, the one without rank 0 counts as
  /// different. Nil if all agree. The same on all ranks.
  ///
  /// - Throws: when a rank is silent.
  package static func disagreement(
    _ parameters: FloatBuffer, layout: ParameterLayout, communicator: any Communicator
  ) throws -> ParameterDisagreement? {
    guard communicator.size > 1 else { return nil }
    var hashes = [Double](repeating: 0, count: communicator.size)
    hashes[communicator.rank] = Double(Checksum(of: parameters, in: 0..<parameters.count).value)
    try communicator.allGather(&hashes, counts: hashes.map { _ in 1 })
    guard let different = minority(hashes), let first = different.first else { return nil }
    let reference = hashes.indices.first { !different.contains($0) } ?? 0
    let tensors = try communicator.gather(layout.entries.map { Checksum(of: parameters, in: $0.range).value })
    let index = layout.entries.indices.first { tensors[first][$0] != tensors[reference][$0] }
    return ParameterDisagreement(
      ranks: different, hosts: different.map { communicator.hosts[$0] }, size: communicator.size,
      // The padding between parameters is hashed with all of them only.
      parameter: index.map { layout.entries[$0].name } ?? "padding")
  }

  /// Places of `hashes` that differ from the most frequent value, of equally frequent ones the first; nil if none does.
  package static func minority(_ hashes: [Double]) -> [Int]? {
    var counts: [Double: Int] = [:]
    for hash in hashes { counts[hash, default: 0] += 1 }
    guard counts.count > 1, let most = counts.values.max(), let usual = hashes.first(where: { counts[$0] == most })
    else {
      return nil
    }
    return hashes.indices.filter { hashes[$0] != usual }
  }
}
