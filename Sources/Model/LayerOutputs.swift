import Tensors

/// What a layer or block of the network computed for the current batch.
public struct LayerOutput {
  /// The name that its parameters begin with, such as `up_layers.0.u_stream.2`.
  public let layer: String
  /// `[images * pixels, channels]`
  public let values: Matrix
}

extension LocallyMaskedPixelCNN {
  /// What a forward pass left in `workspace`, in the order in which it was computed: outputs of the first layer, the
  /// blocks, the convolutions between groups, and the network. A backward overwrites some of them.
  public func outputs(in workspace: NetworkWorkspace) -> [LayerOutput] {
    var outputs = [LayerOutput(layer: name(of: initial), values: workspace.rows(workspace.initialOutput))]
    func add(
      _ blocks: [[GatedResidualBlock]], _ saved: [[GatedResidualBlock.Activations]], _ between: [ConvolutionLayer],
      _ betweenOutputs: [(output: Matrix, scale: Matrix)]
    ) {
      for group in 0..<3 {
        for (block, activations) in zip(blocks[group], saved[group]) {
          outputs.append(LayerOutput(layer: name(of: block), values: workspace.rows(activations.output)))
        }
        if group < 2 {
          outputs.append(
            LayerOutput(layer: name(of: between[group]), values: workspace.rows(betweenOutputs[group].output)))
        }
      }
    }
    add(up, workspace.upBlocks, downsize, workspace.downsizeOutputs)
    add(down, workspace.downBlocks, upsize, workspace.upsizeOutputs)
    return outputs + [LayerOutput(layer: name(of: output), values: workspace.logits)]
  }

  private func name(of layer: ConvolutionLayer) -> String {
    Self.dropping(1, from: layout.entries[layer.firstEntry].name)
  }

  private func name(of block: GatedResidualBlock) -> String { Self.dropping(1, from: name(of: block.convInput)) }

  private static func dropping(_ count: Int, from name: String) -> String {
    name.split(separator: ".").dropLast(count).joined(separator: ".")
  }
}
