import Collectives
import Foundation
import Optimization
import Tensors

// A small program to be run alone and under mpirun by CollectivesTests. Rank 0 prints results, whoever fails says why.

func hash(_ values: [Float]) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
  for value in values { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3 }
  return String(hash, radix: 16)
}

func residentKilobytes() -> Int {
  let status = FileManager.default.contents(atPath: "/proc/self/status").map { String(decoding: $0, as: UTF8.self) }
  let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
  return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0
}

/// Some steps of training on random gradients; prints everything that must not depend on the number of ranks.
func reduce(slots: Int, count: Int, steps: Int, over communicator: any Communicator) throws(CollectiveError) {
  let reduction = GradientReduction(count: count, slots: slots, communicator: communicator, bucketBytes: 16 << 10)
  let owned = reduction.shards.owned(by: communicator.rank)
  let parameters = FloatBuffer(count: count)
  var random = KeyedGenerator(seed: 7, purpose: .initialization)
  for index in 0..<count { parameters[index] = random.uniform() }
  var adam = Adam(ranges: owned)
  var average = ParameterAverage(of: parameters, ranges: owned, decay: 0.9)
  var memoryAtStart = 0

  for step in 0..<steps {
    var losses: [Double] = []
    reduction.beginStep(step)
    for slot in reduction.localSlots {
      var random = KeyedGenerator(seed: 7, purpose: .dropout, step: step, slot: slot)
      losses.append(random.uniformDouble())
      var end = count
      while end > 0 {
        let start = max(0, end - 1 - random.integer(below: count / 3 + 1))
        for index in start..<end { reduction.leaf[index] = random.uniform() - 0.3 }
        reduction.didComplete(from: start)
        end = start
      }
      reduction.finishSlot()
    }
    try reduction.finishStep()
    let norm = try reduction.gradientNorm()
    let allLosses = try reduction.gatherSlotValues(losses)
    if step == steps - 1 {
      try reduction.shards.gather(reduction.sum, over: communicator)
      if communicator.rank == 0 {
        print("losses", allLosses.map(\.bitPattern))
        print("sum", hash(reduction.sum.values))
        print("norm", norm.bitPattern)
      }
    }
    adam.update(
      parameters, gradient: reduction.sum, learningRate: 0.01,
      gradientScale: GradientClipping.scale(norm: norm, maximum: 10))
    average.update(parameters)
    try reduction.shards.gather(parameters, over: communicator)
    if step == 4 { memoryAtStart = residentKilobytes() }
  }
  if steps > 5 { standardError("memory grew by \(residentKilobytes() - memoryAtStart) kB") }

  let gathered = FloatBuffer(count: count)
  try reduction.shards.gather(average.values, into: gathered, over: communicator)
  let moment = try reduction.shards.gatherOnFirstRank(adam.secondMoment, over: communicator)
  let same = try communicator.allGather(Array(hash(parameters.values + gathered.values).utf8))
  if communicator.rank == 0 {
    print("parameters", hash(parameters.values))
    print("average", hash(gathered.values))
    print("moment", hash(moment?.values ?? []))
    print("ranks agree", Set(same).count == 1)
  }
}

/// Every collective operation once; prints what every rank received.
func operations(over communicator: any Communicator) throws(CollectiveError) {
  let (rank, size) = (communicator.rank, communicator.size)
  let long = (0..<5_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }
  try communicator.barrier()
  let received = try communicator.broadcast(rank == size - 1 ? long : [1], from: size - 1)
  let empty = try communicator.broadcast([], from: 0)
  let texts = try communicator.allGather(Array(String(repeating: "ab", count: rank * 50_000).utf8))
  var numbers = [Double](repeating: -1, count: size * (size - 1) / 2)
  for index in 0..<rank { numbers[rank * (rank - 1) / 2 + index] = Double(rank) }
  try communicator.allGather(&numbers, counts: Array(0..<size))
  let floats = FloatBuffer(count: size)
  floats[rank] = Float(rank)
  try communicator.allGather(floats, ranges: (0..<size).map { $0..<($0 + 1) })
  let transferred = FloatBuffer(count: 2)
  if size > 1 {
    floats[0] = Float(rank)
    let receive = try communicator.startReceive(transferred, 1..<2, from: (rank + size - 1) % size, tag: 3)
    let send = try communicator.startSend(floats, 0..<1, to: (rank + 1) % size, tag: 3)
    try communicator.wait(for: receive)
    try communicator.wait(for: send)
  }
  let isRight =
    received == long && empty == [] && texts.map(\.count) == (0..<size).map { $0 * 100_000 }
    && numbers == (0..<size).flatMap { Array(repeating: Double($0), count: $0) }
    && floats.values.dropFirst() == (0..<size).map { Float($0) }.dropFirst()
    && transferred.values == [0, size > 1 ? Float((rank + size - 1) % size) : 0]
    && communicator.hosts.count == size
  let wrong = try communicator.maximum(isRight ? 0 : 1)
  let highest = try communicator.maximum(-10 + rank)
  if rank == 0 { print("size \(size), wrong \(wrong), highest \(highest)") }
}

func standardError(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

let arguments = CommandLine.arguments.dropFirst()
let numbers = arguments.dropFirst().compactMap { Int($0) }
if arguments.first == "late", ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"] == "1" { sleep(30) }
let communicator: any Communicator
do throws(CollectiveError) {
  communicator = try World.connect(
    timeoutSeconds: arguments.first == "late" ? 2 : 60, usesHeartbeat: !arguments.contains("without-heartbeat"))
} catch {
  standardError("\(error)")
  exit(64)
}
let isLast = communicator.rank == communicator.size - 1
communicator.setLog { notice in
  switch notice {
  case .straggler(let text): standardError("notice: \(text)")
  case .ending(let ending):
    standardError("notice: ending, \(ending.reason ?? "no reason"), step \(ending.step.map { "\($0)" } ?? "none")")
  }
}
do throws(CollectiveError) {
  switch arguments.first {
  case "reduce": try reduce(slots: numbers[0], count: numbers[1], steps: numbers[2], over: communicator)
  case "operations": try operations(over: communicator)
  case "stop", "exit", "sleep":
    // The last rank fails in the middle of a step, while the others wait for its gradients.
    communicator.timeoutSeconds = arguments.first == "sleep" ? 0.5 : 2
    let reduction = GradientReduction(count: 1 << 20, slots: communicator.size, communicator: communicator)
    reduction.beginStep(12)
    if isLast {
      // So that the others have heard where it is.
      usleep(500_000)
      switch arguments.first {
      case "exit": exit(9)
      case "stop": raise(SIGSTOP)
      default: sleep(60)
      }
    }
    reduction.finishSlot()
    try reduction.finishStep()
  case "slow":
    // The last rank computes for three times the timeout.
    communicator.timeoutSeconds = 2
    let reduction = GradientReduction(count: 1 << 16, slots: communicator.size, communicator: communicator)
    reduction.beginStep(12)
    let end = SuspendingClock.now + .seconds(isLast ? 8 : 0)
    while SuspendingClock.now < end {}
    reduction.finishSlot()
    try reduction.finishStep()
    print("rank \(communicator.rank) done")
  case "idle":
    // The last rank keeps the others waiting.
    let before = clock()
    if isLast { sleep(4) }
    _ = try communicator.broadcast([1], from: communicator.size - 1)
    print("rank \(communicator.rank) took \((clock() - before) * 1000 / CLOCKS_PER_SEC) ms")
  case "disagree":
    communicator.timeoutSeconds = 1
    let peer = (communicator.rank + 1) % communicator.size
    try communicator.wait(for: try communicator.startReceive(FloatBuffer(count: 1), 0..<1, from: peer, tag: 0))
  case "heartbeat": if communicator.rank == 0 { print(communicator.withoutHeartbeat ?? "heartbeat works") }
  default:
    standardError(
      "usage: CollectivesProbe reduce SLOTS COUNT STEPS | operations | stop | exit | sleep | slow | disagree | late "
        + "| heartbeat | idle, and without-heartbeat")
  }
  try communicator.finalize()
} catch {
  standardError("rank \(communicator.rank): \(error)")
  communicator.abort(exitCode: 76)
}
