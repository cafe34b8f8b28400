import Testing
import TensorFlowFormats

struct RecordReaderTests {
  private let payloads: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 300), [9]]
  private var file: [UInt8] { payloads.flatMap { RecordFrame.around($0) } }

  /// All records of `bytes`.
  private func records(_ bytes: [UInt8], limit: Int = 1 << 20) -> [Record] {
    var rest = bytes[...]
    var reader = RecordReader<Never>(limitBytes: limit) { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    var records: [Record] = []
    while let record = reader.next() { records.append(record) }
    return records
  }

  private func faults(_ records: [Record]) -> [RecordFault?] {
    records.map { record in
      if case .failure(let fault) = record.payload { return fault }
      return nil
    }
  }

  @Test func recordsAreReadInTurn() throws {
    let records = records(file)
    #expect(try records.map { try $0.payload.get() } == payloads)
    #expect(records.map(\.number) == [0, 1, 2, 3])
    #expect(records.map(\.offset) == [0, 19, 35, 351])
    #expect(self.records([]).isEmpty)
  }

  @Test func damagedBytesDoNotKeepFromTheNextRecord() throws {
    for place in 12..<19 {
      var bytes = file
      bytes[place] ^= 0x10
      let records = records(bytes)
      #expect(faults(records) == [.damagedData, nil, nil, nil], "byte \(place)")
      #expect(try records[3].payload.get() == [9])
    }
  }

  @Test func behindADamagedLengthNothingIsFound() {
    for place in 19..<31 {
      var bytes = file
      bytes[place] ^= 0x10
      let records = records(bytes)
      #expect(faults(records) == [nil, .damagedLength], "byte \(place)")
      #expect(records[1].offset == 19)
    }
  }

  @Test func aFileThatEndsEarlyIsToldWithTheNumbers() {
    for count in 1..<file.count where ![19, 35, 351].contains(count) {
      let last = faults(records(Array(file.prefix(count)))).last
      let start = [0, 19, 35, 351].last { $0 < count } ?? 0
      let found = count - start
      let expected = found < 12 ? 12 : [0: 19, 19: 16, 35: 316, 351: 17][start] ?? 0
      #expect(last == .truncated(expectedBytes: expected, foundBytes: found), "\(count) bytes")
    }
    // Between two records it may have ended there.
    #expect(faults(records(Array(file.prefix(35)))) == [nil, nil])
  }

  @Test func longRecordsAreRefusedBeforeTheyAreRead() {
    #expect(faults(records(file, limit: 299)) == [nil, nil, .tooLong(300, limit: 299)])
  }

  @Test func faultsAreToldInWords() {
    #expect(
      [
        RecordFault.damagedLength, .damagedData, .tooLong(300, limit: 299),
        .truncated(expectedBytes: 19, foundBytes: 3),
      ]
      .map(\.description) == [
        "its length does not have its checksum; no record behind it can be found",
        "its bytes do not have their checksum", "300 bytes, the limit is 299; no record behind it is read",
        "the file ends after 3 of its 19 bytes",
      ])
  }
}
