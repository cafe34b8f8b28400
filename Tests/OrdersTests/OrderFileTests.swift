import Foundation
import Orders
import Testing

@Suite struct OrderFileTests {
  private let size = ImageSize(rows: 2, columns: 2)

  private func parse(_ text: String) throws -> GenerationOrder {
    try OrderFile.parse(text, path: "my.order", size: size)
  }

  @Test func readsPairsCommentsAndBlankLines() throws {
    let order = try parse("# a comment\n\n1 1\n  0\t1   # the top right\n0 0\n   \n1 0")
    #expect(order.pixels == [3, 1, 0, 2])
    #expect(try parse("1 1\r\n0 1\r\n0 0\r\n1 0\r\n") == order)
  }

  @Test func textOfAnOrderIsReadBack() throws {
    for variant in OrderVariant.allCases {
      let size = ImageSize(rows: 5, columns: 12)
      let order = try GenerationOrder(base: .generalizedHilbert, size: size, variant: variant)
      #expect(try OrderFile.parse(OrderFile.text(of: order), path: "my.order", size: size) == order)
    }
    let order = try GenerationOrder(base: .sCurve, size: size)
    #expect(OrderFile.text(of: order) == "# generation order of a 2x2 image: row column\n0 0\n0 1\n1 1\n1 0\n")
  }

  @Test func writtenFileIsReadBack() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).order").path
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
    let order = try GenerationOrder(base: .hilbert, size: ImageSize(rows: 8, columns: 8))
    try OrderFile.write(order, path: path)
    #expect(try OrderFile.read(path: path, size: order.size) == order)
    // A file for another image size is refused, too.
    #expect(
      message { try OrderFile.read(path: path, size: ImageSize(rows: 8, columns: 9)) }
        == "\(path): 64 pixels where a 8x9 image has 72; the first one missing is (0, 8)")
  }

  @Test func wrongNumberOfFieldsIsRefused() {
    #expect(message { try parse("0 0\n1\n") } == "my.order:2: expected a row and a column, found 1 field")
    #expect(message { try parse("0 0 0\n") } == "my.order:1: expected a row and a column, found 3 fields")
  }

  @Test func badNumberIsRefused() {
    #expect(
      message { try parse("0 0\n\n0 1.5\n") }
        == "my.order:3: '1.5' is not a whole number; a line holds a row and a column")
    #expect(
      message { try parse("row column\n") }
        == "my.order:1: 'row' is not a whole number; a line holds a row and a column")
  }

  @Test func pixelOutsideTheImageIsRefused() {
    #expect(
      message { try parse("0 0\n0 2\n") }
        == "my.order:2: pixel (0, 2) is outside the 2x2 image (rows 0 to 1, columns 0 to 1)")
    #expect(
      message { try parse("-1 0\n") }
        == "my.order:1: pixel (-1, 0) is outside the 2x2 image (rows 0 to 1, columns 0 to 1)")
  }

  @Test func repeatedPixelIsRefusedWithBothLines() {
    #expect(
      message { try parse("# order\n0 0\n1 0\n0 0\n") }
        == "my.order:4: pixel (0, 0) is already on line 2; each pixel comes once")
  }

  @Test func missingPixelsAreRefused() {
    #expect(
      message { try parse("0 0\n0 1\n1 1\n") }
        == "my.order: 3 pixels where a 2x2 image has 4; the first one missing is (1, 0)")
    #expect(message { try parse("") } == "my.order: 0 pixels where a 2x2 image has 4; the first one missing is (0, 0)")
  }

  @Test func unreadableFilesAreNamed() throws {
    let folder = FileManager.default.temporaryDirectory.path
    #expect(
      message { try OrderFile.read(path: folder + "/no such.order", size: size) }
        == "\(folder)/no such.order: no such file or directory")
    #expect(message { try OrderFile.read(path: folder, size: size) } == "\(folder): is a directory")
    let order = try GenerationOrder(base: .sCurve, size: size)
    let path = folder + "/no such folder/my.order"
    #expect(throws: OrderFileError.inaccessible(path: path, reason: "no such file or directory")) {
      try OrderFile.write(order, path: path)
    }
  }

  @Test func fileThatIsNotTextIsRefused() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).order").path
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
    try Data([0x30, 0x20, 0xFF]).write(to: URL(fileURLWithPath: path))
    #expect(message { try OrderFile.read(path: path, size: size) } == "\(path): not UTF-8 text")
  }
}
