import Benchmarking
import Collectives
import Testing

@Suite struct ScalingModelTests {
  /// Floats of a bucket of 4 MiB.
  private static let bucket = 1 << 20

  /// Two buckets; a microbatch takes 10 s, the last 6 of them the backward; a link carries a million floats a second.
  private func model(
    microbatches: Int, parts: StepParts? = nil, floatsPerSecond: Double = 1e6, latency: Double = 0,
    messageSeconds: Double = 0
  ) -> ScalingModel {
    ScalingModel(
      parts: parts ?? StepParts(preparation: 0, microbatch: 10, backward: 6, update: 0, addition: 0),
      parameters: 2 * Self.bucket, microbatches: microbatches, images: 3,
      network: ScalingModel.Network(
        bitsPerSecond: 32 * floatsPerSecond / ScalingModel.Network.payloadShare, latency: latency,
        messageSeconds: messageSeconds))
  }

  private func expect(_ value: Double, equals expected: Double, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
      abs(value - expected) <= 1e-9 * abs(expected) + 1e-12, "\(value) != \(expected)", sourceLocation: sourceLocation)
  }

  @Test func aRankAloneOnlyComputes() {
    let parts = StepParts(preparation: 1, microbatch: 10, backward: 6, update: 1e-7, addition: 1e-8)
    let step = model(microbatches: 4, parts: parts).step(hosts: 1, ranksPerHost: 1)
    // Four leaves are added up in three additions.
    let floats = Double(2 * Self.bucket)
    expect(step.seconds, equals: 1 + 40 + 3e-8 * floats + 1e-7 * floats)
    expect(step.efficiency, equals: 1)
    #expect(step.bytesPerHost == 0 && step.exchangeAlone == 0 && step.bound == .computation)
    expect(step.imagesPerSecond, equals: 12 / step.seconds)
  }

  @Test func theBackwardHidesAllBucketsButTheLast() {
    let step = model(microbatches: 2).step(hosts: 2, ranksPerHost: 1)
    // The second bucket is there after half of the backward, at 7 s, the first after all of it.
    let half = Double(Self.bucket / 2) * 1e-6
    expect(step.reduction, equals: half)
    expect(step.gathering, equals: 2 * half)
    // Each rank sends a number of double precision for each of its 1,024 blocks.
    expect(step.norm, equals: 2048e-6)
    expect(step.seconds, equals: 10 + 3 * half + 2048e-6)
    expect(step.exchangeAlone, equals: 4 * half + 2048e-6)
  }

  @Test func aSlowLinkIsBusyFromTheFirstBucketOn() {
    let step = model(microbatches: 2, floatsPerSecond: 1e5, latency: 0.25).step(hosts: 2, ranksPerHost: 1)
    let half = Double(Self.bucket / 2) * 1e-5
    // Only the first bucket's latency is seen in the reduction, that of both in the gathering.
    expect(step.reduction, equals: 7 + 0.25 + 2 * half - 10)
    expect(step.gathering, equals: 2 * (half + 0.25))
    #expect(step.bound == .network)
  }

  @Test func ranksThatHoldSeveralSubtreesSendMore() {
    // Slots 0-2, 3-5 and 6-7: subtrees 0-1 and 2, 3 and 4-5, 6-7. A bucket's 1,024 blocks are shared 342, 341, 341.
    let step = model(microbatches: 8).step(hosts: 3, ranksPerHost: 1)
    // The second rank sends both sums of 342 + 341 blocks; its parameters go to two others, the first rank's are more.
    let blocks = 2 * 683 + 2 * 342
    let norm = 2 * 2 * (2 * 342)
    expect(step.bytesPerHost, equals: Double(4 * (2 * blocks * ParameterShards.blockCount + norm)))
    #expect(step.ranks == 3)
  }

  @Test func ranksOfAHostShareItsLink() {
    let one = model(microbatches: 4).step(hosts: 1, ranksPerHost: 4)
    #expect(one.bytesPerHost == 0)
    // Two ranks of each host send their sums of the other host's half.
    let two = model(microbatches: 4).step(hosts: 2, ranksPerHost: 2)
    let floats = 2 * (2 * Self.bucket / 2) + 2 * (2 * Self.bucket / 2) + 2 * 2 * 1024
    expect(two.bytesPerHost, equals: Double(4 * floats))
  }

  @Test func messagesAreCountedForTheBusiestRank() {
    let none = model(microbatches: 4).step(hosts: 4, ranksPerHost: 1)
    let slow = model(microbatches: 4, messageSeconds: 1).step(hosts: 4, ranksPerHost: 1)
    // Three to send and three to receive, for each of two buckets both ways and the norm.
    expect(slow.exchangeAlone - none.exchangeAlone, equals: 5 * 6)
  }

  @Test func moreRanksThanMicrobatchesWait() {
    let (four, eight) = (
      model(microbatches: 4, floatsPerSecond: 1e9).step(hosts: 4, ranksPerHost: 1),
      model(microbatches: 4, floatsPerSecond: 1e9).step(hosts: 8, ranksPerHost: 1)
    )
    #expect(four.computation == 10 && eight.computation == 10)
    #expect(four.bound == .computation && eight.bound == .microbatches)
    #expect(eight.efficiency < 0.5 && eight.seconds >= four.seconds)
  }

  @Test func theBatchForAnEfficiencyIsTheLeastPowerOfTwo() throws {
    let model = model(microbatches: 1)
    let each = try #require(model.microbatchesPerRank(hosts: 16, ranksPerHost: 1, efficiency: 0.9))
    func efficiency(_ each: Int) -> Double {
      self.model(microbatches: 16 * each).step(hosts: 16, ranksPerHost: 1).efficiency
    }
    #expect(efficiency(each) >= 0.9 && efficiency(each / 2) < 0.9, "\(each)")
    #expect(
      self.model(microbatches: 1, floatsPerSecond: 1).microbatchesPerRank(hosts: 2, ranksPerHost: 1, efficiency: 0.9)
        == nil)
  }

  @Test func aThousandRanksHaveShardsOfWholeBlocks() {
    let step = model(microbatches: 1024).step(hosts: 1024, ranksPerHost: 1)
    // One block of each bucket: 1,023 others' sums come in, and its parameters go to as many.
    expect(step.bytesPerHost, equals: Double(4 * (2 * 2 * 1023 * 1024 + 1023 * 2 * 2)))
  }

  @Test func theMedianIsTakenPartByPart() {
    func parts(_ value: Double) -> StepParts {
      StepParts(preparation: value, microbatch: -value, backward: value, update: 2 * value, addition: 0)
    }
    #expect(StepParts.median([parts(3), parts(1), parts(2)]) == parts(2))
  }
}
