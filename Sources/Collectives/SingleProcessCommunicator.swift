import Foundation
import Tensors

/// The only rank of a run without a launcher: collective operations return what they are given, and there is nobody to
/// send to.
///
/// Sendable by the rule of `Communicator`: one thread at a time calls it.
public final class SingleProcessCommunicator: Communicator, @unchecked Sendable {
  /// Always 0.
  public let rank = 0
  /// Always 1.
  public let size = 1
  /// This host.
  public let hosts: [String]
  /// Without effect: nothing is ever waited for.
  public var timeoutSeconds: Double
  /// Without effect: no error ever names it.
  public var step: Int?
  /// Without effect: nobody asks.
  public var phase = ActivityPhase.startUp
  /// Without effect: nothing is ever waited for.
  public var overlapsComputation = false
  /// Nil: nobody is missed.
  public var withoutHeartbeat: String? { nil }

  /// A world of one.
  public init(timeoutSeconds: Double = 60) {
    hosts = [ProcessInfo.processInfo.hostName]
    self.timeoutSeconds = timeoutSeconds
  }

  /// Without effect: there is nothing to notice.
  public func setLog(_ log: @escaping @Sendable (WatchdogNotice) -> Void) {}

  /// Returns at once.
  public func barrier() {}

  /// `bytes`.
  public func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] { bytes }

  /// `bytes` alone.
  public func allGather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }

  /// `values` are complete already.
  public func allGather(_ values: inout [Double], counts: [Int]) {
    precondition(counts == [values.count], "SingleProcessCommunicator: counts \(counts) of \(values.count) values")
  }

  /// `buffer` is complete already.
  public func allGather(_ buffer: FloatBuffer, ranges: [Range<Int>]) {
    precondition(ranges.count == 1, "SingleProcessCommunicator: \(ranges.count) ranges")
  }

  /// `value`.
  public func maximum(_ value: Int) -> Int { value }

  /// Never called: there is no other rank.
  public func startSend(_ buffer: FloatBuffer, _ range: Range<Int>, to peer: Int, tag: Int) -> TransferRequest {
    preconditionFailure("SingleProcessCommunicator: no rank \(peer) to send to")
  }

  /// Never called: there is no other rank.
  public func startReceive(_ buffer: FloatBuffer, _ range: Range<Int>, from peer: Int, tag: Int) -> TransferRequest {
    preconditionFailure("SingleProcessCommunicator: no rank \(peer) to receive from")
  }

  /// Never called: there are no transfers.
  public func wait(for request: TransferRequest) {
    preconditionFailure("SingleProcessCommunicator: nothing to wait for")
  }

  /// Ends the process with `exitCode`.
  public func abort(exitCode: Int32) -> Never { _exit(exitCode) }

  /// Returns at once.
  public func finalize() {}
}
