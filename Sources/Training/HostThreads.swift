import Collectives
import Foundation

/// How many threads a rank may use.
public enum HostThreads {
  /// Cores of this host.
  public static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Ranks of the job on the host of this one.
  public static func ranksHere(_ communicator: any Communicator) -> Int {
    let host = communicator.hosts[communicator.rank]
    return communicator.hosts.count { $0 == host }
  }

  /// `requested` threads, or, if that is 0, this rank's share of the host's cores.
  public static func count(requested: Int, communicator: any Communicator) -> Int {
    requested > 0 ? requested : max(1, cores / ranksHere(communicator))
  }
}
