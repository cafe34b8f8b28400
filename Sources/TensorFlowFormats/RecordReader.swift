/// What is wrong with a record of a TFRecord file.
package enum RecordFault: Error, Equatable, CustomStringConvertible {
  /// The length does not have its checksum, so that nobody knows where the next record begins.
  case damagedLength
  /// The record is longer than any that is read.
  case tooLong(UInt64, limit: Int)
  /// The bytes do not have their checksum.
  case damagedData
  /// The file ends within the record.
  case truncated(expectedBytes: Int, foundBytes: Int)

  /// Whether no record behind it can be read.
  package var isLast: Bool { self != .damagedData }

  package var description: String {
    switch self {
    case .damagedLength: return "its length does not have its checksum; no record behind it can be found"
    case .tooLong(let bytes, let limit):
      return "\(bytes) bytes, the limit is \(limit); no record behind it is read"
    case .damagedData: return "its bytes do not have their checksum"
    case .truncated(let expected, let found): return "the file ends after \(found) of its \(expected) bytes"
    }
  }
}

/// A record of a TFRecord file.
package struct Record: Sendable {
  /// Its number in the file, from 0.
  package let number: Int
  /// Where it begins, with its length.
  package let offset: Int
  /// Its bytes, or what is wrong with it.
  package let payload: Result<[UInt8], RecordFault>
}

/// Reads the records of a TFRecord file one after the other, and compares each with its checksums.
package struct RecordReader<Failure: Error> {
  /// A length and its checksum.
  private static var headerBytes: Int { 12 }
  private static var checksumBytes: Int { 4 }

  private let read: (_ count: Int) throws(Failure) -> [UInt8]
  private let limitBytes: Int
  private var offset = 0
  private var number = 0
  private var isAtEnd = false

  /// The records of what `read` returns, which is as many bytes as asked for, and fewer at the end only. A record has at
  /// most `limitBytes`.
  package init(limitBytes: Int = 1 << 28, read: @escaping (_ count: Int) throws(Failure) -> [UInt8]) {
    self.read = read
    self.limitBytes = limitBytes
  }

  /// The next record; nil behind the last one, or behind one after which none can be found.
  ///
  /// - Throws: what `read` throws.
  package mutating func next() throws(Failure) -> Record? {
    guard !isAtEnd else { return nil }
    let (start, index) = (offset, number)
    let header = try read(Self.headerBytes)
    guard !header.isEmpty else {
      isAtEnd = true
      return nil
    }
    let payload = try payload(after: header)
    if case .failure(let fault) = payload { isAtEnd = fault.isLast }
    number += 1
    return Record(number: index, offset: start, payload: payload)
  }

  private mutating func payload(after header: [UInt8]) throws(Failure) -> Result<[UInt8], RecordFault> {
    guard header.count == Self.headerBytes else {
      return .failure(.truncated(expectedBytes: Self.headerBytes, foundBytes: header.count))
    }
    guard CRC32C.masked(header[..<8]) == UInt32(RecordFrame.integer(header[8...])) else {
      return .failure(.damagedLength)
    }
    let length = RecordFrame.integer(header[..<8])
    guard length <= limitBytes else { return .failure(.tooLong(length, limit: limitBytes)) }
    let expected = Int(length) + Self.checksumBytes
    var bytes = try read(expected)
    guard bytes.count == expected else {
      return .failure(
        .truncated(
          expectedBytes: Self.headerBytes + expected, foundBytes: Self.headerBytes + bytes.count))
    }
    offset += Self.headerBytes + expected
    let checksum = UInt32(RecordFrame.integer(bytes[Int(length)...]))
    bytes.removeLast(Self.checksumBytes)
    return CRC32C.masked(bytes[...]) == checksum ? .success(bytes) : .failure(.damagedData)
  }
}
