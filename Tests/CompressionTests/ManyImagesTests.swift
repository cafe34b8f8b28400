import Compression
import Foundation
import Kernels
import Model
import Orders
import Sampling
import Tensors
import TestSupport
import Testing

/// 10,000 images, and the time that they take. A minute long: run with LMCONV_LONG_TESTS=1.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["LMCONV_LONG_TESTS"] == "1"))
struct ManyImagesTests {
  @Test func fiveThousandDigitsComeBack() throws {
    let (test, size) = try ExampleImages.digits(500)
    let levels = try ExampleImages.digits(4500, split: .train).levels + test
    let images = ExampleImages(.tiny(), size: size, levels: levels, gain: 10)
    let order = CodedOrder.named(base: .generalizedHilbert, flags: .identity, variant: .transposeReflectBoth)
    let file = try images.compressed(order: order, imagesPerChunk: 32, threads: 2).file
    #expect(try images.decompressed(file.encoded, threads: 2) == levels)
  }

  /// 40 models, orders and sizes with 125 images each.
  @Test(arguments: 0..<40)
  func fiveThousandRandomImagesComeBack(testCase: Int) throws {
    var generator = KeyedGenerator(testCase: 100 + testCase)
    let bits = 1 + testCase % 8
    let channels = 1 + generator.integer(below: 4)
    let size = ImageSize(rows: 1 + generator.integer(below: 20), columns: 1 + generator.integer(below: 20))
    let distribution: PixelDistribution =
      bits == 1 && channels == 1 ? .binary : .logisticMixture(mixtures: 1 + generator.integer(below: 10), bits: bits)
    let images = ExampleImages(
      ModelConfiguration(
        channels: channels, filters: 2 + generator.integer(below: 24), blocks: 1 + generator.integer(below: 2),
        kernel: 3 + 2 * generator.integer(below: 2), dilation: 1 + generator.integer(below: 2),
        normalization: Normalization.allCases[generator.integer(below: 4)], bias: testCase % 2 == 0,
        maskWeight: testCase % 3 == 0, distribution: distribution),
      size: size, count: 125, testCase: testCase, gain: [1, 30, 1e4, 1e10][testCase % 4])
    let file = try images.compressed(
      order: .listed(try generator.order(of: size)), imagesPerChunk: 1 + generator.integer(below: 40), threads: 2
    ).file
    #expect(try images.decompressed(file.encoded) == images.levels)
  }

  /// Compressing and decompressing together cost at most 1.2 times sampling as many images twice. The least of three.
  @Test(arguments: [
    (ModelConfiguration(channels: 1, filters: 32, blocks: 1, distribution: .binary), 32),
    (ModelConfiguration(channels: 3, blocks: 1, distribution: .logisticMixture(mixtures: 10, bits: 8)), 8),
  ])
  func codingCostsAsMuchAsSampling(configuration: ModelConfiguration, count: Int) throws {
    let size = ImageSize(rows: 28, columns: 28)
    let images = ExampleImages(configuration, size: size, count: count)
    let order = CodedOrder.named(base: .sCurve, flags: .identity, variant: .identity)
    // All work is done by this thread, whose time does not depend on what else the machine does.
    func leastSeconds(_ body: () throws -> Void) rethrows -> Double {
      var least = Double.infinity
      for _ in 0..<3 {
        let start = Self.threadSeconds()
        try body()
        least = min(least, Self.threadSeconds() - start)
      }
      return least
    }
    let sampling = try leastSeconds {
      for _ in 0..<2 {
        let sampler = CachedSampler(
          network: .locallyMasked(images.network), size: size, images: count, pool: ThreadPool(threads: 1))
        var samples = [UInt8](repeating: 0, count: images.levels.count)
        _ = sampler.complete(
          levels: &samples, missing: Set(0..<size.pixels), order: try order.order(of: size),
          parameters: images.parameters, temperature: 1, seed: 1)
      }
    }
    let coding = try leastSeconds {
      let file = try images.compressed(order: order, imagesPerChunk: count).file
      #expect(try images.decompressed(file.encoded) == images.levels)
    }
    print("compressing and decompressing take \(coding / sampling) of two sampling passes")
    #expect(coding / sampling <= 1.2)
  }

  /// Processor time of the calling thread.
  private static func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
