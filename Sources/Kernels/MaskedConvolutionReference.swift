import Orders
import Tensors

/// The locally masked convolution as plain loops over the paper's definition, in double precision: what the fast kernels
/// are tested against. Values are row-major arrays: x `[images, pixels, inputs]`, weight `[outputs, inputs, taps]` as in
/// files, mask tap-major `[taps, pixels]`.
public enum MaskedConvolutionReference {
  /// Sizes of a convolution.
  public struct Shape: Sendable {
    /// Size of each image.
    public var size: ImageSize
    /// The window.
    public var window: KernelWindow
    /// Number of images.
    public var images: Int
    /// Input channels.
    public var inputs: Int
    /// Output channels.
    public var outputs: Int

    /// A convolution of `images` images.
    public init(size: ImageSize, window: KernelWindow, images: Int, inputs: Int, outputs: Int) {
      self.size = size
      self.window = window
      self.images = images
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  /// The gradients of a convolution.
  public struct Gradients: Sendable {
    /// `[images, pixels, inputs]`
    public var dx: [Double]
    /// `[outputs, inputs, taps]`
    public var dWeight: [Double]
    /// `[outputs]`
    public var dBias: [Double]
    /// `[outputs, taps]`
    public var dMaskWeight: [Double]
  }

  /// y `[images, pixels, outputs]`.
  public static func forward(
    _ shape: Shape, mask: [UInt8], x: [Double], weight: [Double], bias: [Double], maskWeight: [Double]? = nil
  ) -> [Double] {
    var y = [Double](repeating: 0, count: shape.images * shape.size.pixels * shape.outputs)
    forEachVisible(shape, mask) { image, pixel, tap, neighbour in
      for output in 0..<shape.outputs {
        var sum = maskWeight?[output * shape.window.taps + tap] ?? 0
        for input in 0..<shape.inputs {
          sum +=
            x[(image * shape.size.pixels + neighbour) * shape.inputs + input]
            * weight[(output * shape.inputs + input) * shape.window.taps + tap]
        }
        y[(image * shape.size.pixels + pixel) * shape.outputs + output] += sum
      }
    }
    for index in y.indices { y[index] += bias[index % shape.outputs] }
    return y
  }

  /// Gradients given dy `[images, pixels, outputs]`.
  public static func backward(_ shape: Shape, mask: [UInt8], x: [Double], weight: [Double], dy: [Double]) -> Gradients {
    let taps = shape.window.taps
    var gradients = Gradients(
      dx: [Double](repeating: 0, count: x.count), dWeight: [Double](repeating: 0, count: weight.count),
      dBias: [Double](repeating: 0, count: shape.outputs),
      dMaskWeight: [Double](repeating: 0, count: shape.outputs * taps))
    forEachVisible(shape, mask) { image, pixel, tap, neighbour in
      for output in 0..<shape.outputs {
        let gradient = dy[(image * shape.size.pixels + pixel) * shape.outputs + output]
        gradients.dMaskWeight[output * taps + tap] += gradient
        for input in 0..<shape.inputs {
          let xIndex = (image * shape.size.pixels + neighbour) * shape.inputs + input
          let wIndex = (output * shape.inputs + input) * taps + tap
          gradients.dx[xIndex] += gradient * weight[wIndex]
          gradients.dWeight[wIndex] += gradient * x[xIndex]
        }
      }
    }
    for (index, gradient) in dy.enumerated() { gradients.dBias[index % shape.outputs] += gradient }
    return gradients
  }

  private static func forEachVisible(
    _ shape: Shape, _ mask: [UInt8], _ body: (_ image: Int, _ pixel: Int, _ tap: Int, _ neighbour: Int) -> Void
  ) {
    for image in 0..<shape.images {
      for pixel in 0..<shape.size.pixels {
        for tap in 0..<shape.window.taps where mask[tap * shape.size.pixels + pixel] != 0 {
          let offset = shape.window.offset(of: tap)
          body(image, pixel, tap, pixel + offset.row * shape.size.columns + offset.column)
        }
      }
    }
  }
}
