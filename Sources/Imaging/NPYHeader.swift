/// The header of a NumPy file (NEP 1, "A simple file format for NumPy arrays"): the bytes 93 4E 55 4D 50 59, two bytes of
/// version, the length of what follows (2 bytes in version 1.0, 4 in 2.0 and 3.0, little-endian), then a Python
/// dictionary of element type, order and shape, padded with spaces so that elements begin at a multiple of 64.
struct NPYHeader: Equatable {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let alignment = 64
  private static let limitBytes = 1 << 20

  /// Python's notation of the element type: a text such as `|u1`, with its quotes, or a list of fields.
  let type: String
  let isFortranOrder: Bool
  let shape: [Int]

  /// The bytes of the header.
  var encoded: [UInt8] {
    let sizes = shape.map { "\($0), " }.joined()
    let text = "{'descr': \(type), 'fortran_order': \(isFortranOrder ? "True" : "False"), 'shape': (\(sizes)), }"
    // Version 3.0 alone holds names beyond Latin letters.
    let version: UInt8 = text.utf8.allSatisfy { $0 < 0x80 } ? (text.utf8.count < 65_000 ? 1 : 2) : 3
    let prefix = Self.magic.count + 2 + (version == 1 ? 2 : 4)
    let unpadded = prefix + text.utf8.count + 1
    let padding = (Self.alignment - unpadded % Self.alignment) % Self.alignment
    let length = text.utf8.count + padding + 1
    let lengthBytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    let dictionary = Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0a]
    return Self.magic + [version, 0] + lengthBytes + dictionary
  }

  init(type: String, shape: [Int]) {
    self.type = type
    isFortranOrder = false
    self.shape = shape
  }

  /// Reads the header at the beginning of `bytes`; `end` becomes the offset of the first element.
  init(_ bytes: [UInt8], path: String, end: inout Int) throws(NPYError) {
    guard bytes.starts(with: Self.magic), bytes.count >= 10 else { throw .notNPY(path: path) }
    let (major, minor) = (bytes[6], bytes[7])
    guard (1...3).contains(major) && minor == 0 else {
      throw .unknownVersion(path: path, major: major, minor: minor)
    }
    let lengthBytes = major == 1 ? 2 : 4
    let start = 8 + lengthBytes
    guard bytes.count >= start else {
      throw .malformedHeader(path: path, offset: bytes.count, expected: "\(lengthBytes) bytes of its length")
    }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.limitBytes && length <= bytes.count - start else {
      throw .malformedHeader(
        path: path, offset: 8,
        expected: "a length of at most \(min(bytes.count - start, Self.limitBytes)), not \(length)")
    }
    end = start + length
    var parser = Parser(bytes: bytes[start..<end], path: path)
    (type, isFortranOrder, shape) = try parser.dictionary()
  }

  /// Reads the Python dictionary.
  private struct Parser {
    let bytes: ArraySlice<UInt8>
    let path: String
    var position: Int

    init(bytes: ArraySlice<UInt8>, path: String) {
      self.bytes = bytes
      self.path = path
      position = bytes.startIndex
    }

    mutating func dictionary() throws(NPYError) -> (type: String, isFortranOrder: Bool, shape: [Int]) {
      var type: String?
      var isFortranOrder: Bool?
      var shape: [Int]?
      try expect("{")
      while !accept("}") {
        let keyOffset = position
        let key = try text()
        try expect(":")
        switch key {
        case "'descr'" where type == nil: type = try element()
        case "'fortran_order'" where isFortranOrder == nil: isFortranOrder = try boolean()
        case "'shape'" where shape == nil: shape = try sizes()
        default: throw failure("'descr', 'fortran_order' and 'shape', each once", at: keyOffset)
        }
        if accept(",") { continue }
        try expect("}")
        break
      }
      skipSpace()
      guard position == bytes.endIndex else { throw failure("nothing after the dictionary") }
      guard let type, let isFortranOrder, let shape else {
        throw failure("'descr', 'fortran_order' and 'shape'", at: bytes.startIndex)
      }
      return (type, isFortranOrder, shape)
    }

    /// An element type: a text, or a list as it stands, which is not looked into.
    private mutating func element() throws(NPYError) -> String {
      skipSpace()
      guard position < bytes.endIndex, bytes[position] == UInt8(ascii: "[") else { return try text() }
      let start = position
      var depth = 0
      while position < bytes.endIndex {
        switch bytes[position] {
        case UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
          _ = try text()
          continue
        default: break
        }
        position += 1
        if depth == 0 { return String(decoding: bytes[start..<position], as: UTF8.self) }
      }
      throw failure("']'")
    }

    /// A text in either kind of quotes, returned in single ones.
    private mutating func text() throws(NPYError) -> String {
      skipSpace()
      guard position < bytes.endIndex, [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(bytes[position]) else {
        throw failure("a text in quotes")
      }
      let quote = bytes[position]
      let start = position + 1
      position = start
      while position < bytes.endIndex && bytes[position] != quote {
        position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
      }
      guard position < bytes.endIndex else {
        position = bytes.endIndex
        throw failure("the end of a text")
      }
      defer { position += 1 }
      return "'\(String(decoding: bytes[start..<position], as: UTF8.self))'"
    }

    private mutating func boolean() throws(NPYError) -> Bool {
      if accept("True") { return true }
      if accept("False") { return false }
      throw failure("True or False")
    }

    private mutating func sizes() throws(NPYError) -> [Int] {
      var sizes: [Int] = []
      try expect("(")
      while !accept(")") {
        skipSpace()
        let digits = bytes[position...].prefix { (0x30...0x39).contains($0) }
        guard let size = Int(String(decoding: digits, as: UTF8.self)) else { throw failure("a size") }
        position += digits.count
        // Python 2 wrote 3L.
        _ = bytes[position...].first == UInt8(ascii: "L") ? accept("L") : false
        sizes.append(size)
        if accept(",") { continue }
        try expect(")")
        break
      }
      return sizes
    }

    private mutating func expect(_ word: String) throws(NPYError) {
      guard accept(word) else { throw failure("'\(word)'") }
    }

    private mutating func accept(_ word: String) -> Bool {
      skipSpace()
      guard bytes[position...].starts(with: word.utf8) else { return false }
      position += word.utf8.count
      return true
    }

    private mutating func skipSpace() {
      while position < bytes.endIndex, [0x20, 0x0a, 0x09, 0x0d].contains(bytes[position]) { position += 1 }
    }

    private func failure(_ expected: String, at offset: Int? = nil) -> NPYError {
      .malformedHeader(path: path, offset: offset ?? position, expected: expected)
    }
  }
}
