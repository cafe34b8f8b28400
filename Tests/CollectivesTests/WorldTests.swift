import Testing

import Collectives

struct WorldTests {
  @Test(arguments: [
    ([:], World.Launch.alone),
    (["SLURM_NTASKS": "4", "SLURM_PROCID": "0"], .alone),  // a batch script that starts one process
    (["SLURM_STEP_NUM_TASKS": "1"], .alone),
    (["OMPI_COMM_WORLD_SIZE": "3", "PMIX_RANK": "0"], .ranks(announced: 3)),
    (["OMPI_COMM_WORLD_SIZE": "3", "SLURM_STEP_NUM_TASKS": "1"], .ranks(announced: 3)),
    (["PMI_SIZE": "2"], .ranks(announced: 2)),
    (["PMIX_RANK": "0"], .ranks(announced: nil)),
    (["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "4"], .ranks(announced: 4)),
  ])
  func launchersAreKnownByTheirVariables(environment: [String: String], launch: World.Launch) throws {
    #expect(try World.launch(in: environment) == launch)
  }

  @Test func tasksWithoutMPIAreRefused() {
    #expect(throws: CollectiveError.launcherWithoutMPI(tasks: 4)) {
      try World.launch(in: ["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1"])
    }
  }

  @Test func withoutALauncherTheWorldIsOne() throws {
    let communicator = try World.connect(environment: [:])
    #expect(communicator.size == 1 && communicator.rank == 0 && communicator.hosts.count == 1)
  }
}
