import Kernels
import Orders
import Tensors
import Tracing

/// A network that can be trained, evaluated and sampled from, whichever its architecture.
///
/// An enumeration and no protocol: there are two, and calls in the loop over microbatches go straight to one of them,
/// without existentials.
public enum AutoregressiveNetwork: Sendable {
  /// The paper's.
  case locallyMasked(LocallyMaskedPixelCNN)
  /// The baseline.
  case pixelCNNPlusPlus(PixelCNNPlusPlus)

  /// The network of `configuration`.
  public init(_ configuration: ModelConfiguration) {
    switch configuration.architecture {
    case .lmconv: self = .locallyMasked(LocallyMaskedPixelCNN(configuration))
    case .pixelCNNPlusPlus: self = .pixelCNNPlusPlus(PixelCNNPlusPlus(configuration))
    }
  }

  /// What the network was made from.
  public var configuration: ModelConfiguration {
    switch self {
    case .locallyMasked(let network): network.configuration
    case .pixelCNNPlusPlus(let network): network.configuration
    }
  }

  /// Names, shapes and places of all parameters, in the order of the forward pass.
  public var layout: ParameterLayout {
    switch self {
    case .locallyMasked(let network): network.layout
    case .pixelCNNPlusPlus(let network): network.layout
    }
  }

  /// Windows of its convolutions.
  public var windows: NetworkWindows {
    switch self {
    case .locallyMasked(let network): network.windows
    case .pixelCNNPlusPlus: .shifted
    }
  }

  /// A new flat parameter vector, initialized as the reference does.
  public func initialParameters(seed: UInt64) -> FloatBuffer { layout.initialParameters(seed: seed) }

  // MARK: What it takes

  /// Requires that the network takes images of `size`.
  public func require(size: ImageSize) throws(ArchitectureError) {
    guard hasTwoStreams && !PixelCNNPlusPlus.takes(size) else { return }
    throw .indivisibleSides(size)
  }

  /// Requires that the network can generate in `order`, called `name`, after the pixels of `observed`.
  public func require(
    order: GenerationOrder, named name: String, observed: Set<Int> = []
  ) throws(ArchitectureError) {
    try require(size: order.size)
    guard hasTwoStreams else { return }
    guard order.isRasterScan else { throw .notRasterScan(order: name) }
    guard order.observedFirst(observed).isRasterScan else { throw .observedAfterMissing }
  }

  /// The network under local masks that `what` needs.
  ///
  /// - Throws: when it is another.
  public func underLocalMasks(for what: String) throws(ArchitectureError) -> LocallyMaskedPixelCNN {
    guard case .locallyMasked(let network) = self else { throw .needsLocalMasks(what) }
    return network
  }

  // MARK: Passes

  /// Computes what depends on parameters alone. Due before the first pass and whenever `parameters` have changed.
  public func prepare(parameters: FloatBuffer, workspace: NetworkWorkspace, pool: ThreadPool) {
    switch self {
    case .locallyMasked(let network): network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    case .pixelCNNPlusPlus(let network):
      network.prepare(parameters: parameters, effective: workspace.effectiveWeights, pool: pool)
    }
  }

  /// Writes `workspace.logits` for the images given to `workspace.prepareInput`. `observe` is told what each layer and block
  /// computed.
  public func forward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, pool: ThreadPool, trace: Trace? = nil,
    observe: LayerObserver? = nil
  ) {
    switch self {
    case .locallyMasked(let network):
      network.forward(
        parameters: parameters, plan: plan, workspace: workspace, pool: pool, trace: trace, observe: observe)
    case .pixelCNNPlusPlus(let network):
      network.forward(
        parameters: parameters, plan: plan, workspace: workspace, pool: pool, trace: trace, observe: observe)
    }
  }

  /// Writes the gradient of all parameters to `gradient`, given `workspace.dLogits` and the activations that `forward`
  /// left.
  ///
  /// `completed` is told, again and again with smaller values, from which offset of the flat vector on the gradient is
  /// final.
  public func backward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, gradient: FloatBuffer, pool: ThreadPool,
    trace: Trace? = nil, completed: (Int) -> Void
  ) {
    switch self {
    case .locallyMasked(let network):
      network.backward(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, pool: pool, trace: trace,
        completed: completed)
    case .pixelCNNPlusPlus(let network):
      network.backward(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, pool: pool, trace: trace,
        completed: completed)
    }
  }

  /// Writes to `dInput` `[images * pixels, channels + 1]` the gradient of the input that `workspace.prepareInput` made, the
  /// channel of ones included; to be called after `backward`, with what that was given.
  public func inputGradient(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, gradient: FloatBuffer, dInput: Matrix,
    pool: ThreadPool
  ) {
    switch self {
    case .locallyMasked(let network):
      network.inputGradient(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, dInput: dInput, pool: pool)
    case .pixelCNNPlusPlus(let network):
      network.inputGradient(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, dInput: dInput, pool: pool)
    }
  }

  // MARK: What a workspace needs to know

  var hasTwoStreams: Bool { if case .pixelCNNPlusPlus = self { true } else { false } }

  /// Floats of all weights that are products of parameters.
  var effectiveCount: Int {
    switch self {
    case .locallyMasked(let network): network.effectiveCount
    case .pixelCNNPlusPlus(let network): network.effectiveCount
    }
  }

  /// Floats of the largest weight, transposed or not.
  var largestWeightScratchCount: Int {
    switch self {
    case .locallyMasked(let network): network.layers.map(\.weightScratchCount).max() ?? 0
    case .pixelCNNPlusPlus(let network): network.largestWeightScratchCount
    }
  }
}
