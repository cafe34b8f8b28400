/// What random numbers are drawn for. The raw values are part of every run's definition: never renumber.
public enum RandomPurpose: UInt32, Sendable {
  /// Initial parameters.
  case initialization = 1
  /// The order of images in an epoch.
  case epochPermutation = 2
  /// The generation order of a microbatch.
  case generationOrder = 3
  /// Dropout masks.
  case dropout = 4
  /// Stochastic binarization of training images.
  case binarization = 5
  /// Stochastic binarization of images that are evaluated.
  case evaluationBinarization = 6
  /// Sampling from the model.
  case sampling = 7
  /// The random orders that configurations and command lines name.
  case randomOrder = 8
  /// The random order of a microbatch that draws one for itself.
  case freshOrder = 9
  /// Which images are mirrored in an epoch.
  case horizontalFlip = 10
  /// Directions in which a receptive field is measured.
  case receptiveField = 11
  /// The size that the images of a microbatch are scaled to.
  case imageSize = 12
}

/// Random numbers from a counter (Philox 4x32-10, Salmon et al. 2011): each draw is a pure function of
/// (seed, purpose, step, slot, index), so nothing has to be saved and it does not matter which rank draws.
public struct KeyedGenerator: RandomNumberGenerator, Sendable {
  private let key: (UInt32, UInt32)
  private var counter: (UInt32, UInt32, UInt32, UInt32)
  private var block: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var used = 4

  /// The stream of draws for `purpose` at `step` (or epoch, or image) and `slot`.
  ///
  /// `step` and `slot` are each below 2^32; every stream has 2^32 blocks of four numbers.
  public init(seed: UInt64, purpose: RandomPurpose, step: Int = 0, slot: Int = 0) {
    precondition(step >= 0 && step <= UInt32.max && slot >= 0 && slot <= UInt32.max, "step \(step), slot \(slot)")
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = (0, purpose.rawValue, UInt32(step), UInt32(slot))
  }

  /// Ten rounds of Philox 4x32 on `counter` with `key`.
  public static func philox(
    counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    for _ in 0..<10 {
      let p0 = UInt64(c0) * 0xD251_1F53
      let p1 = UInt64(c2) * 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }

  /// 32 uniform random bits.
  public mutating func nextBits() -> UInt32 {
    if used == 4 {
      block = Self.philox(counter: counter, key: key)
      counter.0 &+= 1
      used = 0
    }
    used += 1
    switch used {
    case 1: return block.0
    case 2: return block.1
    case 3: return block.2
    default: return block.3
    }
  }

  /// 64 uniform random bits.
  public mutating func next() -> UInt64 {
    let low = UInt64(nextBits())
    return UInt64(nextBits()) << 32 | low
  }

  /// A uniform number in [0, 1) with 24 random bits.
  public mutating func uniform() -> Float { Float(nextBits() >> 8) * 0x1p-24 }

  /// A uniform number strictly inside (0, 1) with 52 random bits: with 53, adding one half could round up to 1.
  public mutating func uniformDouble() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

  /// A uniform integer in 0..<`bound`.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0 && bound <= UInt32.max, "KeyedGenerator.integer: bound \(bound)")
    // Lemire's multiplication with rejection: unbiased, and the same on every platform.
    let bound32 = UInt32(bound)
    let threshold = (0 &- bound32) % bound32
    while true {
      let product = UInt64(nextBits()) * UInt64(bound32)
      if UInt32(truncatingIfNeeded: product) >= threshold { return Int(product >> 32) }
    }
  }

  /// A uniform permutation of 0..<`count` (Fisher-Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var result = Array(0..<count)
    var last = count - 1
    while last > 0 {
      result.swapAt(last, integer(below: last + 1))
      last -= 1
    }
    return result
  }
}
