import Orders

/// Why a file is no picture.
public enum PictureFileError: Error, Equatable, CustomStringConvertible {
  /// Its beginning is that of no kind of picture that is read.
  case unknownKind(path: String, isEmpty: Bool)

  /// What is wrong.
  public var description: String {
    switch self {
    case .unknownKind(let path, let isEmpty):
      return "\(path): \(isEmpty ? "an empty file" : "neither a PNG nor a JPEG file")"
    }
  }
}

extension PNGImage {
  /// Endings of the names of files that are read, in lower case.
  public static let pictureEndings = [".png", ".jpg", ".jpeg"]

  /// Reads the PNG or JPEG file at `path`.
  ///
  /// - Throws: when it cannot be read, or is neither.
  public init(pictureAt path: String) throws {
    try self.init(picture: readFile(path, limit: PNGLimits().fileBytes), path: path)
  }

  /// Decodes the PNG or JPEG file `bytes`; `path` names it in messages.
  ///
  /// - Throws: when it is neither, or damaged.
  public init(picture bytes: [UInt8], path: String) throws {
    // What it is counts, not what it is called: pictures from the web often have the wrong ending.
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      try self.init(jpeg: bytes, path: path)
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
      try self.init(png: bytes, path: path)
    } else {
      throw PictureFileError.unknownKind(path: path, isEmpty: bytes.isEmpty)
    }
  }
}
