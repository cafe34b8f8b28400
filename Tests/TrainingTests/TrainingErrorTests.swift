import Configuration
import Foundation
import Testing
import Training

struct TrainingErrorTests {
  @Test func aRankWithOtherDataIsNamed() {
    let error = TrainingError.ranksDiffer(
      what: "data set", rank: 3, host: "node-b", expected: "1a2b", found: "3c4d")
    #expect(
      error.description == "rank 3 on node-b has another data set than rank 0: 3c4d, expected 1a2b; start all ranks "
        + "with the same program, configuration and data")
  }

  @Test func changedKeysAreListed() throws {
    var changed = RunConfiguration()
    changed.seed = 2
    changed.training.microbatches = 6
    let differences = changed.differences(from: RunConfiguration()).filter(\.key.isDefining)
    let error = TrainingError.configurationChanged(
      checkpoint: "run/checkpoints/step-00000040", differences: differences)
    #expect(
      error.description == """
        run/checkpoints/step-00000040 was trained with another configuration:
          seed: 1 -> 2
          training.microbatches: 8 -> 6
        restore these keys, train in another folder, or pass --allow-changes to go on with the new values
        """)
  }

  @Test func aStepThatIsNotFitNamesItsWorstMicrobatches() throws {
    let report = { (slot: Int, norm: String, found: String) in
      """
      {"slot": \(slot), "order": "s_curve/2", "size": "28x28", "images": [17, 905], "rank": 1, "host": "node-b", "nats": 3.5,
      "bits_per_dimension": 0.25, "worst_image": 905, "worst_nats": 6, "gradient_norm": \(norm),
      "steepest": "u_init.weight", "first_not_finite": \(found)}
      """
    }
    let found =
      #"{"kind": "output", "layer": "u_init", "place": "image 905, row 3, column 4, channel 1", "value": "nan"}"#
    let reports = [report(4, "2", "null"), report(5, "8", "null"), report(6, "1", found)]
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let fault = StepFault(
      step: 12, reason: .gradient(norm: .nan, limit: 7), gradientNorm: .nan,
      microbatches: try decoder.decode([MicrobatchReport].self, from: Data("[\(reports.joined(separator: ","))]".utf8)),
      disagreement: nil, skippedInARow: 2)
    let text = "order s_curve/2, 28x28, images 17 905: 3.5 nats (0.25 bpd, image 905 6.0)"
    #expect(
      TrainingError.unfitStep(fault).description == """
        step 12: the norm of the gradient is nan; the parameters were not updated
          microbatch 6, \(text), gradient norm 1.0, most of it in u_init.weight; first not finite: output of u_init at \
        image 905, row 3, column 4, channel 1: nan
          microbatch 5, \(text), gradient norm 8.0, most of it in u_init.weight
          microbatch 4, \(text), gradient norm 2.0, most of it in u_init.weight
        the 2 steps before were passed over already
        lmconv train --replay 12 repeats it; lower training.learning_rate or training.clip_norm, set guard.policy to \
        skip or rollback, or take the images out, and go on from the last checkpoint
        """)
  }

  @Test func aRankWithOtherParametersIsNamed() throws {
    let json = #"{"ranks": [1], "hosts": ["node-b"], "size": 3, "parameter": "u_init.weight"}"#
    let disagreement = try JSONDecoder().decode(ParameterDisagreement.self, from: Data(json.utf8))
    #expect(
      TrainingError.parametersDiffer(step: 8, disagreement).description
        == "step 8: rank 1 on node-b holds other parameters than the 2 other ranks, first of all 'u_init.weight'; "
        + "memory, processor or network of a host corrupts data: test them, and go on from the last checkpoint without "
        + "that host")
  }

  @Test func whatCannotBeResumedIsNamed() {
    #expect(
      TrainingError.nothingToResume(path: "elsewhere", exists: true).description
        == "elsewhere holds no valid checkpoint to resume from; give the folder of a checkpoint or of a run, or pass "
        + "--resume auto")
    #expect(
      TrainingError.nothingToResume(path: "elsewhere", exists: false).description
        == "elsewhere: no such file or folder; give the folder of a checkpoint or of a run, or pass --resume auto")
    #expect(
      TrainingError.wouldOverwrite(runFolder: "run", steps: 40).description
        == "run already holds a run of 40 steps; pass --resume auto to go on with it, or give another --run-dir")
    #expect(
      TrainingError.dataChanged(checkpoint: "run", expected: "1a", found: "2b", files: ["x was 1, now it is 2"])
        .description
        == "run was trained on images with checksum 1a, those now given have 2b; x was 1, now it is 2; give the same data, "
        + "train in another folder, or pass --allow-changes")
  }
}
