import Testing

/// What the ranks that are left say and do, judged by their output under mpirun.
@Suite(.serialized) struct WatchdogTests {
  @Test func aStoppedRankIsNamedByAllOthers() throws {
    let probe = try Probe.run(ranks: 3, ["stop"])
    #expect(probe.exitCode == 76)
    for rank in 0..<2 {
      let message = try Regex(
        #"lmconv: rank \#(rank): error: waiting in step 12, reduction \(receive from rank \d\): rank 2 \(\S+, pid \d+\) "#
          + #"silent for [2-4] s, last seen in step 12, computation; dead, stopped or unreachable\n"#)
      #expect(probe.errors.contains(message), "rank \(rank): \(probe.errors)")
    }
    // mpirun lets the stopped one go on before it ends it, which may be heard then.
    #expect(probe.errors.matches(of: /notice: ending, Watchdog.lostRank, step 12\n/).count >= 2, "\(probe.errors)")
    #expect(probe.seconds < 12)
  }

  @Test func withoutHeartbeatTheRollCallNamesAStoppedRank() throws {
    let probe = try Probe.run(ranks: 3, ["stop", "without-heartbeat"])
    #expect(probe.exitCode == 76)
    #expect(
      probe.errors.contains("receive from rank 2 at step 12: not complete after 20 s; no answer from rank 2 on "),
      "\(probe.errors)")
    #expect(!probe.errors.contains("no answer from rank 0"))
    #expect(!probe.errors.contains("no answer from rank 1"))
    #expect(probe.seconds < 40)
  }

  @Test func aSlowRankIsReportedAndWaitedFor() throws {
    let probe = try Probe.run(ranks: 3, ["slow"])
    #expect(probe.exitCode == 0, "\(probe.errors)")
    #expect(probe.output.split(separator: "\n").sorted() == ["rank 0 done", "rank 1 done", "rank 2 done"])
    let notice =
      #/notice: straggler: rank 2 \(\S+, pid \d+\) is slow but alive, now in step 12, computation: in the last \d s the others waited \d+ % of the time, it \d+ %\n/#
    #expect(probe.errors.contains(notice), "\(probe.errors)")
    #expect(!probe.errors.contains("straggler: rank 0") && !probe.errors.contains("straggler: rank 1"))
  }

  @Test func ranksThatWaitForDifferentThingsSaySo() throws {
    let probe = try Probe.run(ranks: 2, ["disagree"])
    #expect(probe.exitCode == 76)
    #expect(probe.errors.contains(": all ranks are heard and wait, but nothing has moved for 1 s: "), "\(probe.errors)")
    #expect(probe.errors.contains(#/rank 0 \(\S+, pid \d+\) in start-up \(receive from rank 1\); rank 1 /#))
    #expect(probe.errors.contains("notice: ending, Watchdog.stalled, step none\n"), "\(probe.errors)")
  }

  @Test func aRankThatDoesNothingForLongIsNamed() throws {
    let probe = try Probe.run(ranks: 2, ["sleep"])
    #expect(probe.exitCode == 76)
    let message = #/rank 1 \(\S+, pid \d+\) is heard but has done nothing for [5-9] s, in step 12, computation;/#
    #expect(probe.errors.contains(message), "\(probe.errors)")
  }

  @Test func aCallThatHangsInMPIEndsTheProcess() throws {
    let probe = try Probe.run(ranks: 2, ["late"])
    #expect(probe.exitCode == 76)
    #expect(
      probe.errors.contains(
        "lmconv: error: connect: MPI_Init_thread did not return within 2 s: another rank or the launcher is gone\n"),
      "\(probe.errors)")
    #expect(probe.seconds < 15)
  }

  @Test(arguments: [(nil, "heartbeat works"), (1, "heartbeat works"), (4, "heartbeat works")])
  func heartbeatsWorkOnOneHost(ranks: Int?, says: String) throws {
    let probe = try Probe.run(ranks: ranks, ["heartbeat"])
    #expect(probe.output == says + "\n", "\(probe.errors)")
  }
}
