/// What a rank spends its time on.
public enum Phase: Int32, CaseIterable, Sendable {
  /// One optimizer step, around all phases up to `gather`.
  case step
  /// Fetching the images of a microbatch and scaling them.
  case data
  /// Computing the weights that are products of parameters.
  case prepare
  /// The network's outputs for a microbatch.
  case forward
  /// The likelihood and the gradient of the outputs.
  case loss
  /// The gradients of all parameters.
  case backward
  /// One convolution's product, inside `forward`.
  case convolution
  /// One convolution's gradient of its input, inside `backward`.
  case inputGradient
  /// One convolution's gradient of its weight and bias, inside `backward`.
  case weightGradient
  /// Waiting for the gradients' sum over all slots and ranks, and its norm.
  case reduce
  /// The optimizer and the moving average.
  case update
  /// Collecting the updated parameters of all ranks.
  case gather
  /// The likelihood of test images.
  case evaluation
  /// Collecting the state and handing it to the thread that writes it.
  case checkpoint

  /// As traces call it.
  public var name: String {
    switch self {
    case .inputGradient: return "input gradient"
    case .weightGradient: return "weight gradient"
    default: return "\(self)"
    }
  }
}
