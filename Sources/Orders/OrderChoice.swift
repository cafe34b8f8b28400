/// Generation orders as configurations and command lines name them: one, or a number of random ones.
///
/// | text | orders |
/// |---|---|
/// | `3` | variant 3 of the configured order |
/// | `hilbert`, `hilbert/3` | a base order, a variant of it |
/// | `random:8`, `random:8@5` | the first 8 of the random permutations that seed 0 (seed 5) gives |
/// | `random/3`, `random/3@5` | the one with index 3 of them |
/// | `spiral.txt`, `./spiral` | the order in a file; its name holds a dot |
public enum OrderChoice: Hashable, Sendable, CustomStringConvertible {
  /// A variant of the configured order.
  case variant(OrderVariant)
  /// A variant of a base order.
  case base(BaseOrder, OrderVariant)
  /// The first `count` random permutations of `seed`.
  case randoms(count: Int, seed: UInt64)
  /// The random permutation `index` of `seed`.
  case random(index: Int, seed: UInt64)
  /// The order in the file at this path.
  case file(String)

  /// What every text that names orders is like, for messages.
  public static let forms =
    "a variant 0 to 7, one of \(BaseOrder.allCases.map(\.rawValue).joined(separator: ", ")) perhaps with /VARIANT, "
    + "random:COUNT perhaps with @SEED, or a file with a dot in its name"
  /// The most permutations that one text may ask for.
  public static let mostRandom = 10_000

  /// The orders that `text` names, nil when it names none.
  public init?(_ text: String) {
    if let index = Int(text) {
      guard let variant = OrderVariant(rawValue: index) else { return nil }
      self = .variant(variant)
    } else if text.hasPrefix("random:"), let (count, seed) = Self.numbers(text.dropFirst("random:".count)) {
      guard (1...Self.mostRandom).contains(count) else { return nil }
      self = .randoms(count: count, seed: seed)
    } else if text.hasPrefix("random/"), let (index, seed) = Self.numbers(text.dropFirst("random/".count)) {
      guard (0..<Self.mostRandom).contains(index) else { return nil }
      self = .random(index: index, seed: seed)
    } else if let base = BaseOrder(rawValue: String(text.prefix { $0 != "/" })) {
      let rest = text.dropFirst(base.rawValue.count)
      guard let variant = OrderVariant(rawValue: rest.isEmpty ? 0 : Int(rest.dropFirst()) ?? -1) else { return nil }
      self = .base(base, variant)
    } else if text.contains(".") {
      self = .file(text)
    } else {
      return nil
    }
  }

  /// `NUMBER` or `NUMBER@SEED`; the seed is 0 when it is not given.
  private static func numbers(_ text: Substring) -> (Int, UInt64)? {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = Int(parts[0]), let seed = parts.count == 1 ? 0 : UInt64(parts[1]) else { return nil }
    return (number, seed)
  }

  /// The text that names these orders.
  public var description: String {
    func at(_ seed: UInt64) -> String { seed == 0 ? "" : "@\(seed)" }
    switch self {
    case .variant(let variant): return "\(variant.rawValue)"
    case .base(let base, let variant): return "\(base.rawValue)/\(variant.rawValue)"
    case .randoms(let count, let seed): return "random:\(count)\(at(seed))"
    case .random(let index, let seed): return "random/\(index)\(at(seed))"
    case .file(let path): return path
    }
  }

  /// The same orders, each a choice of its own.
  public var single: [OrderChoice] {
    guard case .randoms(let count, let seed) = self else { return [self] }
    return (0..<count).map { .random(index: $0, seed: seed) }
  }
}
