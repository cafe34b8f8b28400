import Orders
import Tensors

/// The other way to skip masked taps: for pixels that see the same taps, gather those taps' inputs into a panel and
/// multiply it by those rows of the weight with a BLAS. Shares nothing with `MaskedConvolution` but its result, which
/// makes it the check of the fast kernels and what their speed is compared with (docs/kernels.md).
public struct PatternGroupedConvolution {
  /// Rows of a panel: at 320 input channels and five taps it fits in a second-level cache.
  private static let panelRows = 192

  private let mask: LocalMask
  private let groups: PatternGroups
  private let images: Int
  private let inputs: Int
  private let outputs: Int
  /// Room for the gathered inputs, the rows of the weight and the product.
  private let panel: FloatBuffer
  private let weightRows: FloatBuffer
  private let product: FloatBuffer

  /// A convolution of `images` images under `mask`.
  public init(mask: LocalMask, images: Int, inputs: Int, outputs: Int) {
    self.mask = mask
    self.images = images
    self.inputs = inputs
    self.outputs = outputs
    groups = PatternGroups(mask)
    panel = FloatBuffer(count: Self.panelRows * mask.window.taps * inputs)
    weightRows = FloatBuffer(count: mask.window.taps * inputs * outputs)
    product = FloatBuffer(count: Self.panelRows * outputs)
  }

  /// y `[images * pixels, outputs]`, overwritten, from x `[images * pixels, inputs]` and a tap-major weight
  /// `[taps * inputs, outputs]`, on the calling thread.
  public func forward(x: Matrix, weight: Matrix, y: Matrix) {
    precondition(
      x.rows == images * mask.size.pixels && y.rows == x.rows && x.columns == inputs && y.columns == outputs
        && weight.rows == mask.window.taps * inputs && weight.columns == outputs,
      "PatternGroupedConvolution: x [\(x.rows), \(x.columns)], weight [\(weight.rows), \(weight.columns)]")
    for group in groups.groups {
      let depth = group.taps.count * inputs
      for (place, tap) in group.taps.enumerated() {
        (weightRows.base + place * inputs * outputs).update(
          from: weight.base + tap * inputs * outputs, count: inputs * outputs)
      }
      let shifts = group.taps.map { tap in
        let offset = mask.window.offset(of: tap)
        return offset.row * mask.size.columns + offset.column
      }
      let rowCount = images * group.pixels.count
      for first in stride(from: 0, to: rowCount, by: Self.panelRows) {
        let count = min(Self.panelRows, rowCount - first)
        for index in 0..<count {
          let source = x.base + row(first + index, of: group) * inputs
          for (place, shift) in shifts.enumerated() {
            (panel.base + index * depth + place * inputs).update(from: source + shift * inputs, count: inputs)
          }
        }
        GEMM.multiply(
          a: Matrix(panel, rows: count, columns: depth), b: Matrix(weightRows, rows: depth, columns: outputs),
          c: Matrix(product, rows: count, columns: outputs))
        for index in 0..<count {
          (y.base + row(first + index, of: group) * outputs).update(
            from: product.base + index * outputs, count: outputs)
        }
      }
    }
  }

  /// The row of activations of a group's pixel, counted over all images.
  private func row(_ index: Int, of group: PatternGroups.Group) -> Int {
    index / group.pixels.count * mask.size.pixels + Int(group.pixels[index % group.pixels.count])
  }
}
