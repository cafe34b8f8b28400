import Configuration
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

  @Test func aDivergedStepNamesItsWorstMicrobatches() {
    let error = TrainingError.diverged(step: 12, norm: .nan, slots: [(slot: 4, order: "s_curve/2", nats: .infinity)])
    #expect(
      error.description == """
        step 12: the gradient's norm is nan; the parameters were not updated
          microbatch 4, order s_curve/2: inf nats
        lower training.learning_rate or training.clip_norm, and resume from the last checkpoint
        """)
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
      TrainingError.dataChanged(checkpoint: "run", expected: "1a", found: "2b").description
        == "run was trained on images with checksum 1a, those now given have 2b; give the same data, train in another "
        + "folder, or pass --allow-changes")
  }
}
