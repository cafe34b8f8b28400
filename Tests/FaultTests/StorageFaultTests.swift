import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

extension Faults {
  /// Disks that are full, read-only or slow, folders that vanish, and files that change, under the program itself.
  @Suite struct StorageFaultTests {
    private static let trial = Trial.binary(
      steps: 60, ["checkpoint.every_steps=5", "checkpoint.keep_last=4", "run.timeout_seconds=3"])
    private static let undisturbed = Result { try FinishedRun(trial) }

    private func disturbedRun() throws -> DisturbedRun {
      try DisturbedRun(Self.trial, expected: try Self.undisturbed.get())
    }

    /// Waits for the end, which is an error, and tells of it.
    private func expectError(
      _ message: String, of job: RunningJob, since before: Double, _ run: DisturbedRun, fault: String
    ) throws {
      let ending = try job.waitForEnd(within: 60)
      let noticed = job.seconds - before
      #expect(ending == .exited(1), "\(ending): \(job.errors)")
      #expect(job.errors.contains(message), "\(job.errors)")
      #expect(noticed < 15)
      #expect(job.session.members(leftAfter: 5).isEmpty)
      report(fault, noticed, said: said(message, by: job), nil)
    }

    private func said(_ message: String, by job: RunningJob) -> String {
      job.errors.split(separator: "\n").first { $0.contains(message) }.map(String.init) ?? ""
    }

    private func report(_ fault: String, _ seconds: Double?, said: String?, _ isEqual: Bool?) {
      FaultReport(fault: fault, noticedSeconds: seconds, said: said, weightsAreEqual: isEqual).show()
    }

    // MARK: Full, read-only and slow

    @Test(arguments: [nil, 2]) func aFullDiskEndsTheRunAndLosesNothing(ranks: Int?) throws {
      let run = try disturbedRun()
      let disk = try MemoryDisk(at: run.files.path, kilobytes: 640)
      defer { disk.unmount() }
      let job = try run.start(ranks: ranks)
      let ending = try job.waitForEnd()
      #expect(ending == .exited(1), "\(ending): \(job.errors)")
      #expect(job.errors.contains(": No space left on device"), "\(job.errors)")
      #expect(try CheckpointStore(runFolder: run.files.path).latestValid().checkpoint != nil)
      try disk.remount("size=64m")
      let isEqual = try run.finish(ranks: 3)
      #expect(isEqual)
      report(
        "a disk of 640 kB became full, \(ranks ?? 1) ranks; went on when it was larger", nil,
        said: said("No space left on device", by: job), isEqual)
    }

    @Test func aFileSystemThatBecomesReadOnlyEndsTheRun() throws {
      let run = try disturbedRun()
      let job = try run.start(ranks: 2)
      try job.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      let folder = run.files.path + "/checkpoints"
      let before = job.seconds
      try MemoryDisk.mount(["--bind", folder, folder])
      defer { MemoryDisk.unmount(folder) }
      try MemoryDisk.makeReadOnly(folder)
      try expectError(
        ": cannot create: Read-only file system", of: job, since: before, run, fault: "checkpoints/ became read-only")
      MemoryDisk.unmount(folder)
      let isEqual = try run.finish(ranks: nil)
      report("checkpoints/ became writable again", nil, said: nil, isEqual)
      #expect(isEqual)
    }

    @Test func aRunDoesNotStartOnAReadOnlyFileSystem() throws {
      let run = try disturbedRun()
      let disk = try MemoryDisk(at: run.files.path, kilobytes: 640)
      defer { disk.unmount() }
      try disk.remount("ro")
      let job = try run.start(ranks: nil)
      #expect(try job.waitForEnd() == .exited(1))
      #expect(
        job.errors.hasPrefix("lmconv: error: run/failure.json cannot be written: Read-only file system\n"),
        "\(job.errors)")
      report("started on a read-only disk", job.seconds, said: FaultReport.lastLine(of: job.errors), nil)
    }

    @Test func aSlowFileSystemIsWaitedFor() throws {
      let run = try disturbedRun()
      let slow = try CSource.library("slow", CSource.slowSynchronization, in: run.workplace)
      // A checkpoint takes longer than the ranks wait for each other.
      let words = Self.trial.arguments().joined(separator: " ")
      let job = try run.workplace.start(
        shell: "exec mpirun --oversubscribe -n 2 env LD_PRELOAD=\(slow) SECONDS_TO_SYNCHRONIZE=1 lmconv \(words)")
      #expect(try job.waitForEnd(within: 240) == .exited(0), "\(job.errors)")
      let isEqual = try run.isAsExpected()
      #expect(isEqual)
      report("every fsync takes 1 s, run.timeout_seconds=3", nil, said: "finished after \(Int(job.seconds)) s", isEqual)
    }

    @Test func aFileSystemThatDoesNotAnswerEndsTheRun() throws {
      let run = try disturbedRun()
      let slow = try CSource.library("slow", CSource.slowSynchronization, in: run.workplace)
      let words = Self.trial.arguments(["checkpoint.timeout_seconds=4"]).joined(separator: " ")
      let job = try run.workplace.start(
        shell: "exec mpirun --oversubscribe -n 2 env LD_PRELOAD=\(slow) SECONDS_TO_SYNCHRONIZE=600 lmconv \(words)")
      try expectError(
        "checkpoint run/checkpoints/step-00000005: not written after 4 s; the file system is too slow or does not answer: "
          + "repair it, or raise checkpoint.timeout_seconds", of: job, since: 0, run, fault: "fsync does not return")
      let isEqual = try run.finish(ranks: nil)
      report("fsync returns again", nil, said: nil, isEqual)
      #expect(isEqual)
    }

    @Test func aClockThatJumpsChangesNothing() throws {
      let run = try disturbedRun()
      let clock = try CSource.library("clock", CSource.jumpingClock, in: run.workplace)
      let words = Self.trial.arguments().joined(separator: " ")
      let job = try run.workplace.start(
        shell: "exec mpirun --oversubscribe -n 2 env LD_PRELOAD=\(clock) lmconv \(words)")
      #expect(try job.waitForEnd(within: 120) == .exited(0), "\(job.errors)")
      let isEqual = try run.isAsExpected()
      #expect(isEqual)
      let days = Set(
        try String(contentsOfFile: run.files.path + "/log.txt", encoding: .utf8).split(separator: "\n")
          .map { $0.prefix(10) })
      // That the clock did jump.
      #expect(days.count > 1, "\(days)")
      report("the clock jumps by days to and fro", nil, said: "log of \(days.count) days", isEqual)
    }

    // MARK: Folders

    @Test(arguments: [nil, 2]) func aRunFolderThatVanishesEndsTheRun(ranks: Int?) throws {
      let run = try disturbedRun()
      let job = try run.start(ranks: ranks)
      try job.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      let before = job.seconds
      try FileManager.default.moveItem(atPath: run.files.path, toPath: run.files.path + "-moved")
      let ending = try job.waitForEnd()
      let noticed = job.seconds - before
      #expect(ending == .exited(1), "\(ending): \(job.errors)")
      #expect(job.errors.contains("run folder run was removed or replaced while the run goes on; "), "\(job.errors)")
      #expect(!FileManager.default.fileExists(atPath: run.files.path))
      try FileManager.default.moveItem(atPath: run.files.path + "-moved", toPath: run.files.path)
      let isEqual = try run.finish(ranks: 2)
      #expect(isEqual)
      report(
        "the run folder was renamed, \(ranks ?? 1) ranks; went on when it was back", noticed,
        said: said("was removed or replaced", by: job), isEqual)
    }

    @Test func aRemovedMetricsFileEndsTheRun() throws {
      let run = try disturbedRun()
      let job = try run.start(ranks: nil)
      try job.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      let before = job.seconds
      try FileManager.default.removeItem(atPath: run.files.path + "/metrics.jsonl")
      try expectError(
        "error: run/metrics.jsonl cannot be written: it was removed while the run goes on", of: job, since: before, run,
        fault: "metrics.jsonl was removed")
    }

    @Test func aSecondRunOnAFolderIsRefusedAndTheFirstGoesOn() throws {
      let run = try disturbedRun()
      let first = try run.start(ranks: 2)
      try first.wait(for: "step 5") { try run.files.lastStep() >= 5 }
      let process = try #require(first.session.ranks[0])
      // Alone it starts at once, before the first is done.
      let second = try run.start(ranks: nil)
      #expect(try second.waitForEnd() == .exited(1))
      #expect(
        second.errors.contains("error: run folder run is in use by process \(process) on "), "\(second.errors)")
      #expect(try first.waitForEnd() == .exited(0), "\(first.errors)")
      let isEqual = try run.isAsExpected()
      #expect(isEqual)
      report(
        "a second run was started on the folder", second.seconds, said: said("is in use by", by: second), isEqual)
    }

    @Test func theLockOfAKilledRunIsTakenOver() throws {
      let run = try disturbedRun()
      let first = try run.start(ranks: nil)
      try first.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      #expect(first.end())
      let second = try run.start(ranks: 2)
      #expect(try second.waitForEnd() == .exited(0))
      let message = "warning: took over run from process \(first.session.id) on "
      #expect(second.errors.contains(message), "\(second.errors)")
      let third = try run.start(ranks: nil)
      #expect(try third.waitForEnd() == .exited(0))
      #expect(!third.errors.contains("took over"), "\(third.errors)")
      let isEqual = try run.isAsExpected()
      #expect(isEqual)
      report("kill -9 of a run, which leaves its lock", nil, said: said(message, by: second), isEqual)
    }

    @Test func aHolderThatWasKilledAndHasNotEndedIsWaitedFor() throws {
      let run = try disturbedRun()
      // Its main thread is gone, another one keeps the lock, as one does that the disk does not let go.
      let program = try CSource.program(
        "holder", CSource.lockHolderWithoutMainThread, in: run.workplace)
      let holder = try run.workplace.start(shell: "mkdir run && exec \(program) run/lock 3")
      try holder.wait(for: "the lock") {
        FileManager.default.contents(atPath: run.files.path + "/lock")?.isEmpty == false
      }
      let job = try run.start(ranks: 2)
      #expect(try job.waitForEnd() == .exited(0), "\(job.errors)")
      let message = "warning: took over run from process \(holder.session.id) on "
      #expect(job.errors.contains(message), "\(job.errors)")
      let isEqual = try run.isAsExpected()
      #expect(isEqual)
      report("a run that was killed keeps its lock for 3 s more", nil, said: said(message, by: job), isEqual)
    }

    // MARK: Changed files

    /// All files of a run's checkpoints, and one checkpoint's bytes as they were.
    @Test func noChangedBitAndNoTruncationIsLoadedSilently() throws {
      let run = try disturbedRun()
      #expect(try run.finish(ranks: nil))
      let store = CheckpointStore(runFolder: run.files.path)
      let steps = try store.list()
      let files = try steps.flatMap { step in
        try FileManager.default.contentsOfDirectory(atPath: store.path(step: step)).sorted()
          .map { (step, "\(store.path(step: step))/\($0)") }
      }
      #expect(steps.count == 4 && files.count == 16)
      var generator = KeyedGenerator(seed: FaultSettings.seed, purpose: .sampling)
      var detected = (flips: 0, truncations: 0)
      let began = ContinuousClock.now
      for trial in 0..<1200 {
        let (step, file) = files[generator.integer(below: files.count)]
        let whole = try Data(contentsOf: URL(fileURLWithPath: file))
        var changed = whole
        let place = generator.integer(below: whole.count)
        let bit = UInt8(1) << UInt8(generator.integer(below: 8))
        if trial < 1000 { changed[place] ^= bit } else { changed = whole.prefix(place) }
        try changed.write(to: URL(fileURLWithPath: file))
        let isSound = try CheckpointAudit.audits(of: store.path(step: step)).allSatisfy(\.isSound)
        let selection = Result { try store.latestValid(notAfter: step) }
        try whole.write(to: URL(fileURLWithPath: file))
        #expect(!isSound, "seed \(FaultSettings.seed), \(trial): \(file)")
        // Passed over for the one before, or refused; a changed bit must not turn it into a newer format silently.
        let used: Int? =
          switch selection {
          case .success(let selection): selection.checkpoint?.step
          case .failure: nil
          }
        #expect(used != step, "seed \(FaultSettings.seed), \(trial): \(file)")
        guard !isSound && used != step else { continue }
        if trial < 1000 { detected.flips += 1 } else { detected.truncations += 1 }
      }
      let seconds = began.duration(to: .now) / .seconds(1)
      report(
        "1000 flipped bits and 200 truncations over \(files.count) files, seed \(FaultSettings.seed)", seconds,
        said: "\(detected.flips) flips and \(detected.truncations) truncations detected",
        nil)
      #expect(detected == (1000, 200))
    }

    @Test(arguments: ["model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json"])
    func aChangedCheckpointIsPassedOverByTheProgram(file: String) throws {
      let run = try disturbedRun()
      let job = try run.start(ranks: 2)
      try job.wait(for: "step 22") { try run.files.lastStep() >= 22 }
      #expect(job.end())
      let store = CheckpointStore(runFolder: run.files.path)
      let step = try #require(try store.list().last)
      let path = "\(store.path(step: step))/\(file)"
      var data = try Data(contentsOf: URL(fileURLWithPath: path))
      data[data.count / 2] ^= 1
      try data.write(to: URL(fileURLWithPath: path))
      let verified = try run.workplace.start(ranks: nil, ["verify", "run"])
      #expect(try verified.waitForEnd() == .exited(1))
      #expect(verified.output.contains("NOT SOUND"))
      let next = try run.start(ranks: 3)
      #expect(try next.waitForEnd() == .exited(0), "\(next.errors)")
      let message =
        "warning: passed over: checkpoint run/checkpoints/step-000000\(step < 10 ? "0" : "")\(step) is damaged: "
      #expect(next.errors.contains(message), "\(next.errors)")
      let isEqual = try run.isAsExpected()
      #expect(isEqual)
      report("a bit of the newest \(file) was flipped", nil, said: said(message, by: next), isEqual)
    }

    @Test func aNewerFormatIsRefusedByName() throws {
      let run = try disturbedRun()
      #expect(try run.finish(ranks: nil))
      let path = CheckpointStore(runFolder: run.files.path).path(step: 60)
      let state = path + "/state.json"
      let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: state)), as: UTF8.self)
        .replacing("\"formatVersion\" : 1", with: "\"formatVersion\" : 7")
      try CheckpointRecord.sealed(Data(text.utf8), path: path).write(to: URL(fileURLWithPath: state))
      let job = try run.start(ranks: nil)
      #expect(try job.waitForEnd() == .exited(1))
      let message =
        "checkpoint run/checkpoints/step-00000060: written in format 7, this program reads formats up to 1; use a newer "
        + "program or an older checkpoint"
      #expect(job.errors.contains(message), "\(job.errors)")
      report("a checkpoint of format 7", job.seconds, said: said(message, by: job), nil)
    }

    /// What is done to the data files between start and resumption, and what is said.
    private static let dataFaults: [(name: String, file: String, message: String, change: @Sendable (Data) -> Data)] = [
      ("truncated", "train-images-idx3-ubyte", ": truncated, ", { $0.dropLast(7) }),
      ("of zero length", "train-images-idx3-ubyte", ": truncated, 0 bytes, expected 16", { _ in Data() }),
      (
        "of another kind", "train-images-idx3-ubyte", ": magic number 0x00000801, expected 0x00000803",
        { Data([0, 0, 8, 1]) + $0.dropFirst(4) }
      ),
      (
        "labelled wrongly", "train-labels-idx1-ubyte", ": label 77 of image ", { $0.dropLast() + Data([77]) }
      ),
      (
        "short of labels", "train-labels-idx1-ubyte", " labels, expected ",
        { data in
          var shorter = Data(data.dropLast())
          shorter[7] -= 1
          return shorter
        }
      ),
      (
        "changed by a bit", "train-images-idx3-ubyte", "; train-images-idx3-ubyte was ",
        { data in
          var changed = data
          changed[data.count / 2] ^= 1
          return changed
        }
      ),
      (
        "damaged in the test images", "t10k-images-idx3-ubyte", ": truncated, ", { $0.dropLast(1) }
      ),
    ]

    @Test(arguments: Self.dataFaults.map(\.name))
    func dataThatChangedSinceTheStartIsNamed(name: String) throws {
      let fault = try #require(Self.dataFaults.first { $0.name == name })
      let run = try disturbedRun()
      let first = try run.start(ranks: 2)
      try first.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      #expect(first.end())
      let file = URL(fileURLWithPath: "\(run.workplace.path)/images/\(fault.file)")
      let whole = try Data(contentsOf: file)
      try fault.change(whole).write(to: file)
      let job = try run.start(ranks: nil)
      let ending = try job.waitForEnd()
      #expect(ending == .exited(1) || ending == .exited(64), "\(ending)")
      #expect(job.errors.contains(fault.message) && job.errors.contains(fault.file), "\(job.errors)")
      try whole.write(to: file)
      let isEqual = try run.finish(ranks: 2)
      #expect(isEqual)
      report(
        "\(fault.file) is \(name) when the run goes on", job.seconds, said: FaultReport.lastLine(of: job.errors),
        isEqual)
    }
  }
}
