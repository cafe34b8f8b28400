import Checkpoints
import Orders
import TestSupport
import Testing

@Suite("Parity: orders") struct ParityOrders {
  struct Configuration: Decodable {
    struct Entry: Decodable {
      let key: String
      let order: BaseOrder
      let rows: Int
      let cols: Int
      let variant: OrderVariant
    }
    let entries: [Entry]
  }

  @Test func everyOrderIsThatOfTheReference() throws {
    for (name, file) in try Fixtures.all(prefix: "orders") {
      let entries = try Fixtures.configuration(Configuration.self, of: file).entries
      #expect(Set(entries.map(\.key)) == Set(file.tensors.keys), "\(name): entries and tensors differ")
      for entry in entries {
        let size = ImageSize(rows: entry.rows, columns: entry.cols)
        let order = try GenerationOrder(base: entry.order, size: size, variant: entry.variant)
        #expect(try order.pixels == pixels(entry.key, of: file, columns: size.columns), "\(name), \(entry.key)")
      }
    }
  }
}

/// The rows of the I32 tensor `name`, [pixels, 2] (row, column), as row * columns + column.
func pixels(_ name: String, of file: SafetensorsFile, columns: Int) throws -> [Int32] {
  let coordinates = try file.integers(name)
  return stride(from: 0, to: coordinates.count, by: 2).map {
    coordinates[$0] * Int32(columns) + coordinates[$0 + 1]
  }
}
