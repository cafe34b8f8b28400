import COpenMPI

/// Finds out which ranks are silent. A rank whose wait has timed out calls; every rank that is in a wait itself answers.
/// Those who do not are dead, stopped, cut off, or still busy with something else.
///
/// It has a communicator of its own, so that calls never meet other messages. They are empty and sent at once; that a
/// message to a dead rank stays pending does no harm, since the job is about to end.
struct RollCall {
  /// Seconds to wait for answers.
  static let patienceSeconds = 3.0

  private enum Tag {
    static let call: Int32 = 1
    static let answer: Int32 = 2
  }

  let world: MPI_Comm
  let rank: Int
  let size: Int

  /// Answers whoever calls, without waiting. Returns the rank that was heard, if any, be it a call or an answer.
  @discardableResult
  func listen() -> Int? {
    var status = MPI_Status()
    var found: Int32 = 0
    // Faults of MPI are no news here: a rank that cannot be reached is silent.
    guard
      MPI_Iprobe(lmconv_mpi_any_source(), lmconv_mpi_any_tag(), world, &found, &status) == lmconv_mpi_success(),
      found != 0,
      MPI_Recv(nil, 0, lmconv_mpi_byte(), status.MPI_SOURCE, status.MPI_TAG, world, lmconv_mpi_status_ignore())
        == lmconv_mpi_success()
    else { return nil }
    if status.MPI_TAG == Tag.call { send(Tag.answer, to: status.MPI_SOURCE) }
    return Int(status.MPI_SOURCE)
  }

  /// Calls all other ranks and returns those that do not answer within `patienceSeconds`.
  func silentRanks() -> [Int] {
    var silent = Set(0..<size)
    silent.remove(rank)
    for peer in silent { send(Tag.call, to: Int32(peer)) }
    var patience = PollingWait()
    while !silent.isEmpty && patience.seconds < Self.patienceSeconds {
      if let heard = listen() { silent.remove(heard) } else { patience.pause() }
    }
    return silent.sorted()
  }

  private func send(_ tag: Int32, to peer: Int32) {
    var request: MPI_Request?
    if MPI_Isend(nil, 0, lmconv_mpi_byte(), peer, tag, world, &request) == lmconv_mpi_success() {
      MPI_Request_free(&request)
    }
  }
}
