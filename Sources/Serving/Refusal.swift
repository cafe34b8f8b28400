import FlyingFox
import Imaging
import Orders

/// Why a request is not answered as it was meant: an HTTP status and a reason for people.
enum Refusal: Error, Equatable, CustomStringConvertible {
  /// The request names another host than this server is reached by.
  case foreignHost(String?)
  /// A page of another site made the request.
  case foreignPage(String)
  /// There is nothing at this path.
  case unknownPath(String)
  /// The path takes another method.
  case wrongMethod(String, path: String, expected: String)
  /// The request does not say how long its body is.
  case withoutLength
  /// The body is larger than allowed.
  case tooLarge(bytes: Int, limit: Int)
  /// The body is of another kind.
  case wrongContent(type: String?, expected: String)
  /// The body came too slowly, or not to its end.
  case slowUpload(bytes: Int, received: Int)
  /// The body is not JSON.
  case notJSON(reason: String)
  /// A part of the request is unknown.
  case unknownKey(String, known: [String])
  /// A part of the request is not what it should be.
  case wrongValue(key: String, expected: String)
  /// A picture cannot be read.
  case unreadablePicture(PNGError)
  /// A picture has another size than the model's.
  case wrongSize(found: ImageSize, expected: ImageSize)
  /// A picture has transparent pixels.
  case transparent(row: Int, column: Int)
  /// A picture has other channels than the model's.
  case wrongChannels(found: Int, expected: Int)
  /// A mask does not fit.
  case unusableMask(PixelMaskError)
  /// A mask has rows of another number or length.
  case wrongRows(rows: Int, row: Int?, columns: Int, expected: ImageSize)
  /// No pixel is missing.
  case nothingMissing
  /// Pixels are observed, but no image is given.
  case noImage
  /// An image is given twice.
  case twoImages
  /// There is no such example.
  case noExample(Int, available: Int)
  /// There is no such order.
  case unknownOrder(String)
  /// The order is not one of this image size.
  case unusableOrder(reason: String)
  /// All slots for completions are taken.
  case busy(jobs: Int, retrySeconds: Int)
  /// The server is ending.
  case stopping

  /// The status that HTTP has for it.
  var status: HTTPStatusCode {
    switch self {
    case .foreignHost, .foreignPage: return .forbidden
    case .unknownPath, .noExample: return .notFound
    case .wrongMethod: return .methodNotAllowed
    case .withoutLength: return .lengthRequired
    case .tooLarge: return .payloadTooLarge
    case .wrongContent: return .unsupportedMediaType
    case .slowUpload: return .requestTimeout
    case .notJSON, .unknownKey, .wrongValue: return .badRequest
    case .unreadablePicture, .wrongSize, .transparent, .wrongChannels, .unusableMask, .wrongRows, .nothingMissing,
      .noImage, .twoImages, .unknownOrder, .unusableOrder:
      return .unprocessableContent
    case .busy, .stopping: return .serviceUnavailable
    }
  }

  /// What is wrong, and what would be right.
  var description: String {
    switch self {
    case .foreignHost(let host):
      return
        "the request is for \(host.map { "'\($0)'" } ?? "no host"); this server answers to localhost, 127.0.0.1 and "
        + "[::1]"
    case .foreignPage(let origin): return "the request was made by a page of \(origin), not by this server's own"
    case .unknownPath(let path): return "there is nothing at \(path)"
    case .wrongMethod(let method, let path, let expected): return "\(path) takes \(expected), not \(method)"
    case .withoutLength: return "the request does not say how long its body is; send Content-Length"
    case .tooLarge(let bytes, let limit): return "the upload has \(bytes) bytes, the limit is \(limit)"
    case .wrongContent(let type, let expected):
      return "the body is \(type.map { "'\($0)'" } ?? "of no type"), expected Content-Type \(expected)"
    case .slowUpload(let bytes, let received): return "only \(received) of \(bytes) bytes came in time"
    case .notJSON(let reason): return "the body is not JSON: \(reason)"
    case .unknownKey(let key, let known): return "'\(key)' is unknown; known are \(known.joined(separator: ", "))"
    case .wrongValue(let key, let expected): return "'\(key)' must be \(expected)"
    case .unreadablePicture(let error): return error.description
    case .wrongSize(let found, let expected):
      return "the picture has \(found) pixels, this model completes pictures of \(expected)"
    case .transparent(let row, let column):
      return "pixel (\(row), \(column)) of the picture is transparent; save it without transparency"
    case .wrongChannels(let found, let expected):
      return "the picture has \(found) channels, this model completes pictures of \(expected)"
    case .unusableMask(let error): return error.description
    case .wrongRows(let rows, let row, let columns, let expected):
      guard let row else { return "'missing' has \(rows) rows, the image \(expected.rows)" }
      return "row \(row) of 'missing' has \(columns) values, the image \(expected.columns) columns"
    case .nothingMissing: return "no pixel is missing; paint some out"
    case .noImage: return "pixels are observed, but there is no image; give 'image' or 'example', or miss all pixels"
    case .twoImages: return "give 'image' or 'example', not both"
    case .noExample(let index, let available):
      return available == 0
        ? "there are no examples" : "there is no example \(index); there are \(available), counted from 0"
    case .unknownOrder(let order):
      return "'\(order)' is no order; an order is a variant 0 to 7, one of "
        + "\(BaseOrder.allCases.map(\.rawValue).joined(separator: ", ")) perhaps with /VARIANT, or random/INDEX perhaps "
        + "with @SEED"
    case .unusableOrder(let reason): return reason
    case .busy(let jobs, let seconds):
      return
        "\(jobs == 1 ? "a completion is" : "\(jobs) completions are") under way, as many as this server makes at a "
        + "time; try again in \(seconds) s"
    case .stopping: return "the server is ending"
    }
  }
}
