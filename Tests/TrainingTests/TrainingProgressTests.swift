import Logging
import Testing
import Training

struct TrainingProgressTests {
  @Test(arguments: [
    (0.0, "0:00"), (0.4, "0:00"), (9.5, "0:10"), (59.4, "0:59"), (59.6, "1:00"), (125, "2:05"), (3599.4, "59:59"),
    (3599.6, "1:00:00"), (3723, "1:02:03"), (360_000, "100:00:00"),
  ])
  func durationsReadAsAClock(seconds: Double, expected: String) {
    #expect(TrainingProgress.duration(seconds) == expected)
  }

  @Test func workIsABarWithTheTimeLeft() {
    let progress = WorkProgress("generating", unit: "pixels", total: 784, isShown: true, log: Logger(label: "test"))
    #expect(
      progress.line(196, seconds: 4) == "generating [#######.......................] 196/784 pixels  0:12 left")
    #expect(
      progress.line(784, seconds: 16) == "generating [##############################] 784/784 pixels  0:00 left")
  }

  @Test(arguments: [(1.005, 1, "1.0"), (2.25, 0, "2"), (0.00004, 4, "0.0000"), (-3.14159, 3, "-3.142")])
  func numbersHaveTheirDigits(value: Double, digits: Int, expected: String) {
    #expect(TrainingProgress.number(value, digits) == expected)
  }
}
