import Tensors

/// How the 8-bit values of pixels are made binary.
public enum Binarization: String, Sendable, Codable, CaseIterable {
  /// Not at all.
  case none
  /// 1 where the value is at least 128.
  case threshold
  /// 1 with probability value / 255, drawn anew each time the image is seen in training.
  case stochastic

  /// 1 with probability `value` / 255, else 0.
  static func draw(value: UInt8, from generator: inout KeyedGenerator) -> UInt8 {
    generator.integer(below: 255) < Int(value) ? 1 : 0
  }
}

/// What the random bits of stochastic binarization are a function of, besides the pixels' values.
public enum BinarizationKey: Sendable, Hashable {
  /// The step and the microbatch: the same images get other bits at other steps.
  case training(seed: UInt64, step: Int, slot: Int)
  /// Each image's index alone: its bits do not depend on who evaluates it, nor on the other images of its batch.
  case evaluation(seed: UInt64)
}
