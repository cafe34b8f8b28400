import Imaging
import Testing

struct AxisTicksTests {
  @Test(arguments: [
    (0.0...10.0, ["0", "2", "4", "6", "8", "10"]), (0.13...0.42, ["0.2", "0.3", "0.4"]),
    (-1...1, ["-1.0", "-0.5", "0.0", "0.5", "1.0"]), (1e7...3e7, ["1e+07", "1.5e+07", "2e+07", "2.5e+07", "3e+07"]),
    (5...5, ["5"]),
  ])
  func ticksAreRoundNumbersWithinTheRange(range: ClosedRange<Double>, labels: [String]) {
    let ticks = AxisTicks.ticks(range, about: 5)
    #expect(ticks.map(\.label) == labels)
    #expect(ticks.allSatisfy { range.contains($0.value) })
  }
}
