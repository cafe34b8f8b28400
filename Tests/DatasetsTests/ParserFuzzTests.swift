import Tensors
import Testing

import Datasets

/// Damaged files must end in a `DatasetError` or in what they then say, never in a trap.
@Suite struct ParserFuzzTests {
  private let seed: UInt64 = 20_260_101

  /// `original` with a few bytes changed, inserted, removed or repeated, or cut off.
  private func mutation(of original: [UInt8], _ generator: inout KeyedGenerator) -> [UInt8] {
    var bytes = original
    for _ in 0...generator.integer(below: 4) {
      let place = generator.integer(below: bytes.count + 1)
      let end = min(bytes.count, place + generator.integer(below: 9))
      switch generator.integer(below: 6) {
      case 0: if place < bytes.count { bytes[place] = UInt8(truncatingIfNeeded: generator.next()) }
      case 1: if place < bytes.count { bytes[place] ^= 1 << UInt8(generator.integer(below: 8)) }
      case 2: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
      case 3: bytes.removeSubrange(place..<end)
      case 4: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
      default: bytes.removeSubrange(place...)
      }
    }
    return bytes
  }

  @Test func mutatedImagesNeverTrap() throws {
    let original = idxImages(count: 3, rows: 2, columns: 3)
    var refused = 0
    for index in 0..<4000 {
      var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: index)
      let bytes = mutation(of: original, &generator)
      do {
        let images = try IDX.images(bytes, path: "x")
        #expect(images.pixels.count == images.count * images.size.pixels, "seed \(seed), input \(index)")
      } catch { refused += 1 }
    }
    #expect(refused > 1000 && refused < 4000)
  }

  @Test func mutatedLabelsNeverTrap() throws {
    let original = idxLabels([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    var refused = 0
    for index in 0..<4000 {
      var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: index, slot: 1)
      let bytes = mutation(of: original, &generator)
      do {
        let labels = try IDX.labels(bytes, path: "x")
        #expect(labels.count == bytes.count - 8 && labels.allSatisfy { $0 <= 9 }, "seed \(seed), input \(index)")
      } catch { refused += 1 }
    }
    #expect(refused > 1000 && refused < 4000)
  }

  @Test func mutatedArchivesNeverTrapOrChangeTheContent() throws {
    let content = idxImages(count: 3, rows: 2, columns: 3)
    let packed = try gzip(content)
    var refused = 0
    for index in 0..<2000 {
      var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: index, slot: 2)
      do {
        let bytes = mutation(of: packed, &generator)
        // Only the header's time, system and file name may differ.
        #expect(try DatasetFile.unpack(bytes, path: "x.gz") == content, "seed \(seed), input \(index)")
      } catch { refused += 1 }
    }
    #expect(refused > 1000 && refused < 2000)
  }

  @Test func mutatedRecordsNeverTrap() throws {
    let original = [UInt8](repeating: 3, count: 2 * 3073)
    var refused = 0
    for index in 0..<1000 {
      var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: index, slot: 3)
      var pixels: [UInt8] = []
      var labels: [UInt8] = []
      do {
        try CIFAR10.appendRecords(mutation(of: original, &generator), path: "x", pixels: &pixels, labels: &labels)
        #expect(pixels.count == labels.count * 3072, "seed \(seed), input \(index)")
      } catch { refused += 1 }
    }
    #expect(refused > 300 && refused < 1000)
  }
}
