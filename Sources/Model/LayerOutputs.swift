import Orders
import Tensors

/// What a layer or block of the network, or one between two groups of blocks, computed for the current batch.
public struct LayerOutput {
  /// The name that its parameters begin with, such as `up_layers.0.u_stream.2`.
  public let layer: String
  /// Rows and columns of an image at the layer: those of the image, or a fraction of them.
  public let size: ImageSize
  /// `[images * pixels, channels]`
  public let values: Matrix
}

/// Is told what layers and blocks compute, in that order. The values are there only until it returns: later ones may take
/// their place.
public typealias LayerObserver = (LayerOutput) -> Void

extension ParameterLayout {
  /// Name of the layer that entry `index` belongs to.
  func layerName(_ index: Int) -> String { entries[index].name.split(separator: ".").dropLast().joined(separator: ".") }
}
