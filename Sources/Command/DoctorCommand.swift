import ArgumentParser
import CProcessorCheck
import Collectives
import Configuration
import Datasets
import Foundation
import Kernels
import Training

/// `lmconv doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check that this machine, or all hosts of an MPI job, can train.",
    discussion: """
      Examples:
        lmconv doctor
        lmconv doctor --config my.yaml --set data.folder=mnist
        # every host, as training would use it
        mpirun --hostfile hosts lmconv doctor --config my.yaml

      One line for each check: ok, warning or failure, and what to do. The exit code is not 0 when a check failed.
      """)

  @Option(help: ArgumentHelp("YAML file of a run, whose data and orders are checked too.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of the configuration; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(help: ArgumentHelp("Folder of the run (default: runs/NAME).", valueName: "folder"))
  var runDir: String?

  @Flag(help: "Print the findings as JSON.")
  var json = false

  /// What a rank found on its host.
  private struct RankReport: Codable {
    let host: String
    let findings: [Finding]
  }

  /// What `--json` prints.
  private struct Report: Encodable {
    struct Host: Encodable {
      let host: String
      let ranks: [Int]
      let findings: [Finding]
    }

    let findings: [Finding]
    let hosts: [Host]
    let isFit: Bool

    enum CodingKeys: String, CodingKey {
      case findings, hosts
      case isFit = "fit"
    }
  }

  func run() throws {
    let configuration = try RunConfiguration(contentsOf: config, overrides: overrides)
    let folder = RunFolder(runDir ?? "runs/\(configuration.name)")
    Job.run(timeoutSeconds: configuration.run.timeoutSeconds) { communicator in
      let own = RankReport(
        host: communicator.hosts[communicator.rank],
        findings: checkHost(configuration, communicator: communicator).all)
      let reports = try communicator.gather(own)
      var isFit = true
      if communicator.rank == 0 {
        var findings = Findings()
        checkMPI(communicator, &findings)
        checkFolder(folder, &findings)
        let report = report(findings, reports)
        isFit = report.isFit
        try show(report)
      }
      guard try communicator.maximum(isFit ? 0 : 1) == 0 else {
        try Job.leave(communicator, status: ExitStatus.failure)
      }
    }
  }

  // MARK: Checks

  /// What each rank finds out by itself.
  private func checkHost(_ configuration: RunConfiguration, communicator: any Communicator) -> Findings {
    var findings = Findings()
    // Without it, the process ends before it gets here.
    findings.ok("processor", processor)
    #if DEBUG
      findings.warning("build", "a debug build, many times slower; build with swift build -c release")
    #else
      findings.ok("build", "release, with the program's own convolutions")
    #endif
    // The program would not have started without it.
    findings.ok("OpenBLAS", "\(GEMM.library); only checks and measurements use it")
    let resources = HostResources(communicator)
    let ranks = HostThreads.ranksHere(communicator)
    let threads = HostThreads.count(requested: configuration.run.threads, communicator: communicator)
    let use = "\(Quantity.count(ranks, "rank")) of \(Quantity.count(threads, "thread")) on "
    let cores = "\(use)\(Quantity.count(resources.cores, "core"))"
    if ranks * threads > resources.cores {
      findings.warning("cores", "\(cores); start fewer ranks or lower run.threads")
    } else if threads > resources.usableCores {
      findings.warning(
        "cores",
        "\(cores), but a rank may use only \(resources.usableCores); start with mpirun --bind-to none")
    } else {
      findings.ok("cores", cores)
    }
    if let memory = resources.availableMemory {
      // What the smallest configurations need for all ranks of a host.
      if memory < 500_000_000 {
        findings.warning(
          "memory", "only \(Quantity.bytes(memory)) are free; lmconv train --dry-run says what is needed")
      } else {
        findings.ok("memory", "\(Quantity.bytes(memory)) are free")
      }
    } else {
      findings.warning("memory", "this system does not say how much is free")
    }
    checkDigits(&findings)
    if config != nil || !overrides.isEmpty { checkData(configuration, &findings) }
    return findings
  }

  private var processor: String {
    let model = FileManager.default.contents(atPath: "/proc/cpuinfo").flatMap { contents in
      String(decoding: contents, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("model name") }
        .flatMap { $0.split(separator: ":").last }
    }
    #if arch(x86_64)
      let instructions = lmconv_processor_is_supported() != 0 ? "AVX2 and FMA" : "no AVX2 and FMA, none needed"
    #else
      let instructions = "portable kernels"
    #endif
    return [model.map { $0.trimmingCharacters(in: .whitespaces) }, instructions].compactMap(\.self)
      .joined(separator: ", ")
  }

  private func checkDigits(_ findings: inout Findings) {
    do {
      let train = try ImageDataset.load(set: .digits, split: .train)
      let test = try ImageDataset.load(set: .digits, split: .test)
      findings.ok("digits", "\(train.count) training and \(test.count) test images come with the program")
    } catch { findings.failure("digits", "\(error)") }
  }

  private func checkData(_ configuration: RunConfiguration, _ findings: inout Findings) {
    do {
      try configuration.requireFiles()
      let experiment = try Experiment(configuration)
      let train = try experiment.loadTrainingImages()
      _ = try experiment.trainingSizes()
      let training = configuration.training
      _ = try EpochSampler(
        count: train.count, slots: training.microbatches, imagesPerSlot: training.microbatchSize,
        seed: configuration.seed)
      findings.ok(
        "data",
        "\(train.name): \(train.count) training and \(experiment.test.count) test images of \(train.size); "
          + Quantity.count(experiment.orders.train.count, "order"))
    } catch { findings.failure("data", Job.describe(error)) }
  }

  /// What rank 0 finds out for all.
  private func checkMPI(_ communicator: any Communicator, _ findings: inout Findings) {
    findings.ok("MPI", MPILibrary.version)
    let hosts = Set(communicator.hosts).count
    if communicator.size > 1 {
      findings.ok(
        "ranks", "\(communicator.size) ranks on \(Quantity.count(hosts, "host")) are connected and answer")
    } else if Program.exists("mpirun") {
      findings.ok("ranks", "1; start more with mpirun -n N, or with ./launch.sh")
    } else {
      findings.warning("ranks", "1, and mpirun is not on the PATH to start more; install openmpi-bin")
    }
  }

  private func checkFolder(_ folder: RunFolder, _ findings: inout Findings) {
    do {
      findings.ok("run folder", "\(folder.path) can be written, \(Quantity.bytes(try folder.freeBytes())) are free")
    } catch { findings.failure("run folder", "\(error)") }
  }

  // MARK: Printing

  private func report(_ findings: Findings, _ reports: [RankReport]) -> Report {
    var hosts: [Report.Host] = []
    for host in reports.map(\.host) where !hosts.contains(where: { $0.host == host }) {
      let ranks = reports.indices.filter { reports[$0].host == host }
      var found: [Finding] = []
      // Ranks of a host find the same, unless something is wrong with one of them.
      for finding in ranks.flatMap({ reports[$0].findings }) where !found.contains(where: { same($0, finding) }) {
        found.append(finding)
      }
      hosts.append(.init(host: host, ranks: ranks, findings: found))
    }
    let all = findings.all + hosts.flatMap(\.findings)
    return Report(findings: findings.all, hosts: hosts, isFit: !all.contains { $0.verdict == .failure })
  }

  /// Free memory differs from rank to rank; one line of each kind is enough where all is well.
  private func same(_ a: Finding, _ b: Finding) -> Bool {
    a.subject == b.subject && a.verdict == b.verdict && (a.verdict == .ok || a.message == b.message)
  }

  private func show(_ report: Report) throws {
    guard !json else { return try JSONOutput.print(report) }
    var rows = Findings()
    for finding in report.findings { rows.append(finding) }
    for host in report.hosts {
      for finding in host.findings {
        let subject = report.hosts.count > 1 ? "\(host.host): \(finding.subject)" : finding.subject
        rows.append(Finding(subject: subject, verdict: finding.verdict, message: finding.message))
      }
    }
    print(rows.text)
    print(report.isFit ? "fit to train" : "not fit to train: see the failures")
  }
}

/// Programs of this host.
enum Program {
  /// Whether `name` is an executable file in a folder of the PATH.
  static func exists(_ name: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }
}
