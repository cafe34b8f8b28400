import AllocationCounter
import Datasets
import Foundation
import Imaging
import Orders
import Testing

@Suite struct ImageDatasetTests {
  /// `count` images of 16x16 pixels of `channels` channels; every image holds all values.
  private func dataset(
    count: Int = 2, channels: Int = 1, bits: Int = 8, binarization: Binarization = .none
  ) throws -> ImageDataset {
    try ImageDataset(
      name: "ramp", size: ImageSize(rows: 16, columns: 16), channels: channels, bits: bits,
      binarization: binarization,
      pixels: (0..<(count * 256 * channels)).map { UInt8(truncatingIfNeeded: $0) },
      labels: [UInt8](repeating: 0, count: count))
  }

  private func levels(
    _ set: ImageDataset, _ images: [Int], _ key: BinarizationKey = .evaluation(seed: 0)
  ) throws -> [UInt8] {
    var values = [UInt8](repeating: 0xee, count: images.count * set.valuesPerImage)
    try set.fill(levels: &values, images: images[...], key: key)
    return values
  }

  @Test(arguments: 1...8) func lowerBitsAreDropped(bits: Int) throws {
    let set = try dataset(bits: bits)
    #expect(set.levels == 1 << bits)
    #expect(try levels(set, [1]) == (0..<256).map { UInt8($0 / (256 >> bits)) })
  }

  @Test func imagesAreFilledInTheGivenOrder() throws {
    let pixels = (0..<36).map { UInt8($0) }
    let set = try ImageDataset(
      name: "three", size: ImageSize(rows: 2, columns: 3), channels: 2, pixels: pixels, labels: [0, 1, 2])
    #expect(try levels(set, [2, 0, 2]) == Array(24..<36) + Array(0..<12) + Array(24..<36))
  }

  @Test func fillingDoesNotReplaceTheCallersStorage() throws {
    for binarization in Binarization.allCases {
      let set = try dataset(bits: binarization == .none ? 8 : 1, binarization: binarization)
      var values = [UInt8](repeating: 0, count: 256)
      let before = values.withUnsafeBufferPointer { $0.baseAddress }
      for step in 0..<3 { try set.fill(levels: &values, images: [0], key: .training(seed: 1, step: step, slot: 0)) }
      #expect(values.withUnsafeBufferPointer { $0.baseAddress } == before)
    }
  }

  @Test func scaledImagesAreBinarizedAndLoseBitsAfterScaling() throws {
    let images = [2, 0]
    for (bits, binarization) in [(8, Binarization.none), (3, .none), (1, .threshold), (1, .stochastic)] {
      let set = try dataset(count: 3, channels: 2, bits: bits, binarization: binarization)
      let target = ImageSize(rows: 5, columns: 5)
      let scaled = try ImageDataset(
        name: "scaled", size: target, channels: 2, bits: bits, binarization: binarization,
        pixels: (0..<3).flatMap { image throws in
          PNGImage(size: set.size, channels: 2, pixels: try set.pixels(of: image)).areaResized(to: target).pixels
        }, labels: [0, 0, 0])
      var scaling: AreaScaling? = AreaScaling(from: set.size, to: target, channels: 2)
      for key in [BinarizationKey.training(seed: 3, step: 4, slot: 1), .evaluation(seed: 3)] {
        var (expected, found) = ([UInt8](repeating: 0, count: 100), [UInt8](repeating: 9, count: 103))
        try scaled.fill(levels: &expected, images: images[...], key: key)
        try set.fill(levels: &found, images: images[...], key: key, scaledBy: &scaling)
        // What is behind the images stays.
        #expect(found == expected + [9, 9, 9], "\(bits) bits, \(binarization)")
      }
    }
  }

  @Test(
    .disabled(
      if: ProcessInfo.processInfo.environment["LMCONV_SANITIZER"] == "thread",
      "ThreadSanitizer does not tell of all allocations"))
  func fillingAllocatesNothing() async {
    // In a process of its own: the counter counts for all tests.
    await #expect(processExitsWith: .success) {
      for binarization in [Binarization.none, .stochastic] {
        let set = try ImageDataset(
          name: "ramp", size: ImageSize(rows: 16, columns: 16), channels: 1, bits: binarization == .none ? 5 : 1,
          binarization: binarization, pixels: (0..<1024).map { UInt8(truncatingIfNeeded: $0) },
          labels: [0, 1, 2, 3])
        var values = [UInt8](repeating: 0, count: 1024)
        let images = [3, 1, 0, 2]
        for target in [16, 11, 8] {
          var scaling =
            target == 16
            ? nil : AreaScaling(from: set.size, to: ImageSize(rows: target, columns: target), channels: 1)
          var counts: [Int] = []
          counts.reserveCapacity(3)
          for step in 0..<3 {
            lmconv_count_allocations_of_this_thread(1)
            let before = lmconv_counted_allocations()
            try set.fill(
              levels: &values, images: images[...], key: .training(seed: 1, step: step, slot: 0), scaledBy: &scaling)
            counts.append(lmconv_counted_allocations() - before)
            lmconv_count_allocations_of_this_thread(0)
          }
          #expect(counts.dropFirst().allSatisfy { $0 == 0 }, "\(target), \(binarization): \(counts)")
        }
      }
    }
  }

  @Test func impossibleBitsAreRefused() throws {
    for bits in [0, 9, -1] {
      let error = try #require(throws: DatasetError.self) { try dataset(bits: bits) }
      #expect(error.description == "\(bits) bits per channel of a pixel, expected 1 to 8")
    }
    for binarization in [Binarization.threshold, .stochastic] {
      let error = try #require(throws: DatasetError.self) { try dataset(bits: 8, binarization: binarization) }
      #expect(
        error.description
          == "8 bits per channel of binarized pixels, expected 1; set bits to 1 or binarization to none")
    }
  }

  @Test func theHashTellsChangesOfPixelsAndSizes() throws {
    func hash(rows: Int, columns: Int, channels: Int, pixels: [UInt8], images: Int) throws -> UInt32 {
      try ImageDataset(
        name: "x", size: ImageSize(rows: rows, columns: columns), channels: channels, pixels: pixels,
        labels: [UInt8](repeating: 0, count: images)
      ).contentHash
    }
    let pixels = [UInt8](0..<24)
    var changed = pixels
    changed[17] ^= 1
    let hashes = [
      try hash(rows: 2, columns: 3, channels: 1, pixels: pixels, images: 4),
      try hash(rows: 3, columns: 2, channels: 1, pixels: pixels, images: 4),
      try hash(rows: 2, columns: 3, channels: 2, pixels: pixels, images: 2),
      try hash(rows: 2, columns: 3, channels: 1, pixels: changed, images: 4),
    ]
    #expect(Set(hashes).count == hashes.count)
    #expect(try hash(rows: 2, columns: 3, channels: 1, pixels: pixels, images: 4) == hashes[0])
    // Runs keep it, so it may never change. In Python: zlib.crc32(struct.pack("<4q", 4, 2, 3, 1) + bytes(range(24)))
    #expect(hashes[0] == 0x24cd_ea39)
  }

  @Test func theThresholdIsAtHalf() throws {
    let set = try dataset(bits: 1, binarization: .threshold)
    #expect(set.levels == 2)
    #expect(try levels(set, [0]) == [UInt8](repeating: 0, count: 128) + [UInt8](repeating: 1, count: 128))
  }

  @Test func stochasticBitsAreOneAsOftenAsTheValueSays() throws {
    let set = try dataset(count: 1, bits: 1, binarization: .stochastic)
    let draws = 4000
    var ones = [Int](repeating: 0, count: 256)
    for step in 0..<draws {
      for (value, bit) in try levels(set, [0], .training(seed: 11, step: step, slot: 3)).enumerated() {
        ones[value] += Int(bit)
      }
    }
    #expect(ones[0] == 0 && ones[255] == draws)
    for value in 1..<255 {
      let p = Double(value) / 255
      let deviations = (Double(ones[value]) - Double(draws) * p) / (Double(draws) * p * (1 - p)).squareRoot()
      // The largest of 254 standard normal deviations is above 5 once in 7,000 seeds.
      #expect(abs(deviations) < 5, "value \(value): \(ones[value]) of \(draws)")
    }
  }

  @Test func trainingBitsAreAFunctionOfSeedStepAndSlot() throws {
    let set = try dataset(bits: 1, binarization: .stochastic)
    let bits = try levels(set, [0, 1], .training(seed: 1, step: 2, slot: 3))
    #expect(try levels(set, [0, 1], .training(seed: 1, step: 2, slot: 3)) == bits)
    for other in [
      BinarizationKey.training(seed: 2, step: 2, slot: 3), .training(seed: 1, step: 3, slot: 3),
      .training(seed: 1, step: 2, slot: 4), .evaluation(seed: 1),
    ] {
      #expect(try levels(set, [0, 1], other) != bits)
    }
    // The two images hold the same values, and still get bits of their own.
    #expect(bits[..<256] != bits[256...])
  }

  @Test func evaluationBitsAreAFunctionOfTheImageAlone() throws {
    let set = try dataset(count: 4, bits: 1, binarization: .stochastic)
    let all = try levels(set, [0, 1, 2, 3])
    for image in 0..<4 { #expect(try levels(set, [image])[...] == all[(image * 256)..<((image + 1) * 256)]) }
    #expect(try levels(set, [3, 1]) == Array(all[768...] + all[256..<512]))
    #expect(all[..<256] != all[256..<512])
    #expect(try levels(set, [0, 1, 2, 3], .evaluation(seed: 1)) != all)
  }
}
