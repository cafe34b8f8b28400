import Foundation

/// A small training run that tests vary.
package struct Trial: Sendable, CustomStringConvertible {
  package var description: String { name }
  package let name: String
  package let steps: Int
  package let isColor: Bool
  package var testImages = 8
  package let settings: [String]

  /// Binarized strokes of 12x12 pixels.
  package static func binary(steps: Int, microbatches: Int = 5, _ settings: [String] = []) -> Trial {
    Trial(
      name: "binary, \(microbatches) microbatches", steps: steps, isColor: false,
      settings: [
        "data.set=mnist", "data.binarize=stochastic", "model.distribution=binary",
        "training.microbatches=\(microbatches)",
      ] + settings)
  }

  /// Colour strokes of 32x32 pixels with everything that draws random numbers or couples images.
  package static func color(
    steps: Int, microbatches: Int, ordersPer: String, _ settings: [String] = []
  ) -> Trial {
    Trial(
      name: "color, \(microbatches) microbatches, order per \(ordersPer)", steps: steps, isColor: true,
      settings: [
        "data.set=cifar10", "data.binarize=none", "data.bits=8", "model.distribution=logistic_mixture",
        "model.mixtures=2", "model.dropout=0.3", "model.normalization=weight_norm", "training.weight_decay=0.01",
        "training.loss_unit=bpd", "training.loss_reduction=sum", "training.clip_norm=1",
        "training.microbatches=\(microbatches)", "orders.per=\(ordersPer)", "orders.base=hilbert",
      ] + settings)
  }

  /// Words that train in the run folder `run`; later settings win.
  package func arguments(run: String = "run", threads: Int = 1, _ more: [String] = []) -> [String] {
    let common = [
      "data.folder=images", "model.filters=4", "model.blocks=1", "training.microbatch_size=2",
      "training.steps=\(steps)", "run.threads=\(threads)", "run.log_every_steps=1", "evaluation.images=3",
      "evaluation.batch_size=2", "checkpoint.every_steps=0", "checkpoint.every_seconds=0",
    ]
    return ["train", "--run-dir", run] + (common + settings + more).flatMap { ["--set", $0] }
  }

  /// A folder with the images of the trial.
  package func workplace() throws -> Workplace {
    let workplace = try Workplace()
    if isColor { try workplace.writeColorStrokes() } else { try workplace.writeStrokes(test: testImages) }
    return workplace
  }
}

/// What a trial gives when nothing disturbs it.
package struct FinishedRun: Sendable {
  package let weights: Weights
  package let results: [Int: StepResult]
  package let evaluations: [Int: MetricsLine.Evaluation]

  /// Trains `trial` alone to its end.
  package init(_ trial: Trial) throws {
    let workplace = try trial.workplace()
    // Long enough for a machine that has other work.
    try workplace.run(ranks: nil, trial.arguments(), within: 600)
    let run = RunFiles(path: workplace.path + "/run")
    weights = try run.weights(step: trial.steps)
    results = try run.results()
    evaluations = try run.evaluations()
  }
}
