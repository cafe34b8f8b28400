import Foundation

/// What a server does at most, so that no request takes the machine from the others.
public struct ServingLimits: Sendable {
  /// Bytes of a request's body.
  public var uploadBytes: Int
  /// Seconds that a completion may take.
  public var completionSeconds: Double
  /// Completions at the same time.
  public var jobs: Int
  /// Completions of one image side by side in one request.
  public var samples: Int

  /// Pixels of an uploaded picture, checked before it is decoded.
  static let picturePixels = 1 << 22
  /// Seconds that a request's body may take to arrive.
  static let uploadSeconds = 30.0
  /// Seconds that a connection may neither send nor take anything.
  static let idleSeconds = 60.0

  /// The limits that are given.
  public init(uploadBytes: Int, completionSeconds: Double, jobs: Int, samples: Int) {
    precondition(
      uploadBytes > 0 && completionSeconds > 0 && jobs > 0 && samples > 0,
      "ServingLimits: \(uploadBytes) bytes, \(completionSeconds) s, \(jobs) jobs, \(samples) samples")
    self.uploadBytes = uploadBytes
    self.completionSeconds = completionSeconds
    self.jobs = jobs
    self.samples = samples
  }
}
