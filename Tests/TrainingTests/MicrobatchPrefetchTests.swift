import Configuration
import Datasets
import Foundation
import Imaging
import Model
import Orders
import Testing
import Training

struct MicrobatchPrefetchTests {
  private let size = ImageSize(rows: 3, columns: 3)
  private let windows = NetworkWindows.masked(side: 3, dilation: 2)

  /// Ten images, each of one value.
  private func dataset() throws -> ImageDataset {
    try ImageDataset(
      name: "steps", size: size, channels: 1, pixels: (0..<90).map { UInt8($0 / 9) },
      labels: [UInt8](repeating: 0, count: 10))
  }

  private func selection(_ train: RunConfiguration.TrainingOrders) throws -> OrderSelection {
    var configuration = RunConfiguration()
    configuration.seed = 4
    configuration.orders.train = train
    return try OrderSelection(configuration, size: size)
  }

  private func prefetch(_ orders: OrderSelection, slots: Range<Int>) throws -> (MicrobatchPrefetch, EpochSampler) {
    let sampler = try EpochSampler(count: 10, slots: 3, imagesPerSlot: 1, seed: 4)
    return (
      MicrobatchPrefetch(
        MicrobatchSource(
          dataset: try dataset(), sampler: sampler, sizes: SizeSelection(size, orders), windows: windows, seed: 4),
        slots: slots),
      sampler
    )
  }

  @Test(arguments: [
    RunConfiguration.TrainingOrders.fresh, .list([.variant(.identity), .variant(.transpose)]),
    .list([.randoms(count: 100, seed: 1)]),
  ])
  func microbatchesAreThoseOfTheirStepAndSlotInAnySequence(train: RunConfiguration.TrainingOrders) throws {
    let orders = try selection(train)
    var (prefetch, sampler) = try prefetch(orders, slots: 1..<3)
    defer { prefetch.stop() }
    // In sequence, over epochs of three steps, then anew from elsewhere, then one twice.
    let sequence = (0..<14).map { ($0 / 2, 1 + $0 % 2) } + [(2, 1), (2, 2), (9, 2), (0, 1), (0, 1)]
    for (step, slot) in sequence {
      let microbatch = try prefetch.take(step: step, slot: slot)
      let image = UInt8(try #require(sampler.images(step: step, slot: slot).first))
      #expect(microbatch.images == 1)
      #expect(microbatch.levels == [UInt8](repeating: image, count: 9), "step \(step), slot \(slot)")
      #expect(microbatch.plan.order == orders.trainingOrder(step: step, slot: slot).order, "step \(step), slot \(slot)")
    }
  }

  /// Images of 1 x 2 pixels, 2 i and 2 i + 1.
  @Test func imagesAreMirroredByEpochInWhateverSequence() throws {
    let size = ImageSize(rows: 1, columns: 2)
    let dataset = try ImageDataset(
      name: "pairs", size: size, channels: 1, pixels: (0..<20).map { UInt8($0) },
      labels: [UInt8](repeating: 0, count: 10))
    var configuration = RunConfiguration()
    configuration.orders.train = .list([.variant(.identity)])
    let orders = try OrderSelection(configuration, size: size)
    var sampler = try EpochSampler(count: 10, slots: 3, imagesPerSlot: 1, seed: 4)
    let flip = HorizontalFlip(seed: 4, size: size, channels: 1)
    for flips in [false, true] {
      let prefetch = MicrobatchPrefetch(
        MicrobatchSource(
          dataset: dataset, sampler: sampler, sizes: SizeSelection(size, orders), windows: windows, seed: 4,
          flips: flips), slots: 0..<3)
      defer { prefetch.stop() }
      var mirrored = 0
      for step in Array(0..<15) + [2, 14, 7] {
        for slot in 0..<3 {
          let levels = try prefetch.take(step: step, slot: slot).levels
          let image = try #require(sampler.images(step: step, slot: slot).first)
          let isMirrored = flips && flip.isFlipped(image: image, epoch: step / 3)
          mirrored += isMirrored ? 1 : 0
          let pair = [UInt8(2 * image), UInt8(2 * image + 1)]
          #expect(levels == (isMirrored ? pair.reversed() : pair), "step \(step), slot \(slot)")
        }
      }
      #expect(flips ? (10..<44).contains(mirrored) : mirrored == 0)
    }
  }

  @Test func eachMicrobatchHasItsSizeAndAnOrderOfIt() throws {
    let size = ImageSize(rows: 4, columns: 4)
    let dataset = try ImageDataset(
      name: "ramps", size: size, channels: 1, pixels: (0..<160).map { UInt8($0 * 37 % 256) },
      labels: [UInt8](repeating: 0, count: 10))
    var configuration = RunConfiguration()
    configuration.seed = 4
    configuration.data.resize = [2, 4, 3]
    for train in [RunConfiguration.TrainingOrders.fresh, .list([.variant(.identity), .variant(.transpose)])] {
      configuration.orders.train = train
      let sizes = try SizeSelection(configuration, size: size, orders: try OrderSelection(configuration, size: size))
      var sampler = try EpochSampler(count: 10, slots: 2, imagesPerSlot: 2, seed: 4)
      let flip = sizes.sizes.map { HorizontalFlip(seed: 4, size: $0, channels: 1) }
      let prefetch = MicrobatchPrefetch(
        MicrobatchSource(dataset: dataset, sampler: sampler, sizes: sizes, windows: windows, seed: 4, flips: true),
        slots: 0..<2)
      defer { prefetch.stop() }
      var seen: [Int: Int] = [:]
      for step in Array(0..<20) + [3, 17, 0] {
        for slot in 0..<2 {
          let index = sizes.index(step: step, slot: slot)
          let expected = sizes.sizes[index]
          seen[index, default: 0] += 1
          let images = sampler.images(step: step, slot: slot)
          var levels: [UInt8] = []
          for image in images {
            let picture = PNGImage(size: size, channels: 1, pixels: try dataset.pixels(of: image))
            levels += picture.areaResized(to: expected).pixels
          }
          flip[index].apply(to: &levels, images: images, epoch: step / 2)
          let microbatch = try prefetch.take(step: step, slot: slot)
          #expect(microbatch.size == expected, "step \(step), slot \(slot)")
          #expect(Array(microbatch.levels.prefix(levels.count)) == levels, "step \(step), slot \(slot)")
          #expect(microbatch.plan.order == sizes.trainingOrder(step: step, slot: slot).order)
          #expect(microbatch.plan.order.size == expected)
        }
      }
      #expect(Set(seen.keys) == [0, 1, 2])
    }
  }

  /// The others go on to be read, and so does the damaged one when it is mended.
  @Test func aDamagedImageEndsTheTakingOfItsMicrobatch() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lmconv-\(UUID().uuidString)").path
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
    _ = try PackedSet.pack(train: try dataset(), test: try dataset(), to: path)
    let packed = try PackedSet.load(path: path, split: .train)
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    defer { #expect(throws: Never.self) { try handle.close() } }
    let place = UInt64(4096 + 9 * 3)
    try handle.seek(toOffset: place)
    try handle.write(contentsOf: Data([77]))

    let orders = try selection(.list([.variant(.identity)]))
    var sampler = try EpochSampler(count: 10, slots: 3, imagesPerSlot: 1, seed: 4)
    let prefetch = MicrobatchPrefetch(
      MicrobatchSource(
        dataset: packed, sampler: sampler, sizes: SizeSelection(size, orders), windows: windows, seed: 4),
      slots: 0..<3)
    defer { prefetch.stop() }
    var damaged: (step: Int, slot: Int)?
    for step in 0..<9 {
      for slot in 0..<3 {
        guard try #require(sampler.images(step: step, slot: slot).first) != 3 else {
          let error = try #require(throws: DatasetError.self) { try prefetch.take(step: step, slot: slot) }
          #expect(error == .damagedRecord(path: path, record: 3, offset: 4096 + 27))
          damaged = (step, slot)
          continue
        }
        _ = try prefetch.take(step: step, slot: slot)
      }
    }
    let (step, slot) = try #require(damaged)
    try handle.seek(toOffset: place)
    try handle.write(contentsOf: Data([3]))
    #expect(try prefetch.take(step: step, slot: slot).levels == [UInt8](repeating: 3, count: 9))
  }

  @Test func aMicrobatchStaysUntilTheNextIsTaken() throws {
    var (prefetch, sampler) = try prefetch(try selection(.fresh), slots: 0..<3)
    defer { prefetch.stop() }
    for step in 0..<200 {
      let microbatch = try prefetch.take(step: step, slot: 0)
      let levels = microbatch.levels
      // The thread prepares slot 1 meanwhile.
      let image = UInt8(try #require(sampler.images(step: step, slot: 0).first))
      for _ in 0..<100 where microbatch.levels != levels { Issue.record("step \(step) was overwritten") }
      #expect(levels[0] == image)
    }
  }
}
