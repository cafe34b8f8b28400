import Foundation
import Kernels
import Logging
import Model
import Sampling

/// One completion, pixel by pixel, to a stream of lines.
///
/// The first line is `{"start": ...}`, then comes one for each pixel in the order, observed ones first, and at the end
/// `{"end": ...}` or, when the work was cut short, `{"error": ...}`.
struct CompletionJob: Sendable {
  let request: CompletionRequest
  let model: ServedModel
  let limits: ServingLimits
  let threads: Int
  let log: Logger

  /// What is under way.
  private struct Start: Encodable {
    struct Facts: Encodable {
      let rows: Int
      let columns: Int
      let channels: Int
      let samples: Int
      let missing: Int
      let order: String
      let temperature: Double
      let seed: String
    }

    let start: Facts
  }

  /// One pixel of all samples.
  private struct Pixel: Encodable {
    let row: Int
    let column: Int
    let isObserved: Bool
    /// `[samples][channels]`
    let levels: [[UInt8]]
    /// -log p given the pixels before, of each sample.
    let nats: [Double]

    enum CodingKeys: String, CodingKey {
      case row, column, levels, nats
      case isObserved = "observed"
    }
  }

  /// The sums over the pixels' nats, in their order, of each sample.
  private struct End: Encodable {
    struct Sums: Encodable {
      let observed: [Double]
      let completed: [Double]
      let seconds: Double
    }

    let end: Sums
  }

  private struct Failure: Encodable {
    let error: String
  }

  /// Why the work ended before all pixels were done.
  private enum Interruption: CustomStringConvertible {
    case nobodyReads
    case timeout(seconds: Double, done: Int, pixels: Int)
    case stopping
    case notFinite(row: Int, column: Int)

    var description: String {
      switch self {
      case .nobodyReads: return "the client went away"
      case .timeout(let seconds, let done, let pixels):
        return
          "stopped after \(String(format: "%g", seconds)) s, the longest that a completion may take here; \(done) of "
          + "\(pixels) pixels are done"
      case .stopping: return "the server is ending"
      case .notFinite(let row, let column):
        return "the likelihood of pixel (\(row), \(column)) is not finite; the model's parameters are damaged or its "
          + "training diverged"
      }
    }
  }

  /// Completes the image on the calling thread, then gives `slots` back what was taken there. The pixels are those of
  /// `lmconv complete` for the same image, order, number of samples and seed.
  func run(into stream: LineStream, slots: JobSlots) {
    let begin = ContinuousClock.now
    defer { slots.release(after: (ContinuousClock.now - begin) / .seconds(1)) }
    defer { stream.end() }
    let what = "\(request.samples) x \(request.mask.missingPixels.count) pixels, order \(request.order.name)"
    do {
      let interruption = try complete(into: stream, slots: slots, since: begin)
      let seconds = String(format: "%.2f s", (ContinuousClock.now - begin) / .seconds(1))
      guard let interruption else { return log.info("completed \(what), \(seconds)") }
      log.info("not completed: \(what), \(seconds): \(interruption)")
      try stream.append(Failure(error: "\(interruption)"))
    } catch { log.error("a line cannot be written: \(error)") }
  }

  private func complete(
    into stream: LineStream, slots: JobSlots, since begin: ContinuousClock.Instant
  ) throws -> Interruption? {
    let (size, channels) = (model.size, model.channels)
    let sampler = CachedSampler(
      network: model.experiment.network, size: size, images: request.samples, pool: ThreadPool(threads: threads))
    try stream.append(
      Start(
        start: .init(
          rows: size.rows, columns: size.columns, channels: channels, samples: request.samples,
          missing: request.mask.missingPixels.count, order: request.order.name, temperature: request.temperature,
          seed: "\(request.seed)")))
    var observed = [Double](repeating: 0, count: request.samples)
    var completed = observed
    var interruption: Interruption?
    var failure: (any Error)?
    var levels: [UInt8] = []
    for _ in 0..<request.samples { levels += request.levels }
    let end = begin + .seconds(limits.completionSeconds)
    let isComplete = sampler.complete(
      levels: &levels, missing: Set(request.mask.missingPixels), order: request.order.order,
      parameters: model.parameters, temperature: request.temperature, seed: request.seed,
      shouldContinue: { done in
        if stream.isAbandoned {
          interruption = .nobodyReads
        } else if slots.isStopping {
          interruption = .stopping
        } else if ContinuousClock.now > end {
          interruption = .timeout(seconds: limits.completionSeconds, done: done, pixels: size.pixels)
        }
        return interruption == nil && failure == nil
      },
      inspect: { sampled in
        let (row, column) = sampled.pixel.quotientAndRemainder(dividingBy: size.columns)
        guard sampled.nats.allSatisfy(\.isFinite) else { return interruption = .notFinite(row: row, column: column) }
        for sample in 0..<request.samples {
          if sampled.isObserved {
            observed[sample] += sampled.nats[sample]
          } else {
            completed[sample] += sampled.nats[sample]
          }
        }
        let pixel = Pixel(
          row: row, column: column, isObserved: sampled.isObserved,
          levels: (0..<request.samples).map { Array(sampled.levels[($0 * channels)..<(($0 + 1) * channels)]) },
          nats: sampled.nats)
        do { try stream.append(pixel) } catch { failure = error }
      })
    if let failure { throw failure }
    guard isComplete && interruption == nil else { return interruption }
    try stream.append(
      End(
        end: .init(
          observed: observed, completed: completed, seconds: (ContinuousClock.now - begin) / .seconds(1))))
    return nil
  }
}
