import Evaluation
import Foundation
import Imaging
import Orders

/// What a client asks for: an image, what is missing of it, and how to complete it.
struct CompletionRequest: Sendable {
  /// The image, `[pixels, channels]`; what it has at missing pixels does not matter.
  let levels: [UInt8]
  let mask: PixelMask
  let order: NamedOrder
  let samples: Int
  let temperature: Double
  let seed: UInt64

  /// The order of the pixels: observed ones first.
  var pixelOrder: GenerationOrder { order.order.observedFirst(Set(mask.observedPixels)) }

  /// Reads the JSON object `body`.
  ///
  /// - Throws: a `Refusal` when it is none, or asks for what the model does not have or the limits do not allow; an error
  ///   of the data set when the example's file is damaged.
  init(json body: [UInt8], model: ServedModel, limits: ServingLimits) throws {
    let fields = try Fields(json: body)
    samples = fields.samples ?? 1
    guard (1...limits.samples).contains(samples) else {
      throw Refusal.wrongValue(key: "samples", expected: "from 1 to \(limits.samples), it is \(samples)")
    }
    temperature = fields.temperature ?? 1
    guard temperature >= 0 && temperature.isFinite else {
      throw Refusal.wrongValue(key: "temperature", expected: "at least 0, it is \(temperature)")
    }
    seed = fields.seed?.value ?? 1
    order = try fields.order.map { name throws(Refusal) in try model.order(named: name) } ?? model.orders[0]
    mask = try Self.mask(fields.missing, model: model, limits: limits)
    guard mask.isMissing.contains(true) else { throw Refusal.nothingMissing }
    switch (fields.image, fields.example) {
    case (let image?, nil):
      levels = try UploadedPicture.levels(png: Self.png(image, key: "image"), model: model, limits: limits)
    case (nil, let example?): levels = try model.example(example)
    case (nil, nil):
      guard !mask.isMissing.contains(false) else { throw Refusal.noImage }
      levels = [UInt8](repeating: 0, count: model.size.pixels * model.channels)
    case (_?, _?): throw Refusal.twoImages
    }
  }

  private static func mask(
    _ missing: Fields.Missing?, model: ServedModel, limits: ServingLimits
  ) throws(Refusal) -> PixelMask {
    let size = model.size
    switch missing {
    case nil: throw .wrongValue(key: "missing", expected: Fields.forms["missing"] ?? "")
    case .png(let text):
      return try UploadedPicture.mask(png: png(text, key: "missing"), model: model, limits: limits)
    case .rows(let rows):
      guard rows.count == size.rows else {
        throw .wrongRows(rows: rows.count, row: nil, columns: 0, expected: size)
      }
      for (index, row) in rows.enumerated() {
        guard row.count == size.columns else {
          throw .wrongRows(rows: rows.count, row: index, columns: row.count, expected: size)
        }
        guard row.allSatisfy({ $0 == 0 || $0 == 1 }) else {
          throw .wrongValue(key: "missing", expected: Fields.forms["missing"] ?? "")
        }
      }
      return PixelMask(size: size, isMissing: rows.joined().map { $0 == 1 })
    }
  }

  /// The bytes of a PNG file in base64, perhaps as a data URL.
  private static func png(_ text: String, key: String) throws(Refusal) -> [UInt8] {
    let prefix = "data:image/png;base64,"
    guard let data = Data(base64Encoded: text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text) else {
      throw .wrongValue(key: key, expected: Fields.forms[key] ?? "")
    }
    return [UInt8](data)
  }
}

/// The request as JSON holds it.
private struct Fields: Decodable {
  /// Rows of 0 and 1, or a PNG file.
  enum Missing: Decodable {
    case rows([[Int]])
    case png(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      do { self = .png(try container.decode(String.self)) } catch {
        self = .rows(try container.decode([[Int]].self))
      }
    }
  }

  /// A number, or, as JavaScript has none that large, its digits.
  struct Seed: Decodable {
    let value: UInt64

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      do { value = try container.decode(UInt64.self) } catch {
        guard let value = UInt64(try container.decode(String.self)) else { throw error }
        self.value = value
      }
    }
  }

  private struct Keys: Decodable {
    let names: [String]

    init(from decoder: any Decoder) throws {
      names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    }

    private struct AnyKey: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }

      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }

  let image: String?
  let example: Int?
  let missing: Missing?
  let order: String?
  let samples: Int?
  let temperature: Double?
  let seed: Seed?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case image, example, missing, order, samples, temperature, seed
  }

  /// What each must be.
  static let forms: [String: String] = [
    "image": "a PNG file in base64",
    "example": "the number of a test image",
    "missing": "rows of 0 and 1, 1 where a pixel is missing, or a PNG file in base64 with missing pixels dark",
    "order": "the name of an order",
    "samples": "a whole number",
    "temperature": "a number",
    "seed": "a whole number below 2^64, or its digits as a text",
  ]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // Foundation does not always say which value it cannot read.
    func value<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
      do { return try container.decodeIfPresent(Value.self, forKey: key) } catch {
        throw Refusal.wrongValue(key: key.rawValue, expected: Self.forms[key.rawValue] ?? "")
      }
    }
    image = try value(.image)
    example = try value(.example)
    missing = try value(.missing)
    order = try value(.order)
    samples = try value(.samples)
    temperature = try value(.temperature)
    seed = try value(.seed)
  }

  /// Reads the object `body`.
  ///
  /// - Throws: when it is not one, has other keys, or a value has another type.
  init(json body: [UInt8]) throws(Refusal) {
    let data = Data(body)
    let known = CodingKeys.allCases.map(\.rawValue)
    do {
      if let other = try JSONDecoder().decode(Keys.self, from: data).names.first(where: { !known.contains($0) }) {
        throw Refusal.unknownKey(other, known: known)
      }
      self = try JSONDecoder().decode(Fields.self, from: data)
    } catch let refusal as Refusal { throw refusal } catch {
      throw .notJSON(reason: body.isEmpty ? "it is empty" : "expected an object of \(known.joined(separator: ", "))")
    }
  }
}
