import Testing

import Orders

@Suite struct OrderVariantTests {
  @Test func variantsOfASquareAreTheEightSymmetries() throws {
    let pictures = try OrderVariant.allCases.map {
      picture(try GenerationOrder(base: .rasterScan, size: ImageSize(rows: 2, columns: 2), variant: $0))
    }
    #expect(
      pictures == [
        [[0, 1], [2, 3]], [[2, 3], [0, 1]], [[1, 0], [3, 2]], [[3, 2], [1, 0]],
        [[0, 2], [1, 3]], [[1, 3], [0, 2]], [[2, 0], [3, 1]], [[3, 1], [2, 0]],
      ])
  }

  @Test func transposedVariantOfARectangleIsTheOrderOfItsTransposeWithAxesSwapped() throws {
    let size = ImageSize(rows: 2, columns: 3)
    let transposed = try GenerationOrder(base: .sCurve, size: size, variant: .transpose)
    #expect(picture(transposed) == [[0, 3, 4], [1, 2, 5]])
    let reflected = try GenerationOrder(base: .sCurve, size: size, variant: .transposeReflectColumns)
    #expect(picture(reflected) == [[4, 3, 0], [5, 2, 1]])
  }

  @Test(arguments: rectangles) func everyVariantWithAnyFlagsIsAPermutation(size: ImageSize) throws {
    for base in BaseOrder.allCases where base.exists(on: size) {
      for flags in OrderVariant.allCases {
        for variant in OrderVariant.allCases {
          let order = try GenerationOrder(base: base, size: size, flags: flags, variant: variant)
          #expect(order.pixels.sorted() == (0..<Int32(size.pixels)).map { $0 }, "\(base) \(flags) \(variant)")
        }
      }
    }
  }

  @Test func flagsComeBeforeTheVariant() throws {
    let size = ImageSize(rows: 3, columns: 3)
    // Upside down first, then transposed: the top row becomes the last column.
    let order = try GenerationOrder(base: .rasterScan, size: size, flags: .reflectRows, variant: .transpose)
    #expect(picture(order) == [[6, 3, 0], [7, 4, 1], [8, 5, 2]])
  }

  @Test func transposingTwiceIsTheBaseOrderItself() throws {
    let size = ImageSize(rows: 5, columns: 8)
    let order = try GenerationOrder(base: .generalizedHilbert, size: size, flags: .transpose, variant: .transpose)
    #expect(try order == GenerationOrder(base: .generalizedHilbert, size: size))
  }

  @Test func variantIsMadeFromItsParts() {
    var made: [OrderVariant] = []
    for transpose in [false, true] {
      for reflectColumns in [false, true] {
        for reflectRows in [false, true] {
          made.append(OrderVariant(transpose: transpose, reflectRows: reflectRows, reflectColumns: reflectColumns))
        }
      }
    }
    #expect(made == OrderVariant.allCases)
  }

  @Test func thereAreEightVariants() {
    #expect(OrderVariant.allCases.map(\.rawValue) == Array(0...7))
    #expect(OrderVariant(rawValue: 8) == nil)
    #expect(OrderVariant(rawValue: -1) == nil)
  }
}
