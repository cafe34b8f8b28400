import COpenMPI
import Foundation
import Tensors

/// The ranks of an MPI job.
///
/// MPI's blocking operations wait for ever when a peer is stopped or unreachable, so every operation here is started
/// without blocking and then polled against a deadline.
///
/// Sendable by the rule of `Communicator` (one thread at a time), which is what MPI_THREAD_SERIALIZED allows.
///
/// This is the only file that gives memory to MPI. Until an operation is complete MPI may use its memory, also when we have
/// stopped waiting; therefore it is only ever given `scratch`, which is freed in `finalize` alone, and buffers that
/// `transfers` keeps alive.
final class MPICommunicator: Communicator, @unchecked Sendable {
  let rank: Int
  let size: Int
  private(set) var hosts: [String] = []
  var timeoutSeconds: Double {
    get { watchdog.timeoutSeconds }
    set { watchdog.timeoutSeconds = newValue }
  }
  var step: Int? {
    get { activity.step }
    set { activity.step = newValue }
  }
  var phase: ActivityPhase {
    get { activity.phase }
    set { activity.phase = newValue }
  }
  private(set) var withoutHeartbeat: String?

  private let activity: Activity
  private let watchdog: Watchdog

  private let world: MPI_Comm
  private let rollCall: RollCall

  private var scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
  /// Counts of all ranks, then displacements: the arguments of a gather under way.
  private let layout: UnsafeMutableBufferPointer<Int32>

  private struct Transfer {
    var request: MPI_Request?
    var operation: CollectiveOperation
    var buffer: FloatBuffer?
    var generation: Int
  }
  private var transfers: [Transfer] = []
  private var freeTransfers: [Int] = []
  /// The buffer of the gather under way or given up.
  private var gathered: FloatBuffer?

  /// Largest piece of a broadcast, and of what is sent without asking the receiver first.
  private static let pieceBytes = 4 << 20
  /// How often a waiting rank looks whether another one calls the roll.
  private static let listeningSeconds = 0.05
  /// How long the first heartbeats may take.
  private static let greetingSeconds = 5.0

  /// Starts MPI. `announced` is what the launcher says the number of ranks is. Without `usesHeartbeat`, only the deadlines
  /// of waits find silent ranks.
  init(announced: Int?, timeoutSeconds: Double, usesHeartbeat: Bool) throws(CollectiveError) {
    Self.sendWholeMessages()
    let activity = Activity()
    let watchdog = Watchdog(activity: activity, timeoutSeconds: timeoutSeconds)
    self.activity = activity
    self.watchdog = watchdog
    let needed = lmconv_mpi_thread_serialized()
    var provided: Int32 = 0
    activity.begin(blocking: "connect: MPI_Init_thread", .connect)
    let started = MPI_Init_thread(nil, nil, needed, &provided)
    activity.end()
    try Self.check(started, .connect, step: nil)
    guard provided >= needed else { throw .withoutThreads(provided: Int(provided)) }
    world = lmconv_mpi_comm_world()
    try Self.check(MPI_Comm_set_errhandler(world, lmconv_mpi_errors_return()), .connect, step: nil)
    var number: Int32 = 0
    try Self.check(MPI_Comm_rank(world, &number), .connect, step: nil)
    rank = Int(number)
    try Self.check(MPI_Comm_size(world, &number), .connect, step: nil)
    size = Int(number)
    if let announced, announced != size { throw .foreignLauncher(announced: announced, found: size) }
    activity.setRanks(size)
    if size > 1 { watchdog.setRank(rank) }

    var duplicate: MPI_Comm?
    // Blocks, unlike what follows: until it is done there is no communicator to call the roll on.
    activity.begin(blocking: "connect: MPI_Comm_dup", .connect)
    let duplicated = MPI_Comm_dup(world, &duplicate)
    activity.end()
    try Self.check(duplicated, .connect, step: nil)
    guard let duplicate else { throw .refused(operation: .connect, step: nil, code: 0, text: "no communicator") }
    rollCall = RollCall(world: duplicate, rank: rank, size: size)

    layout = .allocate(capacity: 2 * size)
    layout.initialize(repeating: 0)
    hosts = Array(repeating: "?", count: size)
    hosts = try allGather(Array(Self.hostName().utf8)).map { String(decoding: $0, as: UTF8.self) }
    if size > 1 { withoutHeartbeat = try connectHeartbeat(isWanted: usesHeartbeat) }
  }

  /// Introduces the ranks to each other's watchdogs, and sees whether they hear each other.
  ///
  /// - Returns: why there are no heartbeats, the same on all ranks; nil when they work.
  private func connectHeartbeat(isWanted: Bool) throws(CollectiveError) -> String? {
    var socket: HeartbeatSocket?
    var failure: String? = isWanted ? nil : "not wanted"
    if isWanted {
      do throws(HeartbeatFailure) { socket = try HeartbeatSocket() } catch { failure = "\(error)" }
    }
    let own = HeartbeatCard(port: socket?.port ?? 0, failure: failure)
    let cards = try allGather(own.encoded).map { HeartbeatCard($0) }
    for (peer, card) in cards.enumerated() {
      guard let reason = card == nil ? "its address is not understood" : card?.failure else { continue }
      return "rank \(peer) (\(hosts[peer])): \(reason)"
    }
    let known = cards.compactMap(\.self)
    guard let socket, let first = known.first else { return "no socket" }
    let names = known.enumerated().map { RankName(rank: $0, host: hosts[$0], process: $1.process) }
    watchdog.greet(
      Watchdog.Network(
        rank: rank, names: names, socket: socket, addresses: known.map { $0.addresses(seenFrom: own) },
        ports: known.map(\.port), token: first.token))
    let unreached = watchdog.unreached(after: Self.greetingSeconds)
    let all = try allGather(
      unreached.map { UInt8(truncatingIfNeeded: $0 & 0xFF) } + unreached.map { UInt8($0 >> 8 & 0xFF) })
    for (reporter, bytes) in all.enumerated() where !bytes.isEmpty {
      watchdog.rely(onHeartbeat: false)
      let peer = Int(bytes[0]) | Int(bytes[bytes.count / 2]) << 8
      return "no datagrams between \(names[reporter]) and \(names[peer]), UDP ports \(known[reporter].port) and "
        + "\(known[peer].port), within \(Int(Self.greetingSeconds)) s: a firewall may keep them back"
    }
    watchdog.rely(onHeartbeat: true)
    return nil
  }

  /// Tells Open MPI to send messages up to a bucket's size at once, unless the environment says otherwise. By default it
  /// announces those above 64 KiB first and sends them in pieces that either side must ask for, which leaves a TCP link idle
  /// for up to 40 % of an exchange (docs/scaling.md). A rank that receives late keeps what has come meanwhile: two buckets
  /// in a step, and rank 0, for a checkpoint, at most one vector of the parameters' length.
  private static func sendWholeMessages() {
    for name in ["OMPI_MCA_btl_tcp_eager_limit", "OMPI_MCA_btl_tcp_max_send_size"] {
      setenv(name, "\(pieceBytes)", 0)
    }
  }

  private static func hostName() throws(CollectiveError) -> String {
    var length: Int32 = 0
    var characters = [CChar](repeating: 0, count: Int(lmconv_mpi_max_processor_name()))
    try check(MPI_Get_processor_name(&characters, &length), .connect, step: nil)
    return String(decoding: characters.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  // MARK: Collective operations

  func barrier() throws(CollectiveError) { try barrier(as: .barrier) }

  private func barrier(as operation: CollectiveOperation) throws(CollectiveError) {
    var request: MPI_Request?
    try check(MPI_Ibarrier(world, &request), operation)
    try complete(&request, operation)
  }

  func broadcast(_ bytes: [UInt8], from root: Int) throws(CollectiveError) -> [UInt8] {
    let operation = CollectiveOperation.broadcast(root: root)
    var count = Int64(bytes.count)
    let numberBytes = MemoryLayout<Int64>.size
    scratch.storeBytes(of: count, as: Int64.self)
    try broadcastScratch(numberBytes, root, operation)
    count = scratch.load(as: Int64.self)

    var result = rank == root ? bytes : []
    result.reserveCapacity(Int(count))
    for start in stride(from: 0, to: Int(count), by: Self.pieceBytes) {
      let piece = start..<min(start + Self.pieceBytes, Int(count))
      reserveScratch(piece.count)
      if rank == root { scratch.copyBytes(from: bytes[piece]) }
      try broadcastScratch(piece.count, root, operation)
      if rank != root { result.append(contentsOf: scratch[..<piece.count]) }
    }
    return result
  }

  private func broadcastScratch(
    _ count: Int, _ root: Int, _ operation: CollectiveOperation
  ) throws(CollectiveError) {
    var request: MPI_Request?
    try check(
      MPI_Ibcast(scratch.baseAddress, Int32(count), lmconv_mpi_byte(), Int32(root), world, &request), operation)
    try complete(&request, operation)
  }

  func allGather(_ bytes: [UInt8]) throws(CollectiveError) -> [[UInt8]] {
    var lengths = [Double](repeating: 0, count: size)
    lengths[rank] = Double(bytes.count)
    try allGather(&lengths, counts: Array(repeating: 1, count: size))

    let starts = setLayout(counts: lengths.map { Int($0) })
    reserveScratch(starts.total)
    UnsafeMutableRawBufferPointer(rebasing: scratch[starts.own...]).copyBytes(from: bytes)
    try allGatherInPlace(scratch.baseAddress, lmconv_mpi_byte())
    return (0..<size).map { peer in
      let start = Int(layout[size + peer])
      return Array(scratch[start..<(start + Int(layout[peer]))])
    }
  }

  func allGather(_ values: inout [Double], counts: [Int]) throws(CollectiveError) {
    precondition(counts.count == size, "allGather: \(counts.count) counts for \(size) ranks")
    let starts = setLayout(counts: counts)
    precondition(starts.total == values.count, "allGather: counts \(starts.total) of \(values.count) values")
    reserveScratch(values.count * MemoryLayout<Double>.stride)
    values.withUnsafeBytes { scratch.copyMemory(from: $0) }
    try allGatherInPlace(scratch.baseAddress, lmconv_mpi_double())
    values.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[..<$0.count])) }
  }

  func allGather(_ buffer: FloatBuffer, ranges: [Range<Int>]) throws(CollectiveError) {
    precondition(ranges.count == size, "allGather: \(ranges.count) ranges for \(size) ranks")
    for range in ranges {
      precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count, "allGather: range \(range)")
    }
    // In pieces, so that on a slow network it is seen that something moves.
    let piece = max(1, Self.pieceBytes / MemoryLayout<Float>.stride / size)
    let longest = ranges.map(\.count).max() ?? 0
    gathered = buffer
    for offset in stride(from: 0, to: longest, by: piece) {
      for (peer, range) in ranges.enumerated() {
        layout[peer] = Int32(max(0, min(piece, range.count - offset)))
        layout[size + peer] = Int32(min(range.lowerBound + offset, range.upperBound))
      }
      try allGatherInPlace(buffer.base, lmconv_mpi_float())
    }
    gathered = nil
  }

  /// Lays out `counts` elements of each rank one after the other.
  private func setLayout(counts: [Int]) -> (own: Int, total: Int) {
    var (own, total) = (0, 0)
    for (peer, count) in counts.enumerated() {
      layout[peer] = Int32(count)
      layout[size + peer] = Int32(total)
      if peer == rank { own = total }
      total += count
    }
    return (own, total)
  }

  private func allGatherInPlace(
    _ base: UnsafeMutableRawPointer?, _ type: MPI_Datatype?
  ) throws(CollectiveError) {
    var request: MPI_Request?
    let counts = layout.baseAddress
    let started = MPI_Iallgatherv(
      lmconv_mpi_in_place(), 0, lmconv_mpi_datatype_null(), base, counts, counts?.advanced(by: size), type, world,
      &request)
    try check(started, .allGather)
    try complete(&request, .allGather)
  }

  func maximum(_ value: Int) throws(CollectiveError) -> Int {
    scratch.storeBytes(of: Int64(value), as: Int64.self)
    var request: MPI_Request?
    let started = MPI_Iallreduce(
      lmconv_mpi_in_place(), scratch.baseAddress, 1, lmconv_mpi_int64(), lmconv_mpi_max(), world, &request)
    try check(started, .maximum)
    try complete(&request, .maximum)
    return Int(scratch.load(as: Int64.self))
  }

  // MARK: Transfers

  func startSend(
    _ buffer: FloatBuffer, _ range: Range<Int>, to peer: Int, tag: Int
  ) throws(CollectiveError) -> TransferRequest {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count, "startSend: range \(range)")
    let operation = CollectiveOperation.send(to: peer)
    var request: MPI_Request?
    activity.begin(operation)
    defer { activity.end() }
    let started = MPI_Isend(
      buffer.base + range.lowerBound, Int32(range.count), lmconv_mpi_float(), Int32(peer), Int32(tag), world, &request)
    try check(started, operation)
    return record(request, operation, buffer)
  }

  func startReceive(
    _ buffer: FloatBuffer, _ range: Range<Int>, from peer: Int, tag: Int
  ) throws(CollectiveError) -> TransferRequest {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count, "startReceive: range \(range)")
    let operation = CollectiveOperation.receive(from: peer)
    var request: MPI_Request?
    let started = MPI_Irecv(
      buffer.base + range.lowerBound, Int32(range.count), lmconv_mpi_float(), Int32(peer), Int32(tag), world, &request)
    try check(started, operation)
    return record(request, operation, buffer)
  }

  func wait(for request: TransferRequest) throws(CollectiveError) {
    let transfer = transfers[request.index]
    precondition(transfer.generation == request.generation, "Communicator: \(transfer.operation) waited for twice")
    transfers[request.index].generation += 1
    var handle = transfer.request
    try complete(&handle, transfer.operation)
    transfers[request.index].buffer = nil
    freeTransfers.append(request.index)
  }

  /// Reuses the places of finished transfers, so that the steady state allocates nothing.
  private func record(
    _ request: MPI_Request?, _ operation: CollectiveOperation, _ buffer: FloatBuffer
  ) -> TransferRequest {
    guard let index = freeTransfers.popLast() else {
      transfers.append(Transfer(request: request, operation: operation, buffer: buffer, generation: 0))
      return TransferRequest(index: transfers.count - 1, generation: 0)
    }
    transfers[index].request = request
    transfers[index].operation = operation
    transfers[index].buffer = buffer
    return TransferRequest(index: index, generation: transfers[index].generation)
  }

  // MARK: Waiting, ending, errors

  /// Polls until `request` is complete. With heartbeats the watchdog ends the process if that cannot be; without, the wait
  /// has a deadline, and while it lasts this rank answers the roll calls of others.
  private func complete(_ request: inout MPI_Request?, _ operation: CollectiveOperation) throws(CollectiveError) {
    activity.begin(operation)
    defer { activity.end() }
    let hasHeartbeat = watchdog.hasHeartbeat
    var patience = PollingWait()
    var nextListening = Self.listeningSeconds
    while true {
      var isComplete: Int32 = 0
      try check(MPI_Test(&request, &isComplete, lmconv_mpi_status_ignore()), operation)
      if isComplete != 0 { return }
      patience.pause()
      guard patience.seconds >= nextListening && !hasHeartbeat else { continue }
      rollCall.listen()
      nextListening = patience.seconds + Self.listeningSeconds
      let deadline = watchdog.deadlineWithoutHeartbeat
      if patience.seconds >= deadline {
        let silent = rollCall.silentRanks().map { SilentRank(rank: $0, host: hosts[$0]) }
        throw .timedOut(operation: operation, step: step, seconds: deadline, silentRanks: silent)
      }
    }
  }

  var overlapsComputation: Bool {
    get { activity.overlaps }
    set { activity.overlaps = newValue }
  }

  func setLog(_ log: @escaping @Sendable (WatchdogNotice) -> Void) { watchdog.setLog(log) }

  func abort(exitCode: Int32) -> Never {
    // MPI_Abort asks the launcher to end the job; when that is cut off too, the watchdog ends this process.
    watchdog.announceFailure(exitCode: exitCode)
    activity.begin(blocking: "abort", .abort)
    MPI_Abort(world, exitCode)
    _exit(exitCode)
  }

  func finalize() throws(CollectiveError) {
    // After this all ranks are in finalize, so that the blocking call has nobody to wait for.
    try barrier(as: .finalize)
    watchdog.leave()
    activity.begin(blocking: "finalize: MPI_Finalize", .finalize)
    let finalized = MPI_Finalize()
    activity.end()
    watchdog.stop()
    try check(finalized, .finalize)
    scratch.deallocate()
    layout.deallocate()
  }

  private func reserveScratch(_ byteCount: Int) {
    guard byteCount > scratch.count else { return }
    scratch.deallocate()
    scratch = .allocate(byteCount: byteCount, alignment: 64)
  }

  private func check(_ code: Int32, _ operation: CollectiveOperation) throws(CollectiveError) {
    try Self.check(code, operation, step: step)
  }

  private static func check(_ code: Int32, _ operation: CollectiveOperation, step: Int?) throws(CollectiveError) {
    guard code != lmconv_mpi_success() else { return }
    var length: Int32 = 0
    var characters = [CChar](repeating: 0, count: Int(lmconv_mpi_max_error_string()))
    let explained = MPI_Error_string(code, &characters, &length) == lmconv_mpi_success()
    let text = String(decoding: characters.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    throw .refused(operation: operation, step: step, code: Int(code), text: explained ? text : "no explanation")
  }
}
