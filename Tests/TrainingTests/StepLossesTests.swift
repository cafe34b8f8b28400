import Foundation
import Orders
import Testing
import Training

struct StepLossesTests {
  private let small = ImageSize(rows: 2, columns: 2)
  private let large = ImageSize(rows: 4, columns: 4)

  private func losses(_ nats: [Double], _ sizes: [ImageSize]) -> StepLosses {
    StepLosses(nats: nats, sizes: sizes, channels: 3, imagesPerSlot: 2)
  }

  @Test func bitsAreDividedByTheDimensionsThatWereDrawn() {
    // Of 12 and 48 dimensions, two images each: 24 and 96 bits are 1 bit per dimension.
    let mixed = losses([24 * log(2), 192 * log(2)], [small, large])
    #expect(mixed.bitsPerDimensionOfMicrobatches.map { ($0 * 1e12).rounded() / 1e12 } == [1, 2])
    // 216 bits over 120 dimensions; the mean of the microbatches would be 1.5.
    #expect(abs(mixed.bitsPerDimension - 1.8) < 1e-12)
    #expect(abs(mixed.meanNats - 54 * log(2)) < 1e-12)
    let bySize = losses([24, 480, 48, 96].map { $0 * log(2) }, [small, large, small, large]).bySize
    #expect(bySize.map(\.size) == ["2x2", "4x4"] && bySize.map(\.microbatches) == [2, 2])
    #expect(abs(bySize[0].bitsPerDimension - 1.5) < 1e-12 && abs(bySize[1].bitsPerDimension - 3) < 1e-12)
  }

  @Test func ofOneSizeItIsTheMeanInBits() {
    let nats = [3.5, 7.25, 1.125]
    let alike = losses(nats, [small, small, small])
    #expect(alike.bitsPerDimension == 11.875 / 6 * (1 / (12 * log(2))))
    #expect(alike.bitsPerDimensionOfMicrobatches == nats.map { $0 * (1 / (12 * log(2)) / 2) })
    #expect(losses([.nan, 1], [small, large]).bitsPerDimension.isNaN)
  }
}
