import Datasets
import Training

extension Experiment {
  /// The levels `[images, pixels, channels]` of `count` test images from `first` on, as evaluations see them.
  ///
  /// - Throws: when there are not as many.
  func testLevels(first: Int, count: Int) throws -> [UInt8] {
    guard first < test.count && count <= test.count - first else {
      throw CommandError.imagesOutside(first: first, count: count, available: test.count)
    }
    var levels = [UInt8](repeating: 0, count: count * test.valuesPerImage)
    try test.fill(
      levels: &levels, images: Array(first..<(first + count))[...], key: .evaluation(seed: configuration.seed))
    return levels
  }
}
