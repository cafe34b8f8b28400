import CPNG
import Orders

// libpng's simplified interface (png_image_*): it reports errors in the image instead of by longjmp, which must not
// cross Swift frames.

/// What a PNG file may hold at most; checked before anything of that size is allocated.
public struct PNGLimits: Sendable {
  /// Bytes of the file.
  public var fileBytes: Int
  /// Pixels of the picture.
  public var pixels: Int

  /// Limits of `fileBytes` and `pixels`; the defaults hold any picture this project makes or completes.
  public init(fileBytes: Int = 256 << 20, pixels: Int = 1 << 26) {
    self.fileBytes = fileBytes
    self.pixels = pixels
  }
}

extension PNGImage {
  /// Reads the PNG file at `path` with the channels that it has; 16-bit and palette files become 8-bit channels.
  ///
  /// - Throws: when the file cannot be read, is not a whole PNG file, or passes `limits`.
  public init(contentsOf path: String, limits: PNGLimits = PNGLimits()) throws(PNGError) {
    try self.init(png: readFile(path, limit: limits.fileBytes), path: path, limits: limits)
  }

  /// Decodes the PNG file `bytes`; `path` names it in messages.
  ///
  /// - Throws: when the bytes are not a whole PNG file, or its picture passes `limits`.
  public init(png bytes: [UInt8], path: String, limits: PNGLimits = PNGLimits()) throws(PNGError) {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }

    // libpng keeps reading from `bytes` until png_image_finish_read, so all of it happens inside one borrow.
    let decoded: Result<PNGImage, PNGError> = bytes.withUnsafeBytes { source in
      guard png_image_begin_read_from_memory(&image, source.baseAddress, source.count) != 0 else {
        return .failure(.undecodable(path: path, reason: image.text))
      }
      let rows = Int(image.height)
      let columns = Int(image.width)
      guard rows <= limits.pixels / columns else {
        return .failure(
          .tooLarge(path: path, found: "a picture of \(rows)x\(columns) pixels", limit: "\(limits.pixels) pixels"))
      }
      // Drops the palette and the 16 bits, so that 0...3 are grey, grey with alpha, RGB, RGBA.
      image.format &= png_uint_32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA)
      let channels = Int(image.format) + 1
      var pixels = [UInt8](repeating: 0, count: rows * columns * channels)
      guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
        return .failure(.undecodable(path: path, reason: image.text))
      }
      return .success(
        PNGImage(size: ImageSize(rows: rows, columns: columns), channels: channels, pixels: pixels))
    }
    self = try decoded.get()
  }

  /// The picture as the bytes of a PNG file; `path` names it in messages.
  ///
  /// - Throws: when libpng refuses, e.g. for want of memory.
  public func encoded(path: String = "(memory)") throws(PNGError) -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(columns)
    image.height = png_uint_32(rows)
    image.format = png_uint_32(channels - 1)  // libpng's flags: 1 alpha, 2 colour
    defer { png_image_free(&image) }

    // Without a buffer libpng only counts the bytes.
    var count = 0
    guard png_image_write_to_memory(&image, nil, &count, 0, pixels, 0, nil) != 0 else {
      throw .unencodable(path: path, reason: image.text)
    }
    var bytes = [UInt8](repeating: 0, count: count)
    guard png_image_write_to_memory(&image, &bytes, &count, 0, pixels, 0, nil) != 0 else {
      throw .unencodable(path: path, reason: image.text)
    }
    return bytes
  }

  /// Writes the picture as a PNG file: to a temporary file beside `path` that is then renamed, so `path` is never
  /// half written.
  ///
  /// - Throws: when the picture cannot be encoded or the system refuses to write; `path` is then as it was.
  public func write(to path: String) throws(PNGError) {
    try replaceFile(path, with: encoded(path: path))
  }
}

extension png_image {
  /// libpng's message: zero-terminated text in a fixed array.
  fileprivate var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
