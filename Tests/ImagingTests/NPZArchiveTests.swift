import Foundation
import Imaging
import TestSupport
import Testing

/// `Tests/Fixtures/pictures` holds archives written by NumPy.
@Suite struct NPZArchiveTests {
  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: Fixtures.packageRoot + "/Tests/Fixtures/pictures/" + name)))
  }

  private func readAll(_ bytes: [UInt8]) throws(NPZError) -> [[UInt8]] {
    let archive = try NPZArchive(npz: bytes, path: "a.npz")
    var members: [[UInt8]] = []
    for member in archive.members { members.append(try archive.bytes(of: member)) }
    return members
  }

  private func message(_ bytes: [UInt8]) -> String? {
    do {
      _ = try readAll(bytes)
      return nil
    } catch { return error.description }
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func whatNumPyWritesIsRead(name: String) throws {
    let archive = try NPZArchive(npz: bytes(name), path: name)
    #expect(archive.members.map(\.name) == ["grey.npy", "labels.npy", "colour.npy"])
    let grey = try NPYArray(npz: archive, member: 0)
    #expect(grey.shape == [2, 3, 4] && grey.elements == Array(0..<24))
    let colour = try NPYArray(npz: archive, member: 2)
    #expect(colour.shape == [2, 3, 4, 3])
    let expected: [UInt8] = (0..<24).flatMap { (value: UInt8) -> [UInt8] in [value, value + 50, value + 100] }
    #expect(colour.elements == expected)
    let labels = try archive.bytes(of: archive.members[1])
    #expect(try NPYArray.shape(npy: labels, path: "labels.npy") == [2])
  }

  @Test func otherFilesAreRefused() {
    let expected =
      "a.npz: byte 9: not a readable .npz file, expected the end of a ZIP archive; write it with numpy.savez"
    #expect(message(Array("not a zip".utf8)) == expected)
    #expect(message([])?.hasPrefix("a.npz: byte 0: not a readable .npz file") == true)
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func filesThatEndEarlyAreRefused(name: String) throws {
    let whole = try bytes(name)
    for count in 0..<whole.count { #expect(message(Array(whole.prefix(count))) != nil, "\(count) bytes") }
  }

  @Test func aChangedElementIsNoticed() throws {
    var stored = try bytes("stored.npz")
    // An element of the first member, behind its header.
    let place = try #require(stored.firstRange(of: Array(0..<24 as Range<UInt8>))?.lowerBound)
    stored[place + 5] ^= 1
    #expect(message(stored) == "a.npz: 'grey.npy' is damaged: its checksum does not fit")
  }

  @Test(arguments: ["stored.npz", "deflated.npz"]) func noChangedByteOfAMemberPassesUnnoticed(name: String) throws {
    let whole = try bytes(name)
    let expected = try readAll(whole)
    for place in whole.indices {
      var changed = whole
      changed[place] ^= 0x10
      do {
        let members = try readAll(changed)
        // Dates, names and the like: nothing of the arrays. A name that is changed hides no member.
        #expect(members == expected, "byte \(place)")
      } catch { #expect(error.description.hasPrefix("a.npz: "), "byte \(place)") }
    }
  }

  @Test func otherMethodsOfPackingAreRefused() throws {
    var stored = try bytes("stored.npz")
    let directory = try #require(stored.firstRange(of: [0x50, 0x4B, 1, 2])?.lowerBound)
    stored[directory + 10] = 12
    #expect(
      message(stored)
        == "a.npz: 'grey.npy' is packed by method 12; write it with numpy.savez or numpy.savez_compressed")
    stored[directory + 8] |= 1
    #expect(message(stored)?.hasPrefix("a.npz: 'grey.npy' is encrypted; ") == true)
  }
}

extension NPYArray {
  fileprivate init(npz archive: NPZArchive, member: Int) throws {
    try self.init(npy: archive.bytes(of: archive.members[member]), path: archive.members[member].name)
  }
}
