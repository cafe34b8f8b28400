import Orders
import Testing

/// Orders as fixtures name them.
enum GoldenOrder {
  static func make(_ name: String, size: ImageSize, variant: Int) throws -> GenerationOrder {
    try GenerationOrder(
      base: #require(BaseOrder(rawValue: name)), size: size, variant: #require(OrderVariant(rawValue: variant)))
  }
}
