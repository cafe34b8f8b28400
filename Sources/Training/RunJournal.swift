import Configuration
import EventFiles
import Imaging
import Tensors

/// What rank 0 writes of a run while it goes, for people and their tools: `metrics.jsonl`, TensorBoard's event files and
/// pictures. Nothing of it is needed to go on with the run.
final class RunJournal {
  private let metrics: MetricsFile
  private let events: EventFile?
  private let folder: RunFolder

  /// Opens the journal of the run in `folder`, begun or gone on with as `start` says. What an earlier attempt showed of
  /// later steps is void.
  ///
  /// - Throws: when a file cannot be written.
  init(_ folder: RunFolder, options: RunConfiguration.MonitoringOptions, orders: OrderSelection, start: ResumeRecord)
    throws
  {
    self.folder = folder
    metrics = try MetricsFile(path: folder.metrics)
    let isFirst = try EventFile.names(in: folder.events).isEmpty
    events = options.tensorboard ? try EventFile(folder: folder.events, firstStep: start.step + 1) : nil
    try metrics.append(start)
    let pictures = orders.test.map { named in
      let size = named.order.size
      return OrderPicture.draw(named.order, cellSide: max(1, min(12, 400 / max(size.rows, size.columns))))
    }
    let rows = stride(from: 0, to: pictures.count, by: 4).map { Array(pictures[$0..<min($0 + 4, pictures.count)]) }
    try folder.createPictures()
    try ImageGrid(gap: 8).picture(rows: rows).write(to: folder.orderPicture)
    guard isFirst else { return }
    try events?.append(
      step: start.step, zip(orders.test, pictures).map { ("orders/\($0.name)", try Self.value($1)) })
  }

  /// A step.
  ///
  /// - Throws: when it cannot be written.
  func append(_ record: StepRecord) throws {
    try metrics.append(record)
    try events?.append(step: record.step, record.scalars.map { ("training/\($0)", .scalar($1)) })
  }

  /// An evaluation.
  ///
  /// - Throws: when it cannot be written.
  func append(_ record: EvaluationRecord) throws {
    try metrics.append(record)
    try events?.append(step: record.step, record.scalars.map { ("evaluation/\($0)", .scalar($1)) })
  }

  /// A step that was not fit for an update.
  ///
  /// - Throws: when it cannot be written.
  func append(_ record: FaultRecord) throws { try metrics.append(record) }

  /// The run goes on from the earlier `step`.
  ///
  /// - Throws: when it cannot be written.
  func goBack(to step: Int) throws { try events?.goBack(to: step + 1) }

  /// Pictures that the model made after `step`, to files of their own and the event file.
  ///
  /// - Throws: when they cannot be written.
  func append(step: Int, _ pictures: [ModelPicture]) throws {
    guard !pictures.isEmpty else { return }
    for picture in pictures { try picture.image.write(to: folder.picture(picture.name, step: step)) }
    try events?.append(step: step, pictures.map { ("pictures/\($0.name)", try Self.value($0.image)) })
  }

  /// Histograms of `vector`, laid out as `layout` says, after `step`: one for each of its tensors, called `name` and the
  /// tensor's name.
  ///
  /// - Throws: when they cannot be written.
  func append(step: Int, histogramsOf vector: FloatBuffer, layout: ParameterLayout, name: String) throws {
    guard let events else { return }
    var values: [(tag: String, value: SummaryValue)] = []
    for entry in layout.entries {
      let histogram = ValueHistogram(layout.fileValues(of: entry, in: vector))
      if histogram.count > 0 { values.append(("\(name)/\(entry.name)", .histogram(histogram))) }
    }
    try events.append(step: step, values)
  }

  private static func value(_ picture: PNGImage) throws -> SummaryValue {
    .image(
      rows: picture.rows, columns: picture.columns, channels: picture.channels, encoded: try picture.encoded())
  }
}
