import Foundation
import Imaging
import Model

/// Pictures that come with requests.
enum UploadedPicture {
  /// The levels `[pixels, channels]` that `model` sees in the PNG file `bytes`: lower bits are dropped, as those of data
  /// sets are; a grey model takes the luma of colours, a colour model grey as it is.
  ///
  /// - Throws: when it is no PNG file, too large, of another size, or not opaque.
  static func levels(png bytes: [UInt8], model: ServedModel, limits: ServingLimits) throws(Refusal) -> [UInt8] {
    let picture = try decode(bytes, name: "the picture", limits: limits)
    guard picture.size == model.size else { throw .wrongSize(found: picture.size, expected: model.size) }
    let opaque = try withoutAlpha(picture)
    guard opaque.channels != model.channels else { return opaque.pixels.map { $0 >> (8 - model.bits) } }
    switch (opaque.channels, model.channels) {
    case (3, 1):
      return stride(from: 0, to: opaque.pixels.count, by: 3).map { start in
        let (red, green, blue) = (
          Int(opaque.pixels[start]), Int(opaque.pixels[start + 1]), Int(opaque.pixels[start + 2])
        )
        // Luma of ITU-R BT.601.
        return UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000) >> (8 - model.bits)
      }
    case (1, 3): return opaque.converted(toChannels: 3).pixels.map { $0 >> (8 - model.bits) }
    default: throw .wrongChannels(found: opaque.channels, expected: model.channels)
    }
  }

  /// The missing pixels of the PNG file `bytes`: dark or transparent ones.
  ///
  /// - Throws: when it is no PNG file, too large, or of another size.
  static func mask(png bytes: [UInt8], model: ServedModel, limits: ServingLimits) throws(Refusal) -> PixelMask {
    let picture = try decode(bytes, name: "the mask", limits: limits)
    do { return try PixelMask.mask(picture, path: "the mask", size: model.size) } catch { throw .unusableMask(error) }
  }

  private static func decode(_ bytes: [UInt8], name: String, limits: ServingLimits) throws(Refusal) -> PNGImage {
    do {
      return try PNGImage(
        png: bytes, path: name, limits: PNGLimits(fileBytes: limits.uploadBytes, pixels: ServingLimits.picturePixels))
    } catch { throw .unreadablePicture(error) }
  }

  private static func withoutAlpha(_ picture: PNGImage) throws(Refusal) -> PNGImage {
    guard picture.channels % 2 == 0 else { return picture }
    let channels = picture.channels
    var colors: [UInt8] = []
    for pixel in 0..<picture.size.pixels {
      let start = pixel * channels
      guard picture.pixels[start + channels - 1] == 255 else {
        throw .transparent(row: pixel / picture.columns, column: pixel % picture.columns)
      }
      colors += picture.pixels[start..<(start + channels - 1)]
    }
    return PNGImage(size: picture.size, channels: channels - 1, pixels: colors)
  }
}
