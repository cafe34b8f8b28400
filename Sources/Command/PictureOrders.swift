import ArgumentParser
import Evaluation
import Orders
import Training

/// Options that say which orders a picture shows beside one another.
struct PictureOrders: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Orders, or all of orders.test (default: the first), each \(OrderChoice.forms).", valueName: "order,order,..."))
  var orders: [String] = []

  func validate() throws { _ = try choices }

  /// The orders of `experiment` that are meant.
  ///
  /// - Throws: when one cannot be had, or the network cannot generate in it.
  func named(_ experiment: Experiment) throws -> [NamedOrder] {
    let named =
      try choices.map {
        try OrderSelection.orders($0, experiment.configuration.orders, size: experiment.test.size)
      } ?? experiment.orders.test
    let shown = orders.isEmpty ? Array(named.prefix(1)) : named
    for order in shown { try experiment.network.require(order: order.order, named: order.name) }
    return shown
  }

  /// Those that are named; nil where some or all of the test orders are meant.
  private var choices: [OrderChoice]? {
    get throws { orders.isEmpty || orders == ["all"] ? nil : try OrderArguments.choices(orders) }
  }
}
