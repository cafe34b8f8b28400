import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// The live view, in a terminal that `script` provides.
  @Suite struct LiveViewTests {
    /// What a terminal shows after `output`: the control sequences that the view uses, and no others.
    private func screen(_ output: String) throws -> [String] {
      var lines: [[Character]] = [[]]
      var (row, column) = (0, 0)
      // Letter by letter: "\r\n" would be one character.
      var rest = output.unicodeScalars[...]
      func move(to newRow: Int) {
        row = newRow
        while lines.count <= row { lines.append([]) }
      }
      while let scalar = rest.popFirst() {
        switch scalar {
        case "\r": column = 0
        // The terminal's own settings add the carriage return.
        case "\n": move(to: row + 1)
        case "\u{1B}":
          #expect(rest.popFirst() == "[")
          let digits = String(String.UnicodeScalarView(rest.prefix { ("0"..."9").contains($0) }))
          rest = rest.dropFirst(digits.count)
          let count = Int(digits) ?? 1
          switch rest.popFirst() {
          case "A"?: row = try #require(row >= count ? row - count : nil, "above the first line")
          case "B"?: move(to: row + count)
          case "J"?, "K"?:
            lines[row] = Array(lines[row].prefix(column))
            lines.removeLast(lines.count - 1 - row)
          case let other: Issue.record("control sequence \(String(describing: other))")
          }
        default:
          while lines[row].count <= column { lines[row].append(" ") }
          lines[row][column] = Character(scalar)
          column += 1
        }
      }
      return lines.map { String($0) }
    }

    private func output(_ trial: Trial, ranks: Int) throws -> String {
      let workplace = try trial.workplace()
      let words =
        ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "\(ranks)", "-x", "LMCONV_TERMINAL"]
        + ["-x", "LMCONV_COLUMNS", Workplace.program] + trial.arguments() + ["--progress", "rich"]
      let command = words.map { "'\($0)'" }.joined(separator: " ")
      let job = try workplace.start(
        shell:
          "LMCONV_TERMINAL=1 LMCONV_COLUMNS=70 script --quiet --return --command \"\(command)\" typescript </dev/null")
      #expect(try job.waitForEnd(within: 60) == .exited(0), "\(job.errors)")
      let text = String(decoding: try workplace.contents("typescript"), as: UTF8.self)
      // `script` writes a line of its own before and after.
      let begin = try #require(text.firstIndex { $0.isNewline })
      let end = try #require(text.range(of: "\nScript done", options: .backwards))
      return String(text[text.index(after: begin)..<end.lowerBound])
    }

    @Test func aTerminalShowsBarsBelowTheLog() throws {
      let trial = Trial.binary(steps: 12, ["evaluation.every_steps=5", "run.log_every_steps=1"])
      let screen = try screen(try output(trial, ranks: 2))
      // What was logged is whole, above the view and below it.
      let text = screen.joined(separator: "\n")
      for step in [5, 10, 12] { #expect(screen.contains { $0.hasPrefix("step \(step): test likelihood ") }, "\(text)") }
      #expect(screen.contains { $0.hasPrefix("training: ") } && screen.contains { $0.hasPrefix("done: run holds ") })
      let views = screen.indices.filter { screen[$0].hasPrefix("digits: step ") }
      #expect(views.count == 1, "\(text)")
      let view = Array(screen[try #require(views.first)...].prefix(9))
      #expect(view[0].hasPrefix("digits: step 12 of 12, 0:"))
      #expect(view[1].hasPrefix("steps       [") && view[1].hasSuffix("#] 12/12"))
      #expect(view[2].hasPrefix("epoch 1     [") && view[2].contains(" 6/6 steps"))
      #expect(view[3].hasPrefix("evaluation  "))
      #expect(view[4].contains(" nats  ") && view[5].contains(" img/s") && view[6].hasPrefix("memory      rank 0 "))
      #expect(view[7].hasPrefix("wait rank 0 [") && view[8].hasPrefix("     rank 1 ["))
      #expect(view.allSatisfy { $0.count < 70 })
      // No steps were logged as lines.
      #expect(!screen.contains { $0.hasPrefix("step 3/12") })
    }

    @Test func withoutATerminalThereArePlainLines() throws {
      let trial = Trial.binary(steps: 3, ["run.log_every_steps=1", "run.progress=rich"])
      let workplace = try trial.workplace()
      let printed = try workplace.run(ranks: 2, trial.arguments()).errors
      #expect(!printed.contains("\u{1B}") && !printed.contains("\r"))
      #expect(printed.contains("step 3/3  epoch 0  "))
    }
  }
}
