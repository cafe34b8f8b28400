import Orders
import TestSupport
import Testing

@Suite("Parity: masks") struct ParityMasks {
  struct Configuration: Decodable {
    struct Entry: Decodable {
      enum Kind: String, Decodable {
        case a = "A"
        case b = "B"
      }
      let key: String
      let order: BaseOrder
      let rows: Int
      let cols: Int
      let variant: OrderVariant
      let type: Kind
      let kernel: Int
      let dilation: Int
      let observed: Bool
    }
    let entries: [Entry]
  }

  @Test func everyMaskIsThatOfTheReference() throws {
    for (name, file) in try Fixtures.all(prefix: "masks") {
      let entries = try Fixtures.configuration(Configuration.self, of: file).entries
      let masks = file.tensors.keys.filter { !$0.hasSuffix(".order") && !$0.hasSuffix(".observed_pixels") }
      #expect(Set(entries.map(\.key)) == Set(masks), "\(name): entries and masks differ")
      for entry in entries {
        let size = ImageSize(rows: entry.rows, columns: entry.cols)
        let order = try GenerationOrder(base: entry.order, size: size, variant: entry.variant)
        #expect(
          try order.pixels == pixels(entry.key + ".order", of: file, columns: size.columns), "\(name), \(entry.key)")

        let observed =
          entry.observed ? try pixels(entry.key + ".observed_pixels", of: file, columns: size.columns) : []
        let window = KernelWindow(side: entry.kernel, dilation: entry.dilation)
        let mask = LocalMask(
          order: order, window: window, type: entry.type == .a ? .a : .b, observed: Set(observed.map(Int.init)))
        let expected = try file.tensor(entry.key)
        #expect(expected.shape == [window.taps, size.pixels], "\(name), \(entry.key)")
        #expect(mask.visible == Array(expected.bytes), "\(name), \(entry.key)")
      }
    }
  }
}
