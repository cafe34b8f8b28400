import Foundation
import TestSupport

/// What one case of the suite did and what came of it, printed as one line.
struct FaultReport: CustomStringConvertible {
  /// What was done, to whom and when.
  let fault: String
  /// From the fault to the end of the job, or to what told of it; nil where nothing had to be noticed.
  var noticedSeconds: Double?
  /// The job's last line, or the one that tells of the fault.
  var said: String?
  /// Whether the final weights are bit for bit those of the undisturbed run; nil where no run was finished.
  var weightsAreEqual: Bool?

  /// The line.
  var description: String {
    var parts = ["fault: \(fault)"]
    if let noticedSeconds {
      parts.append("noticed after \(noticedSeconds.formatted(.number.precision(.fractionLength(2)))) s")
    }
    if let said { parts.append("said: \(said.isEmpty ? "nothing" : said)") }
    if let weightsAreEqual { parts.append("weights equal: \(weightsAreEqual ? "yes" : "no")") }
    return parts.joined(separator: " | ")
  }

  /// Prints the line at once, also where the output is a file.
  func show() {
    print(description)
    fflush(nil)
  }

  /// The last line of `errors` that tells something: mpirun frames its own text by lines of dashes.
  static func lastLine(of errors: String) -> String {
    errors.split(separator: "\n").last { line in line.contains(where: \.isLetter) }.map(String.init) ?? ""
  }
}
