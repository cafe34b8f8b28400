import CTurboJPEG
import Orders

// TurboJPEG's interface to libjpeg-turbo: it returns errors, where libjpeg's own would longjmp across Swift frames.

/// Why a JPEG file cannot be read. Every case names the file.
public enum JPEGError: Error, Equatable, CustomStringConvertible {
  /// libjpeg-turbo cannot decode the file, or not all of it.
  case undecodable(path: String, reason: String)
  /// The picture is larger than the reader's limit.
  case tooLarge(path: String, found: ImageSize, limitPixels: Int)
  /// The picture is neither grey nor RGB, but in inks.
  case inks(path: String)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .undecodable(let path, let reason): return "\(path): not a readable JPEG file: \(reason)"
    case .tooLarge(let path, let found, let limit):
      return "\(path): a picture of \(found) pixels, the limit is \(limit) pixels"
    case .inks(let path): return "\(path): a JPEG file in the colours of inks (CMYK); convert it to RGB"
    }
  }
}

extension PNGImage {
  /// Decodes the JPEG file `bytes`, grey or RGB; `path` names it in messages. The pixels are those of libjpeg's accurate
  /// integer DCT and its smooth upsampling of colours, the same on every processor, turned upright where a camera's mark of
  /// orientation says how.
  ///
  /// - Throws: when the bytes are not a whole JPEG file, or its picture is in inks or has more than `limitPixels`.
  public init(jpeg bytes: [UInt8], path: String, limitPixels: Int = PNGLimits().pixels) throws(JPEGError) {
    guard let decoder = tjInitDecompress() else { throw .undecodable(path: path, reason: "no memory") }
    defer { tjDestroy(decoder) }
    func refusal() -> JPEGError { .undecodable(path: path, reason: String(cString: tjGetErrorStr2(decoder))) }

    var (width, height, subsampling, colorspace): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    guard
      tjDecompressHeader3(decoder, bytes, UInt(bytes.count), &width, &height, &subsampling, &colorspace) == 0
    else { throw refusal() }
    guard colorspace != Int32(TJCS_CMYK.rawValue) && colorspace != Int32(TJCS_YCCK.rawValue) else {
      throw .inks(path: path)
    }
    // A file may hold nothing but tables for others.
    guard width > 0 && height > 0 else { throw .undecodable(path: path, reason: "there is no picture in it") }
    let size = ImageSize(rows: Int(height), columns: Int(width))
    guard size.rows <= limitPixels / size.columns else {
      throw .tooLarge(path: path, found: size, limitPixels: limitPixels)
    }
    let isGrey = colorspace == Int32(TJCS_GRAY.rawValue)
    let channels = isGrey ? 1 : 3
    let format = Int32((isGrey ? TJPF_GRAY : TJPF_RGB).rawValue)
    // A file that ends early is a warning to libjpeg, which would fill up with grey.
    let flags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS
    var pixels = [UInt8](repeating: 0, count: size.pixels * channels)
    guard
      tjDecompress2(decoder, bytes, UInt(bytes.count), &pixels, width, 0, height, format, flags) == 0
    else { throw refusal() }
    self = PNGImage(size: size, channels: channels, pixels: pixels).upright(from: PictureOrientation(jpeg: bytes))
  }
}
