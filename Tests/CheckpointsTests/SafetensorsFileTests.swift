import Foundation
import Tensors
import TestSupport
import Testing

import Checkpoints

struct SafetensorsFileTests {
  private func file(header: String, data: [UInt8] = []) -> Data {
    let json = Data(header.utf8)
    return Data((0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }) + json + Data(data)
  }

  private var example: SafetensorsFile {
    var file = SafetensorsFile(metadata: ["configuration": "a: \"é\"\n"])
    file.add("weight", shape: [2, 1, 2], floats: [1, -2, .infinity, 0x1p-149])
    file.add("bias/é \"", shape: [], floats: [3])
    file.add("none", shape: [0, 5], floats: [])
    return file
  }

  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/model.safetensors"
    try example.write(to: path)
    let read = try SafetensorsFile(contentsOf: path)
    #expect(read.tensors == example.tensors)
    #expect(read.metadata == example.metadata)
    #expect(try read.floats("weight") == [1, -2, .infinity, 0x1p-149])
    #expect(try Data(file: path) == example.encoded())
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
  }

  /// Files of another writer: the golden data.
  @Test func filesOfTheReferenceAreRead() throws {
    for (name, file) in try Fixtures.all(prefix: "") {
      #expect(!file.tensors.isEmpty, "\(name)")
      #expect(try SafetensorsFile(data: file.encoded(), path: name).tensors == file.tensors, "\(name)")
    }
  }

  @Test func dataThatBeginsAtAnotherIndexIsRead() throws {
    let data = try (Data([1, 2, 3]) + example.encoded()).dropFirst(3)
    #expect(try SafetensorsFile(data: data, path: "x").tensors == example.tensors)
  }

  @Test(arguments: [
    (#"[]"#, "x: not a safetensors file: the header is not a JSON object"),
    (#"{"a": 1}"#, "x: not a safetensors file: entry 'a' is not an object"),
    (#"{"a": {}"#, "x: not a safetensors file: the header is not JSON, or has a number that is not an integer"),
    (#"{"__metadata__": {"a": 1}}"#, "x: not a safetensors file: metadata values are not all strings"),
    (
      #"{"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: the header is not JSON, or has a number that is not an integer"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [true], "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: tensor 'a' has no valid shape"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: tensor 'a' has no valid shape"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [false, 4]}}"#,
      "x: not a safetensors file: tensor 'a' has no valid data_offsets"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4.5]}}"#,
      "x: not a safetensors file: the header is not JSON, or has a number that is not an integer"
    ),
    (
      #"{"a": {"dtype": "F32", "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: tensor 'a' has no valid shape"
    ),
    (
      #"{"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: tensor 'a' has an unknown type F16"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [9223372036854775807, 3], "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: tensor 'a' has an impossible shape"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}"#,
      "x: not a safetensors file: tensor 'a' [2] F32 has 4 bytes"
    ),
    (
      #"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [9223372036854775803, 9223372036854775807]}}"#,
      "x: not a safetensors file: tensor 'a' begins at 9223372036854775803, expected 0"
    ),
    (
      #"{"a": {"dtype": "U8", "shape": [9223372036854775807], "data_offsets": [0, 9223372036854775807]}}"#,
      "x: truncated, 99 bytes where the header announces 9223372036854775807"
    ),
    (
      #"{"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}}"#,
      "x: not a safetensors file: 1 bytes after the last tensor"
    ),
  ])
  func badHeadersAreRefused(header: String, message: String) throws {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(data: file(header: header, data: [0, 0, 0, 0]), path: "x")
    }
    let found =
      message.contains("announces") ? message.replacing("99 bytes", with: "\(header.utf8.count + 12) bytes") : message
    #expect(text(of: error) == found)
  }

  @Test func lengthsBeyondTheFileAreRefused() throws {
    var error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(data: Data([UInt8](repeating: 255, count: 20)), path: "x")
    }
    #expect(
      text(of: error)
        == "x: not a safetensors file: a header of 18446744073709551615 bytes, the limit is 100000000")
    error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(data: Data([9, 0, 0, 0, 0, 0, 0, 0, 1]), path: "x")
    }
    #expect(text(of: error) == "x: truncated, 9 bytes where the header announces 17")
    error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(data: Data([9, 0]), path: "x") }
    #expect(text(of: error) == "x: truncated, 2 bytes where the header announces 8")
  }

  @Test func deeplyNestedHeadersAreRefused() throws {
    let deep = String(repeating: "{\"a\":", count: 100_000)
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(data: file(header: deep), path: "x") }
  }

  @Test func whatIsNoFileIsRefused() throws {
    let folder = try TemporaryFolder()
    var error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: folder.path) }
    #expect(text(of: error) == "\(folder.path): cannot read: Is a directory")
    error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: folder.path + "/x") }
    #expect(text(of: error) == "\(folder.path)/x: no such file or folder")
    error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: "/dev/zero") }
    #expect(text(of: error) == "/dev/zero: cannot read: Invalid argument")
  }

  @Test func wrongNamesAndTypesAreNamed() throws {
    var error = #expect(throws: SafetensorsError.self) { try example.floats("wieght") }
    #expect(text(of: error) == "(memory): no tensor 'wieght'")
    error = #expect(throws: SafetensorsError.self) { try example.doubles("weight") }
    #expect(text(of: error) == "(memory): tensor 'weight' is F32, expected F64")
  }

  /// Nothing but a thrown error may come of any bytes; what is accepted must be consistent.
  @Test func mutatedBytesNeverCrash() throws {
    let valid = try example.encoded()
    let tokens = ["-", ".", "e9", "9223372036854775807", "true", "null", "{", "]", "\"", "\\u", ",", "1.0", "\u{0}"]
    let seed: UInt64 = 20_260_101
    var generator = KeyedGenerator(seed: seed, purpose: .sampling)
    var accepted = 0
    for _ in 0..<4000 {
      var bytes = valid
      for _ in 0...generator.integer(below: 3) {
        // Mostly in the header, where the structure is.
        let end = generator.integer(below: 4) == 0 ? bytes.count : min(bytes.count, 330)
        guard end > 0 else { break }
        let place = generator.integer(below: end)
        switch generator.integer(below: 6) {
        case 0: bytes[place] ^= UInt8(1) << UInt8(generator.integer(below: 8))
        case 1: bytes[place] = UInt8(generator.integer(below: 256))
        case 2: bytes = bytes.prefix(place)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + generator.integer(below: 9)))
        case 4: bytes.insert(contentsOf: Data(tokens[generator.integer(below: tokens.count)].utf8), at: place)
        default:
          // A changed number keeps the JSON valid and reaches the checks behind it.
          let digits = bytes.indices.filter { $0 >= 8 && (0x30...0x39).contains(bytes[$0]) }
          if !digits.isEmpty {
            bytes[digits[generator.integer(below: digits.count)]] = UInt8(0x30 + generator.integer(below: 10))
          }
        }
      }
      do {
        let file = try SafetensorsFile(data: bytes, path: "x")
        accepted += 1
        for (name, tensor) in file.tensors {
          #expect(tensor.bytes.count == tensor.shape.reduce(tensor.type.bytes, *), "seed \(seed), '\(name)'")
          if tensor.type == .float32 { #expect(try file.floats(name).count * 4 == tensor.bytes.count) }
        }
      } catch {
        #expect(error.description.hasPrefix("x: "), "seed \(seed)")
      }
    }
    // Changed data, names and metadata are no fault of the format.
    #expect(accepted > 100 && accepted < 2000, "seed \(seed): \(accepted) accepted")
  }
}
