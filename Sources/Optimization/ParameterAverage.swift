import Kernels
import Tensors

/// An exponential moving average of all parameters (Polyak averaging), of which each rank keeps the ranges it owns:
///
///     average = d * average + (1 - d) * parameters
///
/// with d the decay or, while warming up, min(decay, (1 + t) / (10 + t)) in update t = 1, 2, ..., so that the first
/// parameters are soon forgotten.
public struct ParameterAverage: Sendable {
  /// The highest weight of the past.
  public let decay: Double
  /// Whether the weight of the past grows from small values.
  public let warmsUp: Bool
  /// Number of updates made (t); to be restored from a checkpoint together with the values.
  public var updates = 0
  /// The averages.
  public let values: ShardedVector

  /// An average over `ranges` of the flat vector that starts at `parameters`.
  public init(of parameters: FloatBuffer, ranges: [Range<Int>], decay: Double, warmsUp: Bool = false) {
    self.decay = decay
    self.warmsUp = warmsUp
    values = ShardedVector(ranges: ranges)
    values.load(from: parameters)
  }

  /// Takes in the owned ranges of `parameters`, of the whole length, on the threads of `pool`.
  public mutating func update(_ parameters: FloatBuffer, pool: ThreadPool? = nil) {
    updates += 1
    let t = Double(updates)
    let kept = Float(warmsUp ? min(decay, (1 + t) / (10 + t)) : decay)
    values.forEachRange { range, offset in
      AverageUpdate.apply(to: values.storage, offset: offset, values: parameters, range, kept: kept, pool: pool)
    }
  }
}
