import Orders
import Tensors
import Testing

/// A mask and what it is made from.
struct MaskCase: CustomTestStringConvertible {
  let order: GenerationOrder
  let window: KernelWindow
  let type: MaskType
  let observed: Set<Int>

  var testDescription: String { "\(order.size) \(window) \(type), \(observed.count) observed" }
  var mask: LocalMask { LocalMask(order: order, window: window, type: type, observed: observed) }

  /// Random orders, which have patterns that no curve has, with windows that reach beyond every edge.
  static func all() throws -> [MaskCase] {
    var cases: [MaskCase] = []
    var generator = KeyedGenerator(seed: 11, purpose: .generationOrder)
    for (rows, columns) in [(1, 1), (1, 6), (5, 1), (4, 7), (6, 6)] {
      let size = ImageSize(rows: rows, columns: columns)
      let order = try GenerationOrder(size: size, pixels: generator.permutation(of: size.pixels))
      let observed = Set(generator.permutation(of: size.pixels).prefix(size.pixels / 3))
      for (side, dilation) in [(1, 1), (3, 1), (3, 2), (5, 2), (9, 1)] {
        let window = KernelWindow(side: side, dilation: dilation)
        for type in [MaskType.a, .b] {
          cases.append(MaskCase(order: order, window: window, type: type, observed: []))
          cases.append(MaskCase(order: order, window: window, type: type, observed: observed))
        }
      }
    }
    return cases
  }
}

@Suite struct LocalMaskTests {
  @Test func rasterScanSeesAboveAndToTheLeft() throws {
    let order = try GenerationOrder(base: .rasterScan, size: ImageSize(rows: 3, columns: 3))
    let window = KernelWindow(side: 3, dilation: 1)
    let typeA = LocalMask(order: order, window: window, type: .a)
    let typeB = LocalMask(order: order, window: window, type: .b)
    #expect(visibleTaps(of: 4, in: typeA.visible, pixels: 9) == [0, 1, 2, 3])
    #expect(visibleTaps(of: 4, in: typeB.visible, pixels: 9) == [0, 1, 2, 3, 4])
    #expect(visibleTaps(of: 0, in: typeA.visible, pixels: 9) == [])
    #expect(visibleTaps(of: 8, in: typeB.visible, pixels: 9) == [0, 1, 3, 4])
    #expect(typeA.visibleCounts == [0, 1, 1, 2, 4, 3, 2, 4, 3])
    #expect(typeB.visibleCounts == [1, 2, 2, 3, 5, 4, 3, 5, 4])
  }

  @Test(arguments: try MaskCase.all()) func maskIsItsDefinition(testCase: MaskCase) {
    let (mask, size) = (testCase.mask, testCase.order.size)
    let positions = testCase.order.positions
    var expected: [UInt8] = []
    for tap in 0..<mask.window.taps {
      let offset = mask.window.offset(of: tap)
      for row in 0..<size.rows {
        for column in 0..<size.columns {
          let isVisible: Bool
          if offset == (0, 0) {
            isVisible = testCase.type == .b
          } else if let neighbour = pixel(row + offset.row, column + offset.column, size) {
            isVisible =
              positions[neighbour] < positions[row * size.columns + column] || testCase.observed.contains(neighbour)
          } else {
            isVisible = false
          }
          expected.append(isVisible ? 1 : 0)
        }
      }
    }
    #expect(mask.visible == expected)
    let counts = (0..<size.pixels).map { visibleTaps(of: $0, in: expected, pixels: size.pixels).count }
    #expect(mask.visibleCounts == counts)
  }

  @Test(arguments: try MaskCase.all().filter(\.observed.isEmpty))
  func eachPairOfNeighboursIsVisibleInOneDirection(testCase: MaskCase) {
    let (mask, size) = (testCase.mask, testCase.order.size)
    for tap in 0..<mask.window.taps where tap != mask.window.centerTap {
      let offset = mask.window.offset(of: tap)
      // The tap of the neighbour that looks back.
      let opposite = mask.window.taps - 1 - tap
      for row in 0..<size.rows {
        for column in 0..<size.columns {
          guard let neighbour = pixel(row + offset.row, column + offset.column, size) else { continue }
          let forth = mask.visible[tap * size.pixels + row * size.columns + column]
          let back = mask.visible[opposite * size.pixels + neighbour]
          #expect(forth + back == 1)
        }
      }
    }
  }

  @Test(arguments: try MaskCase.all()) func transposedMaskIsSeenFromThePixelsThatAreRead(testCase: MaskCase) {
    let (mask, size) = (testCase.mask, testCase.order.size)
    var expected: [UInt8] = []
    for tap in 0..<mask.window.taps {
      let offset = mask.window.offset(of: tap)
      for row in 0..<size.rows {
        for column in 0..<size.columns {
          let reader = pixel(row - offset.row, column - offset.column, size)
          expected.append(reader.map { mask.visible[tap * size.pixels + $0] } ?? 0)
        }
      }
    }
    #expect(mask.transposed.visible == expected)
    #expect(mask.transposed.size == size)
    #expect(mask.transposed.window == mask.window)
    // Nothing that is read is lost.
    #expect(expected.reduce(0) { $0 + Int($1) } == mask.visibleCounts.reduce(0, +))
  }

  /// Else a missing pixel could reach another one through an observed one.
  @Test(arguments: try MaskCase.all()) func observedPixelsThatComeFirstReadObservedPixelsOnly(testCase: MaskCase) {
    let (size, observed) = (testCase.order.size, testCase.observed)
    let mask = LocalMask(
      order: testCase.order.observedFirst(observed), window: testCase.window, type: testCase.type, observed: observed)
    for reader in observed {
      for tap in visibleTaps(of: reader, in: mask.visible, pixels: size.pixels) {
        let offset = mask.window.offset(of: tap)
        let read = pixel(reader / size.columns + offset.row, reader % size.columns + offset.column, size)
        #expect(read.map(observed.contains) == true)
      }
    }
  }

  /// The pixel at (`row`, `column`), if it is inside the image.
  private func pixel(_ row: Int, _ column: Int, _ size: ImageSize) -> Int? {
    (0..<size.rows).contains(row) && (0..<size.columns).contains(column) ? row * size.columns + column : nil
  }
}

/// The taps of `visible` [taps, pixels] that `pixel` sees.
func visibleTaps(of pixel: Int, in visible: [UInt8], pixels: Int) -> [Int] {
  (0..<(visible.count / pixels)).filter { visible[$0 * pixels + pixel] == 1 }
}
