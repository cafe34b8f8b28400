import CEXIF
import Orders

/// How a picture is stored, seen from how it is meant: the values 1 to 8 of the EXIF standard's tag Orientation. A camera
/// stores what its sensor has, and marks how it was held.
public enum PictureOrientation: UInt16, Sendable, CaseIterable {
  /// As it is meant.
  case upright = 1
  /// Mirrored left to right.
  case mirrored
  /// Turned by half.
  case upsideDown
  /// Mirrored top to bottom.
  case flipped
  /// Rows are columns.
  case transposed
  /// Turned to the left by a quarter.
  case leftward
  /// Rows are columns, and turned by half.
  case antitransposed
  /// Turned to the right by a quarter.
  case rightward

  /// What the JPEG file `bytes` is marked with; upright where it is not, or with no value of the standard.
  public init(jpeg bytes: [UInt8]) {
    self = Self.marked(bytes).flatMap { Self(rawValue: $0) } ?? .upright
  }

  private static func marked(_ bytes: [UInt8]) -> UInt16? {
    guard bytes.count <= UInt32.max, let data = exif_data_new() else { return nil }
    defer { exif_data_unref(data) }
    // Only what is in the file, and no values that the standard asks for besides.
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION)
    exif_data_load_data(data, bytes, UInt32(bytes.count))
    // The directory of the picture itself; the others are of its thumbnail, and of how it was taken.
    guard let picture = data.pointee.ifd.0, let entry = exif_content_get_entry(picture, EXIF_TAG_ORIENTATION),
      entry.pointee.format == EXIF_FORMAT_SHORT, entry.pointee.components == 1, entry.pointee.size >= 2
    else { return nil }
    return exif_get_short(entry.pointee.data, exif_data_get_byte_order(data))
  }
}

extension PNGImage {
  /// The picture as it is meant, where it is stored as `orientation` says.
  public func upright(from orientation: PictureOrientation) -> PNGImage {
    guard orientation != .upright else { return self }
    let value = orientation.rawValue
    let isTransposed = value >= 5
    let (flipsRows, flipsColumns) = ([3, 4, 6, 7].contains(value), [2, 3, 7, 8].contains(value))
    let size = isTransposed ? ImageSize(rows: columns, columns: rows) : self.size
    var turned: [UInt8] = []
    turned.reserveCapacity(pixels.count)
    for row in 0..<size.rows {
      for column in 0..<size.columns {
        let (a, b) = isTransposed ? (column, row) : (row, column)
        let start =
          ((flipsRows ? rows - 1 - a : a) * columns + (flipsColumns ? columns - 1 - b : b)) * channels
        turned += pixels[start..<(start + channels)]
      }
    }
    return PNGImage(size: size, channels: channels, pixels: turned)
  }
}
