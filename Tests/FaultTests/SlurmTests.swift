import Foundation
import TestSupport
import Testing

extension Faults {
  /// `cluster/slurm.sbatch` under a real Slurm, of `cluster/simulate-slurm.sh`: whatever ends the job early, it saves, goes
  /// back to the queue and ends with the weights of a run that nothing disturbs.
  @Suite(.enabled(if: canSimulateSlurm, "needs root, and Debian's slurm-wlm and munge"))
  struct SlurmTests {
    /// What ends a job early, and how it goes on.
    struct Disturbance: Sendable, CustomTestStringConvertible {
      let testDescription: String
      /// Options of sbatch.
      var options = ""
      /// Commands for a shell, in which `$id` is the job.
      var commands = ""
      /// Whether the job goes back to the queue by itself.
      var isRequeued = true
      var steps = 400
      /// Slurm's exit code of the job that is not requeued.
      var exitCode = "0:0"
    }

    static let disturbances = [
      Disturbance(testDescription: "nothing", isRequeued: false),
      Disturbance(
        testDescription: "preemption by an urgent job",
        commands: "sbatch --quiet --partition urgent --nodes 2 --ntasks-per-node 2 --output /dev/null --wrap 'sleep 2'"),
      Disturbance(
        testDescription: "SIGUSR1 to the batch script, as before the time limit",
        commands: "scancel --batch --signal=USR1 $id"),
      Disturbance(testDescription: "SIGUSR2 to every process", commands: "scancel --full --signal=USR2 $id"),
      Disturbance(
        testDescription: "SIGTERM to the ranks of other nodes and their daemon",
        commands: "scancel --signal=TERM $id", isRequeued: false, exitCode: "75:0"),
      Disturbance(
        testDescription: "SIGTERM to every process", commands: "scancel --full --signal=TERM $id", isRequeued: false,
        exitCode: "75:0"),
      Disturbance(testDescription: "scancel", commands: "scancel $id", isRequeued: false, exitCode: "75:0"),
      Disturbance(
        testDescription: "the time limit", options: "--time 1 --signal B:USR1@30", steps: 4000),
    ]

    @Test(arguments: disturbances)
    func theJobGoesOnToTheSameWeights(_ disturbance: Disturbance) throws {
      let trial = Trial.binary(steps: disturbance.steps)
      let workplace = try trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      try workplace.writeProject(configuration: trial)
      try workplace.run(
        ranks: nil, ["train", "--config", "run.yaml", "--run-dir", "undisturbed"], within: 600)
      let expected = try RunFiles(path: workplace.path + "/undisturbed").weights(step: trial.steps)

      let root = Fixtures.packageRoot
      try script(disturbance).write(toFile: workplace.path + "/case.sh", atomically: true, encoding: .utf8)
      let job = try workplace.start(shell: "\(root)/cluster/simulate-slurm.sh bash case.sh")
      let ending = try job.waitForEnd(within: 300)
      let log = String(decoding: try workplace.contents("job.log"), as: UTF8.self)
      #expect(ending == .exited(0), "\(job.output)\(job.errors)\n\(log)")
      #expect(job.session.members(leftAfter: 5).isEmpty)
      func value(_ key: String) -> String? {
        job.output.split(separator: "\n").last { $0.hasPrefix(key + " ") }.map { String($0.dropFirst(key.count + 1)) }
      }

      let said = log.split(separator: "\n").last { $0.contains("stopped after step ") }.map(String.init)
      if disturbance.isRequeued {
        #expect(log.contains("slurm.sbatch: the run is saved; back to the queue"), "\(log)")
        #expect(try #require(Int(value("restarts") ?? "")) >= 1, "\(job.output)")
        #expect(value("end") == "COMPLETED 0:0", "\(job.output)\n\(log)")
      } else {
        let state = ["nothing": "COMPLETED", "scancel": "CANCELLED"][disturbance.testDescription] ?? "FAILED"
        #expect(value("end") == "\(state) \(disturbance.exitCode)", "\(job.output)\n\(log)")
      }
      #expect((said == nil) == (disturbance.testDescription == "nothing"), "\(log)")
      // No attempt has failed: the request was heard once, by all.
      #expect(!log.contains("the job ended with code"), "\(log)")

      // What was stopped for good goes on by hand, without Slurm.
      if disturbance.exitCode != "0:0" {
        try workplace.run(ranks: 2, ["train", "--config", "run.yaml", "--run-dir", "run"])
      }
      let isEqual = try run.weights(step: trial.steps) == expected
      FaultReport(
        fault: "Slurm: \(disturbance.testDescription), \(try run.starts().count - 1) times gone on",
        noticedSeconds: disturbance.commands.isEmpty ? nil : value("seconds").flatMap { Double($0) }, said: said,
        weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
    }

    /// Prints `seconds` from the disturbance to the end of the attempt, `restarts`, and `end` with state and exit code.
    private func script(_ disturbance: Disturbance) -> String {
      """
      set -eu
      here=$PWD
      export CONFIG=$here/run.yaml RUN_DIR=$here/run
      cd project
      id=$(sbatch --parsable --nodes 2 --ntasks-per-node 2 --output "$here/job.log" \(disturbance.options) \
      cluster/slurm.sbatch)
      # value KEY: of the job, as Slurm has it.
      value() { scontrol --oneliner show job "$id" | tr ' ' '\\n' | sed -n "s/^$1=//p"; }
      # Only what is final: a busy controller may not answer.
      ended() { case $(value JobState) in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL) ;; *) return 1 ;; esac; }
      step=0
      for _ in $(seq 600); do
        read -r step 2>/dev/null <"$RUN_DIR/step.txt" || step=0
        if [ "$step" -ge 5 ]; then break; fi
        sleep 0.05
      done
      start=$(date +%s.%N)
      \(disturbance.commands)
      for _ in $(seq 1200); do
        if ended || [ "$(value Restarts)" -gt 0 ]; then break; fi
        sleep 0.05
      done
      echo "seconds $(echo "$(date +%s.%N) $start" | awk '{ print $1 - $2 }')"
      for _ in $(seq 800); do
        if ended; then break; fi
        # Slurm holds back a job that was requeued for two minutes. A node takes it back one second after it ended there.
        if [ "$(value JobState)" = PENDING ]; then
          sleep 2
          scontrol update JobId="$id" StartTime=now 2>/dev/null || true
        fi
        sleep 0.2
      done
      echo "restarts $(value Restarts)"
      echo "end $(value JobState) $(value ExitCode)"
      """
    }
  }
}

private let canSimulateSlurm =
  geteuid() == 0
  && ["slurmctld", "slurmd", "munged"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/sbin/" + $0) }
