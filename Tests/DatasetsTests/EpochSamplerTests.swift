import Testing

import Datasets

@Suite struct EpochSamplerTests {
  @Test func anEpochHasEachImageAtMostOnce() throws {
    var sampler = try EpochSampler(count: 103, slots: 4, imagesPerSlot: 5, seed: 7)
    #expect(sampler.stepsPerEpoch == 5)
    for epoch in 0..<3 {
      var seen: [Int] = []
      for step in (epoch * 5)..<(epoch * 5 + 5) {
        #expect(sampler.epoch(ofStep: step) == epoch)
        for slot in 0..<4 {
          let images = sampler.images(step: step, slot: slot)
          #expect(images.count == 5)
          seen += images
        }
      }
      #expect(Set(seen).count == 100)
      #expect(seen.allSatisfy { (0..<103).contains($0) })
    }
  }

  @Test func anEpochThatDividesEvenlyHasEveryImage() throws {
    var sampler = try EpochSampler(count: 24, slots: 3, imagesPerSlot: 4, seed: 7)
    let seen = (0..<2).flatMap { step in (0..<3).flatMap { Array(sampler.images(step: step, slot: $0)) } }
    #expect(seen.sorted() == Array(0..<24))
  }

  @Test func epochsAndSeedsHaveOrdersOfTheirOwn() throws {
    var first = try EpochSampler(count: 40, slots: 1, imagesPerSlot: 40, seed: 1)
    var second = try EpochSampler(count: 40, slots: 1, imagesPerSlot: 40, seed: 2)
    let orders = [
      Array(first.images(step: 0, slot: 0)), Array(first.images(step: 1, slot: 0)),
      Array(second.images(step: 0, slot: 0)), Array(0..<40),
    ]
    #expect(Set(orders).count == 4)
  }

  @Test func whatWasAskedForBeforeDoesNotMatter() throws {
    var inOrder = try EpochSampler(count: 50, slots: 2, imagesPerSlot: 8, seed: 3)
    var expected: [[Int]] = []
    for step in 0..<9 { for slot in 0..<2 { expected.append(Array(inOrder.images(step: step, slot: slot))) } }
    // As a rank that owns one slot, and one that resumes in the middle of an epoch, would ask.
    var backwards = try EpochSampler(count: 50, slots: 2, imagesPerSlot: 8, seed: 3)
    for step in (0..<9).reversed() { #expect(Array(backwards.images(step: step, slot: 1)) == expected[2 * step + 1]) }
    for step in [7, 0, 5] {
      var fresh = try EpochSampler(count: 50, slots: 2, imagesPerSlot: 8, seed: 3)
      #expect(Array(fresh.images(step: step, slot: 0)) == expected[2 * step])
    }
  }

  @Test func theImagesOfAStepDoNotDependOnHowItIsCutIntoSlots() throws {
    var whole = try EpochSampler(count: 50, slots: 1, imagesPerSlot: 12, seed: 3)
    var cut = try EpochSampler(count: 50, slots: 3, imagesPerSlot: 4, seed: 3)
    for step in 0..<10 {
      #expect(
        Array(whole.images(step: step, slot: 0)) == (0..<3).flatMap { Array(cut.images(step: step, slot: $0)) })
    }
  }

  @Test func aSetSmallerThanAStepIsRefused() throws {
    let error = try #require(throws: DatasetError.self) {
      try EpochSampler(count: 31, slots: 4, imagesPerSlot: 8, seed: 0)
    }
    #expect(
      error.description
        == "31 images, expected at least one global batch of 4 microbatches of 8; "
        + "use fewer or smaller microbatches, or a larger set")
    #expect(try EpochSampler(count: 32, slots: 4, imagesPerSlot: 8, seed: 0).stepsPerEpoch == 1)
  }
}
