import Orders

/// Why a description of missing pixels does not fit an image.
public enum PixelMaskError: Error, Equatable, CustomStringConvertible {
  /// The text is no region's name, box or PNG file's name.
  case unknownRegion(String)
  /// The text looks like a box but is not four integers.
  case malformedBox(String)
  /// A box is empty or reaches outside the image.
  case boxOutside(row: Int, column: Int, height: Int, width: Int, size: ImageSize)
  /// A PNG mask has another size than the image.
  case wrongSize(path: String, found: ImageSize, expected: ImageSize)
  /// A PNG mask cannot be read.
  case unreadable(PNGError)
  /// A region has no pixel in an image of this size.
  case nothingMissing(region: String, size: ImageSize)

  /// What is wrong, and what would be right.
  public var description: String {
    switch self {
    case .unknownRegion(let text):
      return "'\(text)' is no region of missing pixels; use \(PixelMask.namedRegions.joined(separator: ", ")), "
        + "a box row,column,height,width, a pixel row,column or a file that ends in .png"
    case .malformedBox(let text):
      return "'\(text)' is not a box: expected four integers row,column,height,width, or two of a pixel, row,column"
    case .boxOutside(let row, let column, let height, let width, let size):
      guard height > 0 && width > 0 else {
        return "box \(row),\(column),\(height),\(width) is empty: height and width must be at least 1"
      }
      return "box \(row),\(column),\(height),\(width) reaches outside the \(size) image: "
        + "row + height is at most \(size.rows), column + width at most \(size.columns)"
    case .wrongSize(let path, let found, let expected):
      return "\(path): a mask of \(found) pixels, the images have \(expected)"
    case .unreadable(let error): return error.description
    case .nothingMissing(let region, let size):
      return "'\(region)': no pixel of the \(size) image is missing"
    }
  }
}

/// Which pixels of an image are missing, to be completed from the others.
public struct PixelMask: Equatable, Sendable {
  /// The image's size.
  public let size: ImageSize
  /// `[rows * columns]`, true where the pixel is missing.
  public private(set) var isMissing: [Bool]

  /// The names that `init(regions:size:)` knows.
  public static let namedRegions = ["top", "bottom", "left", "right", "center"]

  /// A mask of `isMissing`, `[rows * columns]`.
  public init(size: ImageSize, isMissing: [Bool]) {
    precondition(isMissing.count == size.pixels, "PixelMask: \(isMissing.count) values for \(size) pixels")
    self.size = size
    self.isMissing = isMissing
  }

  /// The pixels that are missing in any of `regions`, each of which is
  /// - `top`, `bottom`, `left` or `right`: that half (`top` and `left` have the smaller half of an odd size), or
  ///   `center`: the middle quarter;
  /// - a box `row,column,height,width`, counted from 0 at the top left;
  /// - a pixel `row,column`;
  /// - several of these with `;` between them;
  /// - the name of a PNG file of the image's size that ends in `.png`: dark pixels (luma below 128) and transparent ones
  ///   (alpha below 128) are missing, light ones observed.
  ///
  /// - Throws: when a region is none of these, does not fit the image, or has no pixel.
  public init(regions: [String], size: ImageSize) throws(PixelMaskError) {
    self.init(size: size, isMissing: [Bool](repeating: false, count: size.pixels))
    for region in regions.flatMap({ $0.split(separator: ";", omittingEmptySubsequences: false).map(String.init) }) {
      let added = try Self.region(region, size: size)
      guard added.isMissing.contains(true) else { throw .nothingMissing(region: region, size: size) }
      for pixel in 0..<size.pixels where added.isMissing[pixel] { isMissing[pixel] = true }
    }
  }

  /// Pixels (row * columns + column) that are missing, ascending.
  public var missingPixels: [Int] { isMissing.indices.filter { isMissing[$0] } }
  /// Pixels (row * columns + column) that are observed, ascending.
  public var observedPixels: [Int] { isMissing.indices.filter { !isMissing[$0] } }

  /// The mask of what this one does not miss.
  public var inverted: PixelMask { PixelMask(size: size, isMissing: isMissing.map { !$0 }) }

  /// How `image` came into being when its missing pixels were generated in `order`: `count` pictures, the first of what
  /// was observed, the last of the whole image.
  public func stages(of image: PNGImage, order: GenerationOrder, count: Int) -> [PNGImage] {
    precondition(count > 1 && order.size == size, "PixelMask: \(count) stages, an order of \(order.size)")
    let missing = order.pixels.map(Int.init).filter { isMissing[$0] }
    return (0..<count).map { stage in
      var hidden = [Bool](repeating: false, count: size.pixels)
      for pixel in missing[(missing.count * stage / (count - 1))...] { hidden[pixel] = true }
      return PixelMask(size: size, isMissing: hidden).hidingMissing(in: image)
    }
  }

  /// `image`, of the mask's size, in colour with the missing pixels painted over in a slate blue that no grey image
  /// contains.
  public func hidingMissing(in image: PNGImage) -> PNGImage {
    precondition(image.size == size, "PixelMask: an image of \(image.size) for a mask of \(size)")
    let channels = image.channels % 2 == 0 ? 4 : 3
    var hidden = image.converted(toChannels: channels)
    let paint: [UInt8] = [92, 112, 150, 255]
    for pixel in missingPixels {
      hidden[pixel / size.columns, pixel % size.columns] = Array(paint[..<channels])
    }
    return hidden
  }

  private static func region(_ text: String, size: ImageSize) throws(PixelMaskError) -> PixelMask {
    let (rows, columns) = (size.rows, size.columns)
    switch text {
    case "top": return box(row: 0, column: 0, height: rows / 2, width: columns, size: size)
    case "bottom": return box(row: rows / 2, column: 0, height: rows - rows / 2, width: columns, size: size)
    case "left": return box(row: 0, column: 0, height: rows, width: columns / 2, size: size)
    case "right": return box(row: 0, column: columns / 2, height: rows, width: columns - columns / 2, size: size)
    case "center": return box(row: rows / 4, column: columns / 4, height: rows / 2, width: columns / 2, size: size)
    default: break
    }
    if text.lowercased().hasSuffix(".png") { return try mask(contentsOf: text, size: size) }
    guard text.contains(",") else { throw .unknownRegion(text) }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0.trimmingPrefix { $0 == " " }) }
    guard parts.count == 4 || parts.count == 2, numbers.count == parts.count else { throw .malformedBox(text) }
    let (row, column) = (numbers[0], numbers[1])
    let (height, width) = numbers.count == 4 ? (numbers[2], numbers[3]) : (1, 1)
    // Written as subtractions, which cannot overflow.
    guard height > 0, width > 0, row >= 0, column >= 0, height <= rows, width <= columns, row <= rows - height,
      column <= columns - width
    else { throw .boxOutside(row: row, column: column, height: height, width: width, size: size) }
    return box(row: row, column: column, height: height, width: width, size: size)
  }

  private static func box(row: Int, column: Int, height: Int, width: Int, size: ImageSize) -> PixelMask {
    PixelMask(
      size: size,
      isMissing: (0..<size.pixels).map { pixel in
        let (r, c) = (pixel / size.columns, pixel % size.columns)
        return r >= row && r < row + height && c >= column && c < column + width
      })
  }

  private static func mask(contentsOf path: String, size: ImageSize) throws(PixelMaskError) -> PixelMask {
    let image: PNGImage
    do { image = try PNGImage(contentsOf: path) } catch { throw .unreadable(error) }
    return try mask(image, path: path, size: size)
  }

  /// The mask that the picture `image` describes; `path` names it in messages.
  package static func mask(_ image: PNGImage, path: String, size: ImageSize) throws(PixelMaskError) -> PixelMask {
    guard image.size == size else { throw .wrongSize(path: path, found: image.size, expected: size) }
    let rgba = image.converted(toChannels: 4)
    return PixelMask(
      size: size,
      isMissing: stride(from: 0, to: rgba.pixels.count, by: 4).map { start in
        let (red, green, blue) = (Int(rgba.pixels[start]), Int(rgba.pixels[start + 1]), Int(rgba.pixels[start + 2]))
        // Luma of ITU-R BT.601.
        let isDark = 299 * red + 587 * green + 114 * blue < 128 * 1000
        return isDark || rgba.pixels[start + 3] < 128
      })
  }
}
