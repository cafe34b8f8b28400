/// Memory layout of a convolution's or linear layer's weight: panels of 16 output channels, `[ceil(O / 16), taps, C, 16]`,
/// padded with zeros. It is what the microkernel reads in order, so weights are never repacked for the forward pass, and
/// the weight gradient is written in the same layout. Padding has no gradient, so it stays zero.
public enum Panels {
  /// Output channels of a panel: two vectors of eight floats.
  public static let width = 16

  /// Panels needed for `outputs` channels.
  public static func count(outputs: Int) -> Int { (outputs + width - 1) / width }

  /// Floats of a weight, padding included.
  public static func elements(taps: Int, inputs: Int, outputs: Int) -> Int {
    count(outputs: outputs) * taps * inputs * width
  }

  /// Index of weight (`tap`, `input`, `output`).
  public static func index(tap: Int, input: Int, output: Int, taps: Int, inputs: Int) -> Int {
    ((output / width * taps + tap) * inputs + input) * width + output % width
  }
}
