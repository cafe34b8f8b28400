import Testing

import Collectives

struct CollectiveErrorTests {
  @Test(arguments: [
    (
      CollectiveError.timedOut(
        operation: .receive(from: 2), step: 1200, seconds: 30,
        silentRanks: [SilentRank(rank: 2, host: "b"), SilentRank(rank: 3, host: "c")]),
      "receive from rank 2 at step 1200: not complete after 30 s; no answer from rank 2 on b, rank 3 on c: "
        + "dead, stopped, unreachable, or slower than the timeout allows"
    ),
    (
      .timedOut(operation: .barrier, step: nil, seconds: 1.5, silentRanks: []),
      "barrier: not complete after 1.5 s, although all ranks answer: the network is too slow for the timeout, "
        + "or a defect of this program makes them wait for different things"
    ),
    (
      .refused(operation: .broadcast(root: 0), step: 3, code: 15, text: "MPI_ERR_TRUNCATE: message truncated"),
      "broadcast from rank 0 at step 3: MPI error 15: MPI_ERR_TRUNCATE: message truncated"
    ),
    (
      .withoutThreads(provided: 1),
      "connect: this MPI library offers thread level 1, MPI_THREAD_SERIALIZED is needed; "
        + "use a build of Open MPI with thread support"
    ),
    (
      .foreignLauncher(announced: 4, found: 1),
      "connect: the launcher started 4 ranks, MPI finds 1; "
        + "start with the mpirun of the Open MPI that this program is linked to"
    ),
    (
      .launcherWithoutMPI(tasks: 4),
      "connect: srun started 4 tasks that do not know each other; use srun --mpi=pmix, or mpirun inside the allocation"
    ),
  ])
  func messagesSayWhatHappenedWhereAndWhatToDo(error: CollectiveError, message: String) {
    #expect(error.description == message)
  }
}
