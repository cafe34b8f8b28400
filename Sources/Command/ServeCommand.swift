import ArgumentParser
import Foundation
import Model
import Serving
import Training

/// `lmconv serve`
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Complete images in a web browser: paint something out and see it come into being.",
    discussion: """
      Examples:
        lmconv serve runs/digits
        lmconv serve runs/digits --port 0 --max-jobs 1 --timeout 20
        lmconv serve runs/digits --checkpoint best --order gilbert2d
        # on a machine elsewhere, seen in the browser here
        ssh -L 8080:localhost:8080 HOST lmconv serve runs/digits

      Open the address that it prints; Ctrl-C ends it. Only this machine can reach the server unless --host is given. The same \
      seed gives the pixels of `lmconv complete`. What programs may ask of it: docs/serve.md.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var order: SingleOrderArgument

  @Option(
    help: ArgumentHelp(
      "Address to listen on; 0.0.0.0 lets everybody in who can reach this machine.", valueName: "address"))
  var host = "127.0.0.1"

  @Option(parsing: .unconditional, help: "Port to listen on; 0 takes a free one.")
  var port = 8080

  @Option(parsing: .unconditional, help: ArgumentHelp("Largest upload.", valueName: "kilobytes"))
  var maxUpload = 2000

  @Option(parsing: .unconditional, help: ArgumentHelp("Longest time of a completion.", valueName: "seconds"))
  var timeout = 60.0

  @Option(
    parsing: .unconditional, help: "Completions at the same time, each with its share of the threads; more are refused."
  )
  var maxJobs = 2

  @Option(parsing: .unconditional, help: "Completions of one image in a request.")
  var maxSamples = 8

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0 to 65535, it is \(port)") }
    guard ListeningAddress(host: host, port: 0) != nil else {
      throw ValidationError("--host must be an IPv4 or IPv6 address or localhost, it is '\(host)'")
    }
    guard (1...1_000_000).contains(maxUpload) else {
      throw ValidationError("--max-upload must be 1 to 1000000 kilobytes, it is \(maxUpload)")
    }
    guard timeout > 0 && timeout <= 86_400 else {
      throw ValidationError("--timeout must be above 0 and at most 86400 seconds, it is \(timeout)")
    }
    guard (1...1024).contains(maxJobs) else {
      throw ValidationError("--max-jobs must be 1 to 1024, it is \(maxJobs)")
    }
    guard (1...256).contains(maxSamples) else {
      throw ValidationError("--max-samples must be 1 to 256, it is \(maxSamples)")
    }
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run { communicator in
      guard communicator.size == 1 else { throw CommandError.servesOnSeveralRanks(communicator.size) }
      let log = RunLog(rank: 0, size: 1).logger(level: .info)
      let model = try options.open(log: log)
      let experiment = model.experiment
      let network = try experiment.network.underLocalMasks(for: "serve")
      let served = try ServedModel(
        name: model.path, step: model.step, experiment: experiment, parameters: model.parameters,
        order: try order.named(experiment.configuration.orders, size: experiment.test.size))
      guard let address = ListeningAddress(host: host, port: UInt16(port)) else {
        preconditionFailure("ServeCommand: host '\(host)' was validated")
      }
      let threads = max(1, HostThreads.count(requested: options.threads, communicator: communicator) / maxJobs)
      let server = CompletionServer(
        model: served,
        limits: ServingLimits(
          uploadBytes: 1000 * maxUpload, completionSeconds: timeout, jobs: maxJobs, samples: maxSamples),
        address: address, threads: threads, log: log)
      let memory = 4 * ActivationCache.floatsPerPixel(network: network) * experiment.test.size.pixels
      try server.run(shouldStop: { stopSignal.isReceived }) { address in
        if !address.isLoopback {
          log.warning(
            "everybody who can reach \(address) can use this server; it neither asks who they are nor encrypts")
        }
        let jobs = "\(Quantity.count(maxJobs, "completion")) of \(Quantity.count(threads, "thread"))"
        let most = Quantity.bytes(memory * maxSamples * maxJobs)
        log.info(
          "\(model.path): images of \(experiment.test.size), at most \(jobs) and \(most) at a time; Ctrl-C ends the server"
        )
        FileHandle.standardOutput.write(Data("http://\(address)/\n".utf8))
      }
      log.info("the server has ended")
    }
  }
}
