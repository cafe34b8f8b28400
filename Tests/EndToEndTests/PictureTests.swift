import Foundation
import Imaging
import TestSupport
import Testing

extension EndToEnd {
  /// `lmconv complete` and `lmconv sample` draw the same pictures whoever generates them.
  @Suite struct PictureTests {
    private static let teams: [(ranks: Int?, threads: Int)] = [(nil, 2), (1, 1), (2, 2), (3, 1), (4, 1)]

    private static func trained(_ trial: Trial) throws -> Workplace {
      let workplace = try trial.workplace()
      try workplace.run(ranks: 2, trial.arguments())
      return workplace
    }

    @Test(arguments: [
      (["complete", "run", "--missing", "bottom", "--count", "3", "--samples", "2"], ["--seed", "2"]),
      (["sample", "run", "--count", "5", "--variant", "5"], ["--seed", "2"]),
      (["complete", "run", "--missing", "2,3,5,6", "--first", "2", "--count", "2"], ["--temperature", "0"]),
    ])
    func picturesAreTheSameBytesOnAnyRanksAndThreads(command: [String], change: [String]) throws {
      let workplace = try Self.trained(Trial.binary(steps: 10))
      func picture(_ name: String, ranks: Int?, threads: Int, _ more: [String] = []) throws -> Data {
        try workplace.run(ranks: ranks, command + ["--threads", "\(threads)", "--out", name] + more)
        return try workplace.contents(name)
      }
      let alone = try picture("alone.png", ranks: nil, threads: 1)
      for (number, team) in Self.teams.enumerated() {
        #expect(try picture("\(number).png", ranks: team.ranks, threads: team.threads) == alone, "\(team)")
      }
      #expect(try picture("other.png", ranks: 2, threads: 1, change) != alone)
    }

    @Test(arguments: [
      Trial.binary(steps: 10), Trial.color(steps: 2, microbatches: 2, ordersPer: "microbatch"),
    ])
    func completionsKeepTheObservedPixels(trial: Trial) throws {
      let workplace = try Self.trained(trial)
      let side = trial.isColor ? 32 : 12
      let (top, left, height, width) = (side / 3, side / 4, side / 3, side / 2)
      let (count, samples) = (2, 2)
      try workplace.run(
        ranks: 2,
        [
          "complete", "run", "--missing", "\(top),\(left),\(height),\(width)", "--count", "\(count)", "--samples",
          "\(samples)", "--scale", "1", "--threads", "1", "--out", "picture.png",
        ])
      let picture = try PNGImage(contentsOf: workplace.path + "/picture.png")
      let gap = 2
      #expect(picture.rows == (samples + 2) * (side + gap) + gap && picture.columns == count * (side + gap) + gap)

      var generated: Set<[UInt8]> = []
      for image in 0..<count {
        func pixel(_ tile: Int, _ row: Int, _ column: Int) -> [UInt8] {
          picture[gap + tile * (side + gap) + row, gap + image * (side + gap) + column]
        }
        for row in 0..<side {
          for column in 0..<side {
            let isMissing = (top..<(top + height)).contains(row) && (left..<(left + width)).contains(column)
            let truth = pixel(samples + 1, row, column)
            for sample in 1...samples where isMissing { generated.insert(pixel(sample, row, column)) }
            for sample in 1...samples where !isMissing {
              #expect(pixel(sample, row, column) == truth, "image \(image), sample \(sample), (\(row), \(column))")
            }
            #expect(pixel(0, row, column) == (isMissing ? [92, 112, 150] : truth))
          }
        }
      }
      #expect(generated.count > 1)
      // Binary pixels are black or white.
      if !trial.isColor { #expect(generated.isSubset(of: [[0, 0, 0], [255, 255, 255]])) }
    }
  }
}
