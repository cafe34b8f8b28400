import Foundation
import Imaging
import Testing

/// `.npy` files, byte by byte as NumPy writes them.
struct NPYArrayTests {
  /// A file of version `version` with the header `text`, unpadded, and `elements`.
  private func file(_ text: String, elements: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(text.utf8) + elements
  }

  private func expectRefusal(_ message: String, _ bytes: [UInt8]) {
    let error = #expect(throws: NPYError.self) { try NPYArray(npy: bytes, path: "a.npy") }
    #expect(error?.description == "a.npy: " + message)
  }

  /// What `numpy.save` of version 2.4.6 writes for `arange(6, dtype=uint8).reshape(1, 2, 3)`.
  @Test func theBytesAreThoseOfNumPy() throws {
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3), }"
    let padded = text + String(repeating: " ", count: 118 - text.utf8.count - 1) + "\n"
    let bytes = file(padded, elements: [0, 1, 2, 3, 4, 5])
    #expect(bytes.count == 128 + 6)
    let array = try NPYArray(npy: bytes, path: "a.npy")
    #expect(array == NPYArray(shape: [1, 2, 3], elements: [0, 1, 2, 3, 4, 5]))
    let own = array.encoded
    #expect(try NPYArray(npy: own, path: "a.npy") == array)
    #expect((own.count - 6) % 64 == 0)
    #expect(own.starts(with: bytes.prefix(10 - 2)))
  }

  @Test(arguments: [
    "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }",
    "{'shape':(3,),'descr':\"<u1\",'fortran_order':False}\n",
    "{ 'fortran_order' : True , 'shape' : ( 3L , ) , 'descr' : '>u1' }   \n",
  ])
  func otherWaysToWriteTheSame(header: String) throws {
    for version: UInt8 in 1...3 {
      let array = try NPYArray(npy: file(header, elements: [7, 8, 9], version: version), path: "a.npy")
      #expect(array == NPYArray(shape: [3], elements: [7, 8, 9]))
    }
  }

  @Test func whatIsNoArrayIsTold() {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"
    expectRefusal("byte 0: not a NumPy file; write it with numpy.save", [])
    expectRefusal("byte 0: not a NumPy file; write it with numpy.save", Array("\u{89}PNG and more".utf8))
    expectRefusal(
      "byte 6: version 4.0 of the format, expected 1.0, 2.0 or 3.0", file(header, elements: [1, 2, 3], version: 4))
    expectRefusal("byte 67: 2 bytes of elements, expected 3", file(header, elements: [1, 2]))
    expectRefusal("byte 67: 4 bytes of elements, expected 3", file(header, elements: [1, 2, 3, 4]))
    expectRefusal(
      "byte 8: malformed header, expected a length of at most 54, not 57",
      Array(file(header, elements: []).dropLast(3)))
    expectRefusal(
      "elements of type '<f4', expected '|u1' (numpy.uint8)",
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", elements: [0, 0, 0, 0]))
    expectRefusal(
      "elements of type [('a', '|u1')], expected '|u1' (numpy.uint8)",
      file("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1,), }", elements: [0]))
    expectRefusal(
      "elements in Fortran order; save numpy.ascontiguousarray of the array",
      file("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2), }", elements: [0, 0]))
    expectRefusal(
      "shape [4294967296, 4294967296], expected one that fits in memory",
      file("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", elements: [0]))
  }

  @Test(arguments: [
    ("", 10, "'{'"), ("{", 11, "a text in quotes"), ("{'descr': '|u1'", 25, "'}'"),
    ("{'descr': '|u1}", 25, "the end of a text"), ("{'descr': '|u1', 'descr': '|u1'}", 27, ""),
    ("{'descr': '|u1', 'fortran_order': 0}", 44, "True or False"), ("{'descr': '|u1'}", 10, ""),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}", 61, "a size"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (1 2)}", 63, "')'"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}", 61, "a size"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} + 1", 66, "nothing after the dictionary"),
  ])
  func malformedHeadersNameTheByte(header: String, offset: Int, expected: String) {
    let error = #expect(throws: NPYError.self) { try NPYArray(npy: file(header, elements: [0]), path: "a.npy") }
    guard case .malformedHeader("a.npy", let found, let text)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == offset)
    if !expected.isEmpty { #expect(text == expected) }
  }

  /// Whatever a byte is changed to, reading ends in an array or an error.
  @Test func damagedFilesNeverCrash() {
    let bytes = NPYArray(shape: [2, 2], elements: [1, 2, 3, 4]).encoded
    var refused = 0
    for index in bytes.indices {
      for value in [0, 0x27, 0x28, 0x5c, 0x5b, 0xff] as [UInt8] {
        var damaged = bytes
        damaged[index] = value
        do { _ = try NPYArray(npy: damaged, path: "a.npy") } catch { refused += 1 }
        do { _ = try NPYArray(npy: Array(damaged[...index]), path: "a.npy") } catch { refused += 1 }
      }
    }
    #expect(refused > bytes.count * 6)
  }

  @Test func tablesAreRecordsOfDoubles() {
    let table = NPYTable(columns: [("a", [1, 2]), ("it's", [-0.5, .infinity])])
    let bytes = table.encoded
    let text = String(decoding: bytes[10..<(bytes.count - 32)], as: UTF8.self)
    #expect(
      text.hasPrefix(#"{'descr': [('a', '<f8'), ('it\'s', '<f8')], 'fortran_order': False, 'shape': (2, ), }"#))
    let doubles = stride(from: bytes.count - 32, to: bytes.count, by: 8).map { start in
      Double(bitPattern: bytes[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
    #expect(doubles == [1, -0.5, 2, .infinity])
  }
}
