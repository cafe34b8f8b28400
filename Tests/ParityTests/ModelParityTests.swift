import Collectives
import Datasets
import Evaluation
import Foundation
import Kernels
import Model
import Optimization
import Orders
import Tensors
import TestSupport
import Testing

/// Whole models against the reference: logits, losses, every gradient, five steps of training, and likelihoods.
@Suite("Parity: models") struct ParityModels {
  @Test func parametersHaveTheReferencesNamesShapesAndNumber() throws {
    for model in try ModelFixture.all() {
      let layout = model.network.layout
      #expect(layout.parameterCount == model.settings.parameters, "\(model.name)")
      let names = model.file.tensors.keys.filter { $0.hasPrefix("param0.") }
      #expect(Set(layout.entries.map { "param0." + $0.name }) == Set(names), "\(model.name)")
      for entry in layout.entries {
        #expect(try model.file.tensor("param0." + entry.name).shape == entry.shape, "\(model.name): \(entry.name)")
      }
    }
  }

  @Test func trainingFollowsTheReference() throws {
    for model in try ModelFixture.all() {
      let settings = model.settings
      let layout = model.network.layout
      let parameters = try model.parameters(after: 0)
      let gradient = FloatBuffer(count: layout.count)
      let run = NetworkRun(
        model.network, parameters: parameters, size: model.size,
        images: try model.levels("x0").count / (model.size.pixels * settings.channels), threads: 2)
      var adam = Adam(
        Adam.Configuration(beta1: settings.adam.beta1, beta2: settings.adam.beta2, epsilon: settings.adam.eps),
        ranges: [0..<layout.count])
      for step in 0..<model.steps {
        let plan = OrderPlan(order: try model.order(settings.orderVariants[step]), windows: model.network.windows)
        let levels = try model.levels("x\(step)")
        let loss = run.loss(levels, plan: plan) + takeReferencesLowProbabilities(of: model, levels: levels, in: run)
        expectClose([loss], [settings.losses[step]], "\(model.name): loss of step \(step)")
        run.backward(plan: plan, into: gradient)
        if step == 0 { try checkFirstStep(model, run, gradient) }
        let norm = gradient.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        expectClose([norm], [settings.gradientNorms[step]], "\(model.name): gradient norm of step \(step)")
        adam.update(
          parameters, gradient: gradient, learningRate: settings.lr,
          gradientScale: GradientClipping.scale(norm: norm, maximum: settings.clip))
        run.load(parameters)
      }
      try checkLastParameters(model, parameters)
    }
  }

  @Test func likelihoodsAreThoseOfTheReference() throws {
    for model in try ModelFixture.all() {
      let parameters = try model.parameters(after: model.steps)
      let levels = try model.levels("eval_x")
      let images = levels.count / (model.size.pixels * model.settings.channels)
      // Raw pixels of 8 bits, of which the data set drops the lower ones again.
      let bits = model.distribution.levels.trailingZeroBitCount
      let dataset = try ImageDataset(
        name: model.name, size: model.size, channels: model.settings.channels, bits: bits,
        pixels: levels.map { $0 << (8 - bits) }, labels: [UInt8](repeating: 0, count: images))
      let evaluation = LikelihoodEvaluation(
        network: model.network, size: model.size, batchSize: 2, communicator: SingleProcessCommunicator(),
        pool: ThreadPool(threads: 2))
      func report(_ variants: [OrderVariant], region: Set<Int>?) throws -> LikelihoodReport {
        try evaluation.evaluate(
          parameters: parameters, dataset: dataset, images: 0..<images,
          orders: variants.map { NamedOrder(name: "\($0)", order: try model.order($0)) }, region: region, seed: 0)
      }
      let all = try report(OrderVariant.allCases, region: nil)
      expectClose(
        all.logLikelihoods, try model.file.doubles("eval_log_likelihood_per_order"), "\(model.name): each order")
      expectClose(all.ensemble, try model.file.doubles("eval_log_likelihood_ensemble"), "\(model.name): ensemble")
      let topHalf = Set(0..<(model.size.rows / 2 * model.size.columns))
      expectClose(
        try report(model.settings.topHalfVariants, region: topHalf).ensemble,
        try model.file.doubles("eval_log_likelihood_top_half"), "\(model.name): top half given the rest")
    }
  }

  private func checkFirstStep(_ model: ModelFixture, _ run: NetworkRun, _ gradient: FloatBuffer) throws {
    let logits = try Golden.activations(model.file, "logits0").values.map(Double.init)
    expectClose(run.workspace.logits.values.map(Double.init), logits, "\(model.name): logits")
    for entry in model.network.layout.entries {
      expectClose(
        model.network.layout.fileValues(of: entry, in: gradient).map(Double.init),
        try model.file.doubles("grad0." + entry.name), "\(model.name): gradient of \(entry.name)")
    }
  }

  /// Adam moves a parameter by up to the learning rate whatever the size of its gradient. Gradients agree within the
  /// tolerance for whole models, relative to their tensor's largest: an element that is itself below that may be moved in
  /// another direction. Such elements, at most one in a thousand, may end anywhere within what that many steps can do in
  /// opposite directions.
  private func checkLastParameters(_ model: ModelFixture, _ parameters: FloatBuffer) throws {
    let layout = model.network.layout
    var exceptions = 0
    for entry in layout.entries {
      let found = layout.fileValues(of: entry, in: parameters).map(Double.init)
      let golden = try model.file.doubles("param\(model.steps).\(entry.name)")
      let gradient = try model.file.doubles("grad0." + entry.name)
      let largest = golden.map(abs).max() ?? 0
      let largestGradient = gradient.map(abs).max() ?? 0
      for index in golden.indices {
        let error = abs(found[index] - golden[index])
        guard !(error < Golden.modelTolerance * largest) else { continue }
        exceptions += 1
        #expect(
          abs(gradient[index]) < Golden.modelTolerance * largestGradient
            && error < 2 * Double(model.steps) * model.settings.lr,
          "\(model.name): element \(index) of \(entry.name) is \(found[index]), expected \(golden[index])")
      }
    }
    #expect(exceptions * 1_000 <= layout.parameterCount, "\(model.name): \(exceptions) parameters differ")
  }

  /// Where the number of bits is not 8 and a component has a low probability, the reference's loss is another one: puts
  /// its gradient in the place of ours, so that the network's gradients remain comparable, and returns by how much its
  /// loss is larger.
  private func takeReferencesLowProbabilities(
    of model: ModelFixture, levels: [UInt8], in run: NetworkRun
  ) -> Double {
    guard let reference = model.referenceLoss, reference.levels != 256 else { return 0 }
    let logits = run.workspace.logits
    let values = levels.map { 2 * Double($0) / Double(reference.levels - 1) - 1 }
    var difference = 0.0
    for row in 0..<logits.rows {
      let result = reference(
        x: Array(values[(row * reference.channels)..<((row + 1) * reference.channels)]),
        logits: (0..<logits.columns).map { Double(logits[row, $0]) })
      guard result.lowWeight > 0 else { continue }
      difference += result.nats - run.nats[row]
      for (column, value) in result.gradient.enumerated() { run.workspace.dLogits[row, column] = Float(value) }
    }
    return difference
  }

  private func expectClose(_ values: [Double], _ golden: [Double], _ name: String) {
    let error = Golden.relativeError(values, golden)
    #expect(error < Golden.modelTolerance, "\(name) is off by \(error)")
  }
}
