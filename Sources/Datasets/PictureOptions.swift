/// How pictures in files become images of one size and kind, and which of them are for testing.
public struct PictureOptions: Sendable, Hashable {
  /// Side of the square that the middle of each picture is scaled to; nil keeps their size, which must be one.
  public var side: Int?
  /// Channels of each image: 1 makes all grey, 3 makes all RGB; nil keeps what the pictures have, which must be one.
  public var channels: Int?
  /// The share of images that are for testing, above 0 and below 1, where folders do not say which are.
  public var testFraction: Double
  /// Whether pictures that cannot be used are left out, and not refused.
  public var skipsBad: Bool

  /// Pictures as they are, a tenth of them for testing.
  public init(side: Int? = nil, channels: Int? = nil, testFraction: Double = 0.1, skipsBad: Bool = false) {
    precondition((side ?? 1) > 0 && [1, 3].contains(channels ?? 1) && testFraction > 0 && testFraction < 1)
    self.side = side
    self.channels = channels
    self.testFraction = testFraction
    self.skipsBad = skipsBad
  }

  /// The split of what has the CRC-32 `checksum`: below `testFraction` of all checksums it is for testing. The split of
  /// a picture depends on nothing but the bytes of its file: adding, removing, moving and renaming others changes
  /// nothing, and copies of one file are never in both.
  func split(ofChecksum checksum: UInt32) -> Split {
    Double(checksum) < testFraction * 0x1p32 ? .test : .train
  }
}

/// A picture that cannot be used.
public struct BadPicture: Error, Sendable, Hashable, CustomStringConvertible {
  /// Its file.
  public let path: String
  /// What is wrong with it; names the file.
  public let description: String
}
