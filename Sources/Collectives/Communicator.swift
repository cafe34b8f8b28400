import Tensors

/// A transfer under way. It must be waited for exactly once, by the communicator that started it.
public struct TransferRequest: Sendable {
  let index: Int
  let generation: Int
}

/// The ranks of a run, and what they do together. All ranks call the collective operations in the same order.
///
/// No wait is for ever. Ranks exchange heartbeats: when one has been silent for `timeoutSeconds`, or nothing has moved for as
/// long although all wait, every rank that is left says so and ends with `World.exitCode`. A rank that is slow but alive is waited
/// for. Without heartbeats, a wait ends after a deadline with an error that names the operation and the ranks that are
/// silent. After an error only `abort` may be called.
///
/// One thread at a time may call it. `GradientReduction` hands it to its communication thread and back through a lock.
public protocol Communicator: AnyObject, Sendable {
  /// Number of this rank.
  var rank: Int { get }
  /// Number of ranks, at least 1.
  var size: Int { get }
  /// Host names by rank.
  var hosts: [String] { get }
  /// Seconds of silence after which a rank counts as lost.
  var timeoutSeconds: Double { get set }
  /// The step that messages name, if any.
  var step: Int? { get set }
  /// What this rank is doing, for the others to know.
  var phase: ActivityPhase { get set }
  /// Whether operations run beside computation, so that waiting in them costs nothing.
  var overlapsComputation: Bool { get set }
  /// Why ranks do not exchange heartbeats; nil when they do, and for a single rank.
  var withoutHeartbeat: String? { get }

  /// Says where to write what is noticed about other ranks; `log` is called by other threads than the caller's.
  func setLog(_ log: @escaping @Sendable (WatchdogNotice) -> Void)

  /// Returns when all ranks have come here.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func barrier() throws(CollectiveError)

  /// The `bytes` of rank `root`, on every rank; those of other ranks are not looked at.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func broadcast(_ bytes: [UInt8], from root: Int) throws(CollectiveError) -> [UInt8]

  /// The `bytes` of every rank, by rank. Together below 2 GiB.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func allGather(_ bytes: [UInt8]) throws(CollectiveError) -> [[UInt8]]

  /// Completes `values` in place: `counts[r]` numbers are rank r's, one rank after the other; each rank has filled in its
  /// own.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func allGather(_ values: inout [Double], counts: [Int]) throws(CollectiveError)

  /// Completes `buffer` in place: `ranges[r]`, possibly empty, is rank r's; each rank has filled in its own.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func allGather(_ buffer: FloatBuffer, ranges: [Range<Int>]) throws(CollectiveError)

  /// The largest of all ranks' values.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func maximum(_ value: Int) throws(CollectiveError) -> Int

  /// Starts to send `range` of `buffer`, which must stay as it is until waited for.
  ///
  /// - Throws: when MPI refuses.
  func startSend(_ buffer: FloatBuffer, _ range: Range<Int>, to peer: Int, tag: Int) throws(CollectiveError)
    -> TransferRequest

  /// Starts to receive into `range` of `buffer`, which must not be touched until waited for. Transfers between two ranks
  /// with the same tag arrive in the order in which they were sent.
  ///
  /// - Throws: when MPI refuses.
  func startReceive(_ buffer: FloatBuffer, _ range: Range<Int>, from peer: Int, tag: Int) throws(CollectiveError)
    -> TransferRequest

  /// Returns when the transfer is complete.
  ///
  /// - Throws: when nothing comes in time, or MPI refuses.
  func wait(for request: TransferRequest) throws(CollectiveError)

  /// Ends the whole job, all ranks, with `exitCode`; returns under no circumstances.
  func abort(exitCode: Int32) -> Never

  /// Leaves in good order, together with all ranks; nothing may be called afterwards.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  func finalize() throws(CollectiveError)
}
