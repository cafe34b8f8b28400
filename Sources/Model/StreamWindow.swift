import Kernels
import Orders

/// The windows of PixelCNN++'s two streams. Together, a location's stream "u" sees all rows above it, and its stream "ul"
/// what is left of it besides; neither sees the location itself or anything after it.
///
/// Levels count how often the image's sides have been halved.
package enum StreamWindow: Hashable, Sendable {
  /// The first layer of u: 2x3, the output shifted down.
  case initialAbove
  /// The first of the two first layers of ul: 1x3 of the row above.
  case initialRow
  /// The second: 2x1 of the column to the left.
  case initialLeft
  /// Blocks of u: 2x3.
  case above(level: Int)
  /// Blocks of ul: 2x2.
  case aboveLeft(level: Int)
  /// u from `level` to the next: 2x3, stride 2.
  case halvingAbove(level: Int)
  /// ul from `level` to the next: 2x2, stride 2.
  case halvingAboveLeft(level: Int)
  /// u from the level after `level` back to it: the adjoint of a 2x3 convolution with stride 2.
  case doublingAbove(level: Int)
  /// ul from the level after `level` back to it: the adjoint of a 2x2 convolution with stride 2.
  case doublingAboveLeft(level: Int)

  /// Sizes that the network works at: the image's, a half and a quarter of its sides.
  static let levels = 3

  /// The window, seen from the output's pixel, or from its stride-fold when it is strided. A coarse pixel is written to
  /// the fine ones that it covers and, in u, to the column left of them.
  var window: ShiftedWindow {
    switch self {
    case .initialAbove: return ShiftedWindow(rows: 2, columns: 3, firstRow: -2, firstColumn: -1)
    case .initialRow: return ShiftedWindow(rows: 1, columns: 3, firstRow: -1, firstColumn: -1)
    case .initialLeft: return ShiftedWindow(rows: 2, columns: 1, firstRow: -1, firstColumn: -1)
    case .above, .halvingAbove: return ShiftedWindow(rows: 2, columns: 3, firstRow: -1, firstColumn: -1)
    case .aboveLeft, .halvingAboveLeft: return ShiftedWindow(rows: 2, columns: 2, firstRow: -1, firstColumn: -1)
    case .doublingAbove: return ShiftedWindow(rows: 2, columns: 3, firstRow: 0, firstColumn: -1)
    case .doublingAboveLeft: return ShiftedWindow(rows: 2, columns: 2, firstRow: 0, firstColumn: 0)
    }
  }

  /// Rows and columns of taps, as in a weight's shape.
  var shape: [Int] { [window.rows, window.columns] }

  /// Size of images of `size` at `level`.
  static func size(_ size: ImageSize, level: Int) -> ImageSize {
    ImageSize(rows: size.rows >> level, columns: size.columns >> level)
  }

  /// The plans of all layers for images of `size`.
  static func pairs(size: ImageSize) -> [MaskKind: OrderPlan.Pair] {
    var pairs: [MaskKind: OrderPlan.Pair] = [:]
    func add(_ kind: StreamWindow, level: Int, stride: Int = 1) {
      pairs[.shifted(kind)] = OrderPlan.Pair(
        NeighbourPlan(size: Self.size(size, level: level), window: kind.window, stride: stride))
    }
    for kind in [StreamWindow.initialAbove, .initialRow, .initialLeft] { add(kind, level: 0) }
    for level in 0..<levels {
      add(.above(level: level), level: level)
      add(.aboveLeft(level: level), level: level)
      pairs[.pointwise(level: level)] = OrderPlan.Pair(.pointwise(size: Self.size(size, level: level)))
      if level + 1 < levels {
        add(.halvingAbove(level: level), level: level + 1, stride: 2)
        add(.halvingAboveLeft(level: level), level: level + 1, stride: 2)
        add(.doublingAbove(level: level), level: level + 1, stride: 2)
        add(.doublingAboveLeft(level: level), level: level + 1, stride: 2)
      }
    }
    return pairs
  }
}
