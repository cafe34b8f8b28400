/// What a rank does together with others; named in errors.
public enum CollectiveOperation: Sendable, Equatable, CustomStringConvertible {
  /// Finding the other ranks.
  case connect
  /// Waiting until all have come.
  case barrier
  /// Sending bytes of `root` to all.
  case broadcast(root: Int)
  /// Sending everyone's part to all.
  case allGather
  /// Agreeing on the largest of everyone's values.
  case maximum
  /// Sending floats to one rank.
  case send(to: Int)
  /// Receiving floats from one rank.
  case receive(from: Int)
  /// Leaving together.
  case finalize
  /// Ending all ranks because of an error.
  case abort

  /// The operation in words.
  public var description: String {
    switch self {
    case .connect: return "connect"
    case .barrier: return "barrier"
    case .broadcast(let root): return "broadcast from rank \(root)"
    case .allGather: return "all-gather"
    case .maximum: return "maximum over the ranks"
    case .send(let peer): return "send to rank \(peer)"
    case .receive(let peer): return "receive from rank \(peer)"
    case .finalize: return "finalize"
    case .abort: return "abort"
    }
  }

  /// The one rank that it waits for, if it is one.
  var peer: Int? {
    switch self {
    case .broadcast(let peer), .send(let peer), .receive(let peer): return peer
    default: return nil
    }
  }

  /// As heartbeats have it; kind 0 stands for none.
  var code: (kind: Int, operand: Int) {
    switch self {
    case .connect: return (1, 0)
    case .barrier: return (2, 0)
    case .broadcast(let root): return (3, root)
    case .allGather: return (4, 0)
    case .maximum: return (5, 0)
    case .send(let peer): return (6, peer)
    case .receive(let peer): return (7, peer)
    case .finalize: return (8, 0)
    case .abort: return (9, 0)
    }
  }

  init?(code kind: Int, operand: Int) {
    switch kind {
    case 1: self = .connect
    case 2: self = .barrier
    case 3: self = .broadcast(root: operand)
    case 4: self = .allGather
    case 5: self = .maximum
    case 6: self = .send(to: operand)
    case 7: self = .receive(from: operand)
    case 8: self = .finalize
    case 9: self = .abort
    default: return nil
    }
  }
}

/// A rank as messages name it.
package struct RankName: Sendable, Equatable, CustomStringConvertible {
  package let rank: Int
  package let host: String
  package let process: Int32

  package init(rank: Int, host: String, process: Int32) {
    self.rank = rank
    self.host = host
    self.process = process
  }

  package var description: String { "rank \(rank) (\(host), pid \(process))" }
}

/// A rank that others wait for in vain.
public struct SilentRank: Sendable, Equatable, CustomStringConvertible {
  /// Its number.
  public let rank: Int
  /// The name of its host.
  public let host: String

  /// Rank `rank` on `host`.
  public init(rank: Int, host: String) {
    self.rank = rank
    self.host = host
  }

  /// Rank and host.
  public var description: String { "rank \(rank) on \(host)" }
}

/// Why ranks cannot work together. After one of these a rank can only `abort`: what the others did is unknown.
public enum CollectiveError: Error, Equatable, CustomStringConvertible {
  /// Not complete after `seconds`, in a job without heartbeats. `silentRanks` did not answer a roll call; none when all are
  /// there and wait.
  case timedOut(operation: CollectiveOperation, step: Int?, seconds: Double, silentRanks: [SilentRank])
  /// MPI refused; `text` is its own explanation.
  case refused(operation: CollectiveOperation, step: Int?, code: Int, text: String)
  /// The MPI library does not allow calls from more than one thread, not even one at a time.
  case withoutThreads(provided: Int)
  /// The launcher announced another number of ranks than MPI finds: it belongs to another MPI library.
  case foreignLauncher(announced: Int, found: Int)
  /// Slurm started several tasks without connecting them by MPI.
  case launcherWithoutMPI(tasks: Int)

  /// What happened, where, what to do.
  public var description: String {
    switch self {
    case .timedOut(let operation, let step, let seconds, let silentRanks):
      let what = "\(operation)\(Self.place(step)): not complete after \(Self.text(seconds)) s"
      guard !silentRanks.isEmpty else {
        return
          "\(what), although all ranks answer: the network is too slow for the timeout, or a defect of this program "
          + "makes them wait for different things"
      }
      let names = silentRanks.map(\.description).joined(separator: ", ")
      return "\(what); no answer from \(names): dead, stopped, unreachable, or slower than the timeout allows"
    case .refused(let operation, let step, let code, let text):
      return "\(operation)\(Self.place(step)): MPI error \(code): \(text)"
    case .withoutThreads(let provided):
      return "connect: this MPI library offers thread level \(provided), MPI_THREAD_SERIALIZED is needed; "
        + "use a build of Open MPI with thread support"
    case .foreignLauncher(let announced, let found):
      return "connect: the launcher started \(announced) ranks, MPI finds \(found); "
        + "start with the mpirun of the Open MPI that this program is linked to"
    case .launcherWithoutMPI(let tasks):
      return "connect: srun started \(tasks) tasks that do not know each other; "
        + "use srun --mpi=pmix, or mpirun inside the allocation"
    }
  }

  static func place(_ step: Int?) -> String { step.map { " at step \($0)" } ?? "" }

  static func text(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
  }
}
