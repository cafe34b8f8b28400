/// What one rank tells another every moment, in a datagram: that it is alive, where it is, and how long it has waited.
package struct Heartbeat: Sendable, Equatable {
  /// Why a rank that sends this is about to end.
  package enum Ending: UInt8, Sendable {
    /// It is not.
    case none
    /// It misses `missedRank`.
    case missesRank
    /// It has reported an error of its own.
    case failed
  }

  /// Sender and receiver.
  package var from: Int
  package var to: Int
  /// Which of the receiver's addresses this was sent to.
  package var address = 0
  /// Which of the sender's own addresses it has been reached at by the receiver, -1 for none so far.
  package var reachedAt = -1
  package var ending = Ending.none
  package var missedRank = -1
  package var position: RankPosition
  /// Whether it can only wait.
  package var isWaiting = false
  /// Counts everything that began or ended.
  package var progress: UInt64 = 0
  /// Seconds that it has waited in all, and that its process has used of the processor.
  package var waited = 0.0
  package var processor = 0.0
  /// The rank that it waited for longest lately, and for how many seconds.
  package var longestWaitPeer = 0
  package var longestWait = 0.0

  package init(from: Int, to: Int, position: RankPosition) {
    self.from = from
    self.to = to
    self.position = position
  }

  /// Bytes of a datagram.
  package static let byteCount = 80

  /// Writes it into the first `byteCount` of `bytes`, for the job that `token` marks.
  package func encode(token: UInt64, into bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count >= Self.byteCount, "Heartbeat: \(bytes.count) of \(Self.byteCount) bytes")
    let (kind, operand) = position.operation?.code ?? (0, 0)
    bytes.store(token, at: 0)
    bytes.store(progress, at: 8)
    bytes.store(waited.bitPattern, at: 16)
    bytes.store(processor.bitPattern, at: 24)
    bytes.store(longestWait.bitPattern, at: 32)
    bytes.store(Int64(position.step ?? -1), at: 40)
    bytes.store(Int32(from), at: 48)
    bytes.store(Int32(to), at: 52)
    bytes.store(Int32(missedRank), at: 56)
    bytes.store(Int32(longestWaitPeer), at: 60)
    bytes.store(Int32(operand), at: 64)
    bytes.store(Int8(address), at: 68)
    bytes.store(Int8(reachedAt), at: 69)
    bytes.store(ending.rawValue, at: 70)
    bytes.store(position.phase.rawValue, at: 71)
    bytes.store(UInt8(kind), at: 72)
    bytes.store(UInt8(isWaiting ? 1 : 0), at: 73)
    for place in 74..<Self.byteCount { bytes[place] = 0 }
  }

  /// Reads what `encode` has written; nil for anything else that may come in by the network.
  package init?(_ bytes: UnsafeRawBufferPointer, token: UInt64) {
    guard bytes.count == Self.byteCount, bytes.integer(at: 0, as: UInt64.self) == token,
      let ending = Ending(rawValue: bytes[70]), let phase = ActivityPhase(rawValue: bytes[71])
    else { return nil }
    let step = Int(bytes.integer(at: 40, as: Int64.self))
    let operand = Int(bytes.integer(at: 64, as: Int32.self))
    position = RankPosition(
      step: step < 0 ? nil : step, phase: phase, operation: CollectiveOperation(code: Int(bytes[72]), operand: operand))
    progress = bytes.integer(at: 8, as: UInt64.self)
    waited = Double(bitPattern: bytes.integer(at: 16, as: UInt64.self))
    processor = Double(bitPattern: bytes.integer(at: 24, as: UInt64.self))
    longestWait = Double(bitPattern: bytes.integer(at: 32, as: UInt64.self))
    from = Int(bytes.integer(at: 48, as: Int32.self))
    to = Int(bytes.integer(at: 52, as: Int32.self))
    missedRank = Int(bytes.integer(at: 56, as: Int32.self))
    longestWaitPeer = Int(bytes.integer(at: 60, as: Int32.self))
    address = Int(bytes.integer(at: 68, as: Int8.self))
    reachedAt = Int(bytes.integer(at: 69, as: Int8.self))
    isWaiting = bytes[73] != 0
    self.ending = ending
  }
}

// Little-endian, so that ranks on unlike processors understand each other.
extension UnsafeMutableRawBufferPointer {
  fileprivate func store<Value: FixedWidthInteger>(_ value: Value, at place: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: place, as: Value.self)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func integer<Value: FixedWidthInteger>(at place: Int, as type: Value.Type) -> Value {
    Value(littleEndian: loadUnaligned(fromByteOffset: place, as: type))
  }
}
