import CLibFuzzer
import Foundation
import FuzzedParsers

/// Feeds a parser with what libFuzzer makes of its seeds: `ParserFuzzer PARSER [OPTIONS] [FOLDERS]`, with libFuzzer's own
/// options. `ParserFuzzer PARSER --write-seeds FOLDER` writes the seeds. Tests/fuzz.sh builds and runs it.
@main enum ParserFuzzer {
  /// The parser that the first argument names; libFuzzer's callback has no room for it.
  private static let parser = CommandLine.arguments.dropFirst().first.flatMap { FuzzedParser(rawValue: $0) }

  static func main() throws {
    guard let parser else {
      print("usage: ParserFuzzer PARSER ..., with one of", FuzzedParser.allCases.map(\.rawValue).joined(separator: " "))
      exit(64)
    }
    var options = Array(CommandLine.arguments.dropFirst(2))
    if options.first == "--write-seeds" {
      for (index, seed) in try parser.seeds().enumerated() {
        try Data(seed).write(to: URL(fileURLWithPath: "\(options[1])/seed-\(index)"))
      }
      return
    }
    options.insert(CommandLine.arguments[0], at: 0)
    var count = Int32(options.count)
    // libFuzzer keeps the addresses until the process ends.
    let arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: options.count + 1)
    for (index, option) in options.enumerated() { arguments[index] = strdup(option) }
    arguments[options.count] = nil
    var start: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments
    exit(
      LLVMFuzzerRunDriver(&count, &start) { bytes, size in
        ParserFuzzer.parser?.check(Array(UnsafeBufferPointer(start: bytes, count: size)))
        return 0
      })
  }
}
