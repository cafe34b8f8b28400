import Foundation

/// Finds out whether this process is a rank among others.
public enum World {
  /// Exit code of a rank that ends because others are silent, or because the launcher is gone: EX_PROTOCOL, worth another
  /// try.
  public static let exitCode: Int32 = Watchdog.exitCode

  /// How this process was started.
  package enum Launch: Equatable {
    /// By hand: the only one.
    case alone
    /// By a launcher that speaks to MPI; `announced` ranks, if it says.
    case ranks(announced: Int?)
  }

  /// Connects to the other ranks when a launcher (mpirun, `srun --mpi`) started this process; else a world of one. Call it
  /// once, before any thread that would call MPI.
  ///
  /// - Parameters:
  ///   - environment: the variables by which launchers make themselves known.
  ///   - timeoutSeconds: how long a rank may be silent, now and later.
  ///   - usesHeartbeat: whether ranks tell each other all the time that they are alive.
  /// - Throws: when the launcher and MPI do not fit together, or ranks do not come in time. Where MPI itself blocks for
  ///   longer, the process says so and ends with `exitCode`.
  public static func connect(
    environment: [String: String] = ProcessInfo.processInfo.environment, timeoutSeconds: Double = 60,
    usesHeartbeat: Bool = true
  ) throws(CollectiveError) -> any Communicator {
    switch try launch(in: environment) {
    case .alone: return SingleProcessCommunicator(timeoutSeconds: timeoutSeconds)
    case .ranks(let announced):
      return try MPICommunicator(
        announced: announced, timeoutSeconds: timeoutSeconds, usesHeartbeat: usesHeartbeat)
    }
  }

  /// Reads the launcher's variables. Slurm's own come last: inside an allocation mpirun sets both.
  package static func launch(in environment: [String: String]) throws(CollectiveError) -> Launch {
    if let size = environment["OMPI_COMM_WORLD_SIZE"] ?? environment["PMI_SIZE"] { return .ranks(announced: Int(size)) }
    // Set by srun for its tasks only, not for a batch script.
    let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap { Int($0) }
    if environment["PMIX_RANK"] != nil { return .ranks(announced: tasks) }
    if let tasks, tasks > 1 { throw .launcherWithoutMPI(tasks: tasks) }
    return .alone
  }
}
