import Collectives
import Testing
import Training

struct HostThreadsTests {
  @Test func aRankAloneMayUseAllCores() {
    let alone = SingleProcessCommunicator()
    #expect(HostThreads.ranksHere(alone) == 1)
    #expect(HostThreads.count(requested: 0, communicator: alone) == HostThreads.cores)
    #expect(HostThreads.count(requested: 3, communicator: alone) == 3)
  }
}
