import Foundation
import TestSupport
import Testing

extension Faults {
  /// What `launch.sh` does about failures that starting again cannot mend, and about hosts that are not there.
  @Suite struct LauncherTests {
    @Test func aPoisonedStepIsNotTriedForEver() throws {
      let trial = Trial.binary(steps: 40, ["training.learning_rate=1e30", "training.clip_norm=0"])
      let workplace = try trial.workplace()
      try workplace.writeProject(configuration: trial)
      let job = try workplace.start(
        shell: "project/launch.sh train --config run.yaml --run-dir run --ranks 2 --restarts 9 --restart-delay 0")
      #expect(try job.waitForEnd(within: 60) == .exited(1), "\(job.errors)")
      let found = try #require(
        job.errors.firstMatch(of: /giving up: step (\d+) failed twice for the same reason\n/)?.output.1, "\(job.errors)"
      )
      let attempt = "attempt 2, step \(found): rank "
      #expect(job.errors.contains(attempt) && !job.errors.contains("attempt 3"), "\(job.errors)")
      #expect(job.session.members(leftAfter: 5).isEmpty)
      FaultReport(
        fault: "a learning rate of 1e30, 9 restarts", noticedSeconds: job.seconds,
        said: "giving up: step \(found) failed twice for the same reason"
      ).show()
    }

    @Test(.enabled(if: geteuid() == 0, "making network namespaces needs root"))
    func aHostThatIsNotThereIsLeftOut() throws {
      let trial = Trial.binary(steps: 40)
      let workplace = try trial.workplace()
      try workplace.writeProject(configuration: trial)
      let expected = try FinishedRun(trial)
      let simulate = "\(Fixtures.packageRoot)/cluster/simulate.sh 3 sh -c"
      let prepare = "cp $HOSTFILE hosts && echo 10.213.97.99 slots=1 >>hosts"
      let launch = "project/launch.sh train --config run.yaml --run-dir run --hosts hosts"
      let reason = "host 10.213.97.99: cannot be reached: ssh: connect to host 10.213.97.99 port 2222: No route to host"

      let refused = try workplace.start(shell: "\(simulate) '\(prepare) && exec \(launch)'")
      #expect(try refused.waitForEnd(within: 60) == .exited(69), "\(refused.errors)")
      #expect(refused.errors.contains(reason), "\(refused.errors)")
      #expect(refused.errors.contains("1 of 4 hosts are not fit"), "\(refused.errors)")

      let job = try workplace.start(shell: "\(simulate) '\(prepare) && exec \(launch) --drop-dead-hosts'")
      #expect(try job.waitForEnd(within: 120) == .exited(0), "\(job.errors)")
      #expect(job.errors.contains("going on without 10.213.97.99"), "\(job.errors)")
      #expect(job.errors.contains("ranks: 3, "), "\(job.errors)")
      let run = RunFiles(path: workplace.path + "/run")
      let isEqual = try run.weights(step: trial.steps).tensors == expected.weights.tensors
      FaultReport(
        fault: "one of four hosts is not there", noticedSeconds: refused.seconds, said: reason, weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
    }
  }
}
