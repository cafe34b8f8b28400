/// The name of a checkpoint's folder: `step-` and the step with at least eight digits, so that names sort as steps do.
package struct CheckpointName: Equatable, Comparable, Sendable {
  package let step: Int

  package init(step: Int) {
    precondition(step >= 0, "CheckpointName: step \(step)")
    self.step = step
  }

  /// The step of the folder called `folderName`; nil unless it is exactly as this program names folders.
  init?(folderName: String) {
    guard folderName.hasPrefix("step-"), let step = Int(folderName.dropFirst(5)), step >= 0 else { return nil }
    self.step = step
    guard text == folderName else { return nil }
  }

  /// Such as `step-00002000`.
  package var text: String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  package static func < (left: CheckpointName, right: CheckpointName) -> Bool { left.step < right.step }
}
