import CZlib
import Foundation

/// `bytes` packed as one member of a gzip file.
func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
  let folder = try TemporaryFolder()
  let path = "\(folder.path)/packed.gz"
  let file = gzopen(path, "wb9")
  let written = bytes.withUnsafeBufferPointer { gzwrite(file, $0.baseAddress, UInt32($0.count)) }
  guard gzclose(file) == Z_OK, written == bytes.count else { throw POSIXError(.EIO) }
  return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// An IDX file: a magic number and sizes, then `elements`.
func idx(magic: UInt32, sizes: [UInt32], elements: [UInt8]) -> [UInt8] {
  ([magic] + sizes).flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } } + elements
}

/// The IDX file of `count` images of `rows` by `columns` whose values count up.
func idxImages(count: Int, rows: Int, columns: Int) -> [UInt8] {
  idx(
    magic: 0x803, sizes: [UInt32(count), UInt32(rows), UInt32(columns)],
    elements: (0..<(count * rows * columns)).map { UInt8(truncatingIfNeeded: $0) })
}

/// The IDX file of `labels`.
func idxLabels(_ labels: [UInt8]) -> [UInt8] { idx(magic: 0x801, sizes: [UInt32(labels.count)], elements: labels) }

/// The first index where two arrays differ, in elements or in length: of long arrays it tells more than both in full.
func firstDifference(_ first: [UInt8], _ second: [UInt8]) -> Int? {
  zip(first, second).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    ?? (first.count == second.count ? nil : min(first.count, second.count))
}
