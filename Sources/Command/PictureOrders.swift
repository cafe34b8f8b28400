import Evaluation
import Training

/// Orders that a picture shows beside one another.
enum PictureOrders {
  /// The orders that `words` name; the first test order when none is.
  ///
  /// - Throws: when one cannot be had.
  static func named(_ words: [String], _ experiment: Experiment) throws -> [NamedOrder] {
    guard !words.isEmpty else { return [experiment.orders.test[0]] }
    return try OrderSelection.orders(
      OrderArguments.choices(words), experiment.configuration.orders, size: experiment.test.size)
  }
}
