import Testing

import Orders

/// Where each pixel comes in `order`, row by row, as one would draw it.
func picture(_ order: GenerationOrder) -> [[Int32]] {
  let positions = order.positions
  return (0..<order.size.rows).map { row in
    Array(positions[(row * order.size.columns)..<((row + 1) * order.size.columns)])
  }
}

/// Rectangles of all kinds: single pixels, lines, odd, even, thin, and those of the data sets.
let rectangles: [ImageSize] = [
  (1, 1), (1, 2), (1, 9), (2, 1), (13, 1), (2, 2), (2, 3), (3, 2), (3, 3), (4, 4), (5, 7), (7, 5), (6, 6), (2, 31),
  (16, 3), (8, 8), (15, 12), (12, 15), (9, 20), (16, 16), (28, 28), (33, 17), (32, 32),
].map { ImageSize(rows: $0.0, columns: $0.1) }

@Suite struct BaseOrderTests {
  @Test func namesAreThoseOfTheReference() {
    #expect(
      BaseOrder.allCases.map(\.rawValue) == [
        "raster_scan", "s_curve", "hilbert", "gilbert2d", "s_curve_center_quarter_last",
      ])
  }

  @Test func rasterScanGoesRowByRow() throws {
    let order = try GenerationOrder(base: .rasterScan, size: ImageSize(rows: 2, columns: 3))
    #expect(picture(order) == [[0, 1, 2], [3, 4, 5]])
  }

  @Test func sCurveTurnsAtTheEndOfEachRow() throws {
    let order = try GenerationOrder(base: .sCurve, size: ImageSize(rows: 3, columns: 3))
    #expect(picture(order) == [[0, 1, 2], [5, 4, 3], [6, 7, 8]])
  }

  @Test func hilbertCurveRunsFromTheTopLeftToTheTopRight() throws {
    let order = try GenerationOrder(base: .hilbert, size: ImageSize(rows: 4, columns: 4))
    #expect(picture(order) == [[0, 1, 14, 15], [3, 2, 13, 12], [4, 7, 8, 11], [5, 6, 9, 10]])
  }

  @Test func generalizedHilbertCurveRunsAlongTheLongerSide() throws {
    let order = try GenerationOrder(base: .generalizedHilbert, size: ImageSize(rows: 2, columns: 6))
    #expect(picture(order) == [[0, 3, 4, 7, 8, 11], [1, 2, 5, 6, 9, 10]])
  }

  /// The smallest square on which rounding a negative odd half up instead of down would give another curve.
  @Test func generalizedHilbertCurveRoundsHalvesDown() throws {
    let order = try GenerationOrder(base: .generalizedHilbert, size: ImageSize(rows: 10, columns: 10))
    #expect(
      picture(order) == [
        [0, 1, 2, 27, 28, 29, 30, 35, 36, 37], [5, 4, 3, 26, 25, 24, 31, 34, 39, 38],
        [6, 7, 16, 17, 18, 23, 32, 33, 40, 41], [9, 8, 15, 14, 19, 22, 51, 50, 43, 42],
        [10, 11, 12, 13, 20, 21, 52, 49, 44, 45], [87, 86, 85, 84, 83, 82, 53, 48, 47, 46],
        [88, 91, 92, 77, 78, 81, 54, 57, 58, 59], [89, 90, 93, 76, 79, 80, 55, 56, 61, 60],
        [98, 97, 94, 75, 72, 71, 68, 67, 62, 63], [99, 96, 95, 74, 73, 70, 69, 66, 65, 64],
      ])
  }

  @Test func centerQuarterComesLast() throws {
    let order = try GenerationOrder(base: .sCurveCenterQuarterLast, size: ImageSize(rows: 4, columns: 5))
    #expect(picture(order) == [[0, 1, 2, 3, 4], [6, 16, 15, 14, 5], [7, 17, 18, 19, 8], [13, 12, 11, 10, 9]])
  }

  @Test(arguments: rectangles) func everyOrderIsAPermutation(size: ImageSize) {
    for base in BaseOrder.allCases where base.exists(on: size) {
      #expect(base.pixels(of: size).sorted() == Array(0..<size.pixels), "\(base) \(size)")
    }
  }

  @Test func hilbertCurveExistsOnSquaresWithAPowerOfTwoAsTheirSide() {
    let sizes = (1...9).flatMap { rows in (1...9).map { ImageSize(rows: rows, columns: $0) } }
    let found = sizes.filter(BaseOrder.hilbert.exists)
    #expect(found.map(\.rows) == [1, 2, 4, 8])
    #expect(found.map(\.columns) == [1, 2, 4, 8])
    #expect(sizes.allSatisfy(BaseOrder.generalizedHilbert.exists))
  }

  @Test(arguments: rectangles) func sCurveAndHilbertCurveStepToADirectNeighbour(size: ImageSize) {
    for base in [BaseOrder.sCurve, .hilbert] where base.exists(on: size) {
      #expect(diagonalSteps(base.pixels(of: size), size) == 0, "\(base) \(size)")
    }
  }

  @Test(arguments: rectangles) func generalizedHilbertCurveStepsDiagonallyAtMostOnce(size: ImageSize) throws {
    let steps = try #require(diagonalSteps(BaseOrder.generalizedHilbert.pixels(of: size), size))
    // Only an odd longer side across an even shorter one leaves no way without.
    let mayStepDiagonally = max(size.rows, size.columns) % 2 == 1 && min(size.rows, size.columns) % 2 == 0
    #expect(steps <= (mayStepDiagonally ? 1 : 0))
  }

  /// Number of diagonal steps along `pixels`; nil when a step goes further than to one of the eight neighbours.
  private func diagonalSteps(_ pixels: [Int], _ size: ImageSize) -> Int? {
    var diagonal = 0
    for (from, to) in zip(pixels, pixels.dropFirst()) {
      let rows = abs(from / size.columns - to / size.columns)
      let columns = abs(from % size.columns - to % size.columns)
      if max(rows, columns) > 1 { return nil }
      diagonal += rows * columns
    }
    return diagonal
  }
}
