import Checkpoints
import Foundation
import Testing

/// What the program says of run folders and checkpoints that it cannot, or only partly, go on with.
struct ResumeCommandLineTests {
  private func train(_ folder: TemporaryFolder, _ arguments: [String] = []) throws -> Invocation {
    try Invocation.lmconv(SmallRun.train + arguments, in: folder.path)
  }

  /// The newest checkpoint's folder.
  private func newest(_ folder: TemporaryFolder) -> String { folder.path + "/run/checkpoints/step-00000004" }

  // MARK: The run's folder

  @Test func aFileInPlaceOfTheRunFolderIsTold() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    try folder.write("", to: "run")
    let run = try train(folder)
    #expect(run.errors == "lmconv: error: run folder run cannot be made: File exists\n")
    #expect(run.exitCode == 1)
  }

  @Test func aFileInPlaceOfAFolderAboveIsTold() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    try folder.write("", to: "runs")
    let run = try Invocation.lmconv(["train", "--config", "small.yaml"], in: folder.path)
    #expect(run.errors == "lmconv: error: run folder runs/small cannot be made: Not a directory\n")
    #expect(run.exitCode == 1)
  }

  @Test func anotherProcessInTheRunFolderIsNamed() throws {
    let folder = try SmallRun.trained()
    try withExtendedLifetime(RunLock(runFolder: folder.path + "/run")) {
      let run = try train(folder)
      let process = ProcessInfo.processInfo.processIdentifier
      #expect(
        run.errors.hasPrefix("lmconv: error: run folder run is in use by process \(process) on "),
        "\(run.errors)")
      #expect(run.errors.hasSuffix("; wait for it, stop it, or choose another run folder\n"))
      #expect(run.exitCode == 1)
    }
  }

  // MARK: --resume

  @Test func aCompleteRunIsLeftAsItIs() throws {
    let folder = try SmallRun.trained()
    let run = try train(folder)
    #expect(run.errors.contains("the run is complete: 4 of 4 steps are done\n"))
    #expect(run.exitCode == 0)
    #expect(try folder.names(in: "run/checkpoints") == ["step-00000002", "step-00000004"])
  }

  @Test func aNewRunDoesNotTakeThePlaceOfAnother() throws {
    let folder = try SmallRun.trained()
    let run = try train(folder, ["--resume", "never"])
    #expect(
      run.errors
        == "lmconv: error: run already holds a run of 4 steps; pass --resume auto to go on with it, or give another "
        + "--run-dir\n")
    #expect(run.exitCode == 64)
  }

  @Test func aPathToResumeFromThatIsNotThereIsTold() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let run = try train(folder, ["--resume", "runs/old"])
    #expect(
      run.errors
        == "lmconv: error: runs/old: no such file or folder; give the folder of a checkpoint or of a run, or pass "
        + "--resume auto\n")
    #expect(run.exitCode == 64)
  }

  @Test func aFolderWithoutCheckpointIsNotResumedFrom() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let run = try train(folder, ["--resume", "data"])
    #expect(
      run.errors
        == "lmconv: error: data: not a checkpoint: it has no state.json; name a run folder, one of its "
        + "checkpoints/step-XXXXXXXX, or a .safetensors file\n")
    #expect(run.exitCode == 1)
  }

  @Test func aRunWhoseCheckpointsAreAllDamagedIsNotResumedFrom() throws {
    let folder = try SmallRun.trained()
    for step in ["step-00000002", "step-00000004"] {
      try Damage.flipLastBit("\(folder.path)/run/checkpoints/\(step)/model.safetensors")
    }
    let run = try Invocation.lmconv(
      ["train", "--config", "small.yaml", "--run-dir", "other", "--resume", "run"], in: folder.path)
    #expect(run.errors.contains("warning: passed over: checkpoint run/checkpoints/step-00000004 is damaged: "))
    #expect(run.errors.contains("warning: passed over: checkpoint run/checkpoints/step-00000002 is damaged: "))
    #expect(run.errors.contains("lmconv: error: run holds no valid checkpoint to resume from; give the folder of "))
    #expect(run.exitCode == 64)
  }

  @Test func aCheckpointIsResumedFromInAnotherFolder() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      [
        "train", "--config", "small.yaml", "--run-dir", "other", "--resume", "run/checkpoints/step-00000002",
      ], in: folder.path)
    #expect(run.errors.contains("going on from step 2: "), "\(run.errors)")
    #expect(run.exitCode == 0)
    #expect(try folder.names(in: "other/checkpoints") == ["step-00000004"])
  }

  // MARK: Damage

  @Test func aTruncatedCheckpointIsNamedAndTheOneBeforeUsed() throws {
    let folder = try SmallRun.trained()
    let file = newest(folder) + "/optimizer.safetensors"
    let size = try Data(contentsOf: URL(fileURLWithPath: file)).count
    try Damage.truncate(file, to: 1000)
    let run = try train(folder)
    #expect(
      run.errors.contains(
        "warning: passed over: checkpoint run/checkpoints/step-00000004 is damaged: optimizer.safetensors has 1000 "
          + "bytes, \(size) were written\n"), "\(run.errors)")
    #expect(run.errors.contains("going on from step 2: "))
    #expect(run.exitCode == 0)
    // The damaged one is not lost, and the new one took its place.
    #expect(
      try folder.names(in: "run/checkpoints") == ["step-00000002", "step-00000004", "step-00000004.set-aside-1"])
  }

  @Test func aFlippedBitIsNamedAndTheCheckpointBeforeUsed() throws {
    let folder = try SmallRun.trained()
    try Damage.flipLastBit(newest(folder) + "/model.safetensors")
    let run = try train(folder)
    // The last tensor in the order of names.
    #expect(
      run.errors.firstMatch(
        of:
          #/warning: passed over: checkpoint run/checkpoints/step-00000004 is damaged: '[a-z_0-9.]+' in model\.safetensors has checksum [0-9a-f]{8}, [0-9a-f]{8} was written\n/#
      ) != nil, "\(run.errors)")
    #expect(run.errors.contains("going on from step 2: "))
    #expect(run.exitCode == 0)
  }

  @Test func aFolderThatOnlyLooksLikeACheckpointIsNamedAndTheOneBeforeUsed() throws {
    let folder = try SmallRun.trained()
    try Data("{}".utf8).write(to: URL(fileURLWithPath: newest(folder) + "/state.json"))
    let run = try train(folder)
    #expect(
      run.errors.contains(
        "warning: passed over: checkpoint run/checkpoints/step-00000004 is damaged: state.json: no checksum in 2 bytes\n"
      ), "\(run.errors)")
    #expect(run.errors.contains("going on from step 2: "))
    #expect(run.exitCode == 0)
  }

  // MARK: Changes

  @Test func aChangedConfigurationIsRefusedByNamingItsKeys() throws {
    let folder = try SmallRun.trained()
    let run = try train(folder, ["--set", "training.steps=6", "--set", "model.dropout=0.5"])
    #expect(
      run.errors == """
        lmconv: error: run/checkpoints/step-00000004 was trained with another configuration:
          model.dropout: 0 -> 0.5
          training.steps: 4 -> 6
        restore these keys, train in another folder, or pass --allow-changes to go on with the new values

        """)
    #expect(run.exitCode == 64)
  }

  @Test func aChangedConfigurationIsTakenWhenAllowed() throws {
    let folder = try SmallRun.trained()
    let run = try train(folder, ["--set", "training.steps=6", "--allow-changes"])
    #expect(run.errors.contains("warning: changed since the checkpoint: training.steps: 4 -> 6\n"), "\(run.errors)")
    #expect(run.errors.contains("going on from step 4: "))
    #expect(run.exitCode == 0)
    #expect(try folder.names(in: "run/checkpoints").contains("step-00000006"))
  }

  @Test func keysThatDoNotDefineTheResultMayChange() throws {
    let folder = try SmallRun.trained()
    let run = try train(folder, ["--set", "evaluation.images=2", "--set", "run.log_every_steps=1"])
    #expect(run.exitCode == 0, "\(run.errors)")
  }

  @Test func aCheckpointOfAnotherNetworkIsToldTensorByTensor() throws {
    let folder = try SmallRun.trained()
    let run = try train(folder, ["--set", "model.filters=8", "--allow-changes"])
    #expect(
      run.errors.contains(
        "lmconv: error: checkpoint run/checkpoints/step-00000004/model.safetensors: 'u_init.weight' is [4, 2, 3, 3], "
          + "this model needs [8, 2, 3, 3]; "), "\(run.errors)")
    #expect(run.exitCode == 1)
  }

  @Test func otherTrainingImagesAreRefused() throws {
    let folder = try SmallRun.trained()
    try Damage.flipLastBit(folder.path + "/data/train-images-idx3-ubyte")
    let run = try train(folder)
    #expect(
      run.errors.firstMatch(
        of:
          #/error: run/checkpoints/step-00000004 was trained on images with checksum \d+, those now given have \d+; train-images-idx3-ubyte was 1552 bytes with checksum [0-9a-f]{8}, now it is 1552 bytes with checksum [0-9a-f]{8}; give /#
      ) != nil, "\(run.errors)")
    #expect(run.exitCode == 1)
    let allowed = try train(folder, ["--allow-changes"])
    #expect(allowed.errors.contains("warning: the training images are not those of the checkpoint\n"))
    #expect(allowed.exitCode == 0)
  }
}
