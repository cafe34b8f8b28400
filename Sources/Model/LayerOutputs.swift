import Orders
import Tensors

/// What a layer or block of the network computed for the current batch.
public struct LayerOutput {
  /// The name that its parameters begin with, such as `up_layers.0.u_stream.2`.
  public let layer: String
  /// Rows and columns of an image at the layer: those of the image, or a fraction of them.
  public let size: ImageSize
  /// `[images * pixels, channels]`
  public let values: Matrix
}

extension LocallyMaskedPixelCNN {
  /// What a forward pass left in `workspace`, in the order in which it was computed: outputs of the first layer, the
  /// blocks, the convolutions between groups, and the network. A backward overwrites some of them.
  public func outputs(in workspace: NetworkWorkspace) -> [LayerOutput] {
    let stream = workspace.u
    func layer(_ layer: ConvolutionLayer, _ values: Matrix) -> LayerOutput {
      LayerOutput(
        layer: layout.layerName(layer.firstEntry), size: workspace.size, values: workspace.rows(values))
    }
    var outputs = [layer(initial, stream.initialOutput)]
    func add(
      _ blocks: [[GatedResidualBlock]], _ saved: [[GatedResidualBlock.Activations]], _ between: [ConvolutionLayer],
      _ betweenOutputs: [StreamActivations.Between]
    ) {
      for group in 0..<3 {
        for (block, activations) in zip(blocks[group], saved[group]) {
          outputs.append(
            LayerOutput(layer: block.name, size: workspace.size, values: workspace.rows(activations.output)))
        }
        if group < 2 { outputs.append(layer(between[group], betweenOutputs[group].output)) }
      }
    }
    add(up, stream.upBlocks, downsize, stream.downsizeOutputs)
    add(down, stream.downBlocks, upsize, stream.upsizeOutputs)
    return outputs + [layer(output, workspace.logits)]
  }
}

extension ParameterLayout {
  /// Name of the layer that entry `index` belongs to.
  func layerName(_ index: Int) -> String { entries[index].name.split(separator: ".").dropLast().joined(separator: ".") }
}
