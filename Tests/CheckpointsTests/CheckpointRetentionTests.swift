import Testing

import Checkpoints

struct CheckpointRetentionTests {
  @Test func theLastAreKept() {
    let retention = CheckpointRetention(keepLast: 2)
    #expect(retention.removable(metrics: [1: nil], written: 1) == [])
    #expect(retention.removable(metrics: [1: nil, 2: nil, 3: nil, 4: nil], written: 4) == [1, 2])
  }

  @Test func multiplesAreKept() {
    let retention = CheckpointRetention(keepLast: 1, keepEvery: 100)
    #expect(
      retention.removable(metrics: [0: nil, 50: nil, 100: nil, 150: nil, 200: nil, 250: nil], written: 250) == [
        50, 150,
      ])
  }

  @Test func theBestIsKept() {
    let retention = CheckpointRetention(keepLast: 1)
    #expect(retention.removable(metrics: [1: 3, 2: 1, 3: 1, 4: 2], written: 4) == [1, 3])
    #expect(retention.removable(metrics: [1: nil, 2: 5, 3: nil], written: 3) == [1])
  }

  @Test func theOneJustWrittenIsKeptWhateverElseIsThere() {
    let retention = CheckpointRetention(keepLast: 1)
    #expect(retention.removable(metrics: [10: nil, 20: nil, 30: nil], written: 10) == [20])
  }
}
