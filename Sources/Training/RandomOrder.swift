import Orders
import Tensors

extension GenerationOrder {
  /// Permutation `index` of those that `seed` gives for images of `size`, uniform over all permutations.
  public static func random(index: Int, seed: UInt64, size: ImageSize) -> GenerationOrder {
    var generator = KeyedGenerator(seed: seed, purpose: .randomOrder, step: index)
    return GenerationOrder(size: size, permutation: generator.permutation(of: size.pixels).map(Int32.init))
  }

  /// The permutation that microbatch `slot` of `step` draws for itself in a run with `seed`.
  public static func fresh(step: Int, slot: Int, seed: UInt64, size: ImageSize) -> GenerationOrder {
    var generator = KeyedGenerator(seed: seed, purpose: .freshOrder, step: step, slot: slot)
    return GenerationOrder(size: size, permutation: generator.permutation(of: size.pixels).map(Int32.init))
  }
}
