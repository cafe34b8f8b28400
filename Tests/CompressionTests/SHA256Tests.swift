import Compression
import Testing

@Suite struct SHA256Tests {
  private func hash(_ parts: [[UInt8]]) -> String {
    var hash = SHA256()
    for part in parts { hash.update(part) }
    return hash.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The examples of FIPS 180-4.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func hashesOfKnownMessages(message: String, expected: String) {
    #expect(hash([Array(message.utf8)]) == expected)
  }

  @Test func aMillionLettersHaveTheKnownHash() {
    let part = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    #expect(
      hash([[UInt8]](repeating: part, count: 1000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func partsDoNotMatter() {
    let message = (0..<300).map { UInt8($0 % 251) }
    let whole = hash([message])
    for count in 0..<300 { #expect(hash([Array(message[..<count]), Array(message[count...])]) == whole) }
  }
}
