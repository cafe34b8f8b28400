/// The live view of a run: bars of steps, epoch and evaluation, the last step's numbers, and how the ranks fare.
package struct ProgressPanel {
  let name: String
  let totalSteps: Int
  let stepsPerEpoch: Int
  /// Steps between evaluations; 0 where there is one at the end only.
  let evaluationInterval: Int
  /// The last step; none is taken yet when nil.
  package var record: StepRecord?
  package var secondsLeft = 0.0
  /// Images counted, and all, of an evaluation under way.
  package var evaluation: (done: Int, total: Int)?
  package var loads: [RankLoad] = []

  /// More ranks than this are summed up.
  private static let mostRanks = 6
  private static let labelWidth = 12

  /// The view of a run called `name` before its first step.
  package init(name: String, totalSteps: Int, stepsPerEpoch: Int, evaluationInterval: Int) {
    self.name = name
    self.totalSteps = totalSteps
    self.stepsPerEpoch = stepsPerEpoch
    self.evaluationInterval = evaluationInterval
  }

  /// The view, in lines of less than `width` characters.
  package func lines(width: Int) -> [String] {
    let step = record?.step ?? 0
    var lines = [
      "\(name): step \(step) of \(totalSteps), \(TrainingProgress.duration(record?.elapsedSeconds ?? 0)) trained, "
        + "\(TrainingProgress.duration(secondsLeft)) left",
      bar("steps", step, totalSteps, "", width: width), epochLine(step, width: width),
      evaluationLine(step, width: width),
    ]
    if let record {
      let number = TrainingProgress.number
      lines.append(
        label("loss") + "\(number(record.nats, 2)) nats  \(number(record.bitsPerDimension, 4)) bpd  gradient "
          + "\(number(record.gradientNorm, 2))  rate \(number(record.learningRate, 6))")
      lines.append(
        label("speed") + "\(number(record.imagesPerSecond, 1)) img/s"
          + (record.skippedSteps > 0 ? "  \(record.skippedSteps) steps passed over" : ""))
    }
    lines += rankLines(width: width)
    // A longer line would be broken into two, and the view drawn in the wrong place.
    return lines.map { String($0.prefix(max(width - 1, 1))) }
  }

  private func epochLine(_ step: Int, width: Int) -> String {
    // The last step of an epoch fills its bar.
    let done = step == 0 ? 0 : (step - 1) % stepsPerEpoch + 1
    return bar("epoch \(record?.epoch ?? 0)", done, stepsPerEpoch, "steps", width: width)
  }

  private func evaluationLine(_ step: Int, width: Int) -> String {
    if let evaluation { return bar("evaluation", evaluation.done, evaluation.total, "images", width: width) }
    let next =
      evaluationInterval > 0 ? min((step / evaluationInterval + 1) * evaluationInterval, totalSteps) : totalSteps
    return label("evaluation") + (step < totalSteps ? "next at step \(next)" : "done")
  }

  private func rankLines(width: Int) -> [String] {
    guard let most = loads.indices.max(by: { loads[$0].residentBytes < loads[$1].residentBytes }) else { return [] }
    let memory = loads.map { TrainingProgress.number($0.residentBytes / 1e6, 0) }
    var lines = [
      label("memory")
        + (loads.count == 1 ? "\(memory[0]) MB" : "rank 0 \(memory[0]) MB, most rank \(most) \(memory[most]) MB")
    ]
    // A rank that waits least is the one the others wait for.
    let waiting = loads.indices.sorted { (loads[$1].waitShare, $0) < (loads[$0].waitShare, $1) }
    let shown =
      loads.count <= Self.mostRanks
      ? Array(loads.indices) : Array(waiting.prefix(Self.mostRanks - 1)) + [waiting[waiting.count - 1]]
    for (place, rank) in shown.enumerated() where loads.count > 1 {
      let percent = "\(Int((loads[rank].waitShare * 100).rounded())) % of the step"
      lines.append(
        bar(place == 0 ? "wait rank \(rank)" : "     rank \(rank)", loads[rank].waitShare, percent, width: width))
    }
    if loads.count > Self.mostRanks { lines.append(label("") + "and \(loads.count - Self.mostRanks) ranks between") }
    return lines
  }

  private func label(_ text: String) -> String {
    text + String(repeating: " ", count: max(1, Self.labelWidth - text.count))
  }

  private func bar(_ name: String, _ done: Int, _ total: Int, _ unit: String, width: Int) -> String {
    let share = Double(done) / Double(max(total, 1))
    return bar(name, share, "\(done)/\(total)\(unit.isEmpty ? "" : " " + unit)", width: width)
  }

  private func bar(_ name: String, _ share: Double, _ text: String, width: Int) -> String {
    let places = min(40, max(8, width - Self.labelWidth - 26))
    let filled = Int(min(max(share, 0), 1) * Double(places))
    return label(name) + "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: places - filled)
      + "] " + text
  }
}
