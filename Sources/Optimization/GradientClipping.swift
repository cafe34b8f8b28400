/// Clipping by the global norm, as `torch.nn.utils.clip_grad_norm_` does.
public enum GradientClipping {
  /// What to multiply a gradient of `norm` by, so that its norm is `maximum` at most: min(1, maximum / (norm + 1e-6)).
  ///
  /// NaN when the norm is NaN, and 0 when it is infinite; the caller decides what a step without a finite norm means.
  public static func scale(norm: Double, maximum: Double) -> Double {
    let ratio = maximum / (norm + 1e-6)
    return ratio >= 1 ? 1 : ratio
  }
}
