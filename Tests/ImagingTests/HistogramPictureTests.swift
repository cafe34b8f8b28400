import Imaging
import Orders
import Testing

/// Histograms show what is in them.
struct HistogramPictureTests {
  private func picture(_ groups: [(name: String, values: [Double])]) -> PNGImage {
    HistogramPicture.draw([.init(title: "bpd", groups: groups.map { .init(name: $0.name, values: $0.values) })])
  }

  @Test func aPanelHasALineForEachGroup() {
    let one = picture([("a", [1, 2])])
    let two = picture([("a", [1, 2]), ("b", [3])])
    #expect(one.columns == 768 && two.columns == 768)
    #expect(two.rows == one.rows + 20)
    #expect(HistogramPicture.draw([.init(title: "", groups: [.init(name: "", values: [0])])]).rows == one.rows)
  }

  /// Two groups at the ends of the range stand in the first and last bin, all of the height.
  @Test func barsStandWhereTheValuesAre() {
    let image = picture([("a", [0, 0, 0]), ("b", [1])])
    // Below the title and two lines of legend, in the middle of the plot.
    let row = 24 + 3 * 20 + 90
    let isWhite = (0..<image.columns).map { image[row, $0] == [255, 255, 255] }
    #expect(isWhite.indices.filter { !isWhite[$0] } == Array(24..<35) + Array((24 + 59 * 12)..<(24 + 60 * 12 - 1)))
    #expect(image[row, 25][2] > image[row, 25][0], "the first group is blue")
    #expect(image[row, 24 + 59 * 12][0] > image[row, 24 + 59 * 12][2], "the second is orange")
  }

  /// One value, tiny ranges and huge ones can be drawn.
  @Test(arguments: [[1], [3, 3], [1e300, -1e300], [1e-300, 0], [1e16, 1e16 + 2], [-0.0001, 0.0001]] as [[Double]])
  func anyRangeCanBeDrawn(values: [Double]) {
    let image = picture([("a", values), ("", [])])
    #expect(image.pixels.contains { $0 < 100 })
  }

  @Test func otherTextIsOtherPixels() {
    let pictures = ["abc", "abd", "a c", "a\u{4e2d}c", ""].map { picture([($0, [0])]) }
    for (index, one) in pictures.enumerated() {
      for other in pictures[..<index] { #expect(one != other) }
    }
    #expect(picture([("ABC", [0])]) == pictures[0])
  }
}
