import Foundation

/// The memory of another process, read and written from outside: what a faulty memory module does to it.
struct ProcessMemory {
  private let process: pid_t
  private let descriptor: Int32

  init(of process: pid_t) throws {
    self.process = process
    descriptor = open("/proc/\(process)/mem", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw CocoaError(.fileReadNoPermission) }
  }

  func close() { _ = Foundation.close(descriptor) }

  /// Addresses of `pattern`, at multiples of 64 bytes, in memory that the process can write.
  func addresses(of pattern: Data) throws -> [Int] {
    var found: [Int] = []
    for line in try String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).split(separator: "\n") {
      let fields = line.split(separator: " ")
      let bounds = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
      guard fields[1].hasPrefix("rw"), bounds.count == 2, !line.hasSuffix("[vvar]") else { continue }
      var chunk = [UInt8](repeating: 0, count: 1 << 20)
      for start in stride(from: bounds[0], to: bounds[1], by: chunk.count) {
        let count = pread(descriptor, &chunk, min(chunk.count, bounds[1] - start), off_t(start))
        guard count > 0 else { break }
        for offset in stride(from: 0, through: count - pattern.count, by: 64)
        where chunk[offset] == pattern[0] && chunk[offset..<(offset + pattern.count)].elementsEqual(pattern) {
          found.append(start + offset)
        }
      }
    }
    return found
  }

  func read(at address: Int) -> UInt32? {
    var value: UInt32 = 0
    return pread(descriptor, &value, 4, off_t(address)) == 4 ? value : nil
  }

  func write(_ value: UInt32, at address: Int) {
    withUnsafeBytes(of: value) { _ = pwrite(descriptor, $0.baseAddress, 4, off_t(address)) }
  }
}
