import Foundation
import Testing

import Checkpoints

struct BackgroundCheckpointWriterTests {
  @Test func everySubmittedCheckpointIsWritten() throws {
    let folder = try TemporaryFolder()
    let background = BackgroundCheckpointWriter(try ExampleRun.writer(folder.path, keepLast: 2))
    #expect(try background.submit(ExampleRun.contents(step: 1)) == nil)
    #expect(try background.submit(ExampleRun.contents(step: 2))?.step == 1)
    #expect(try background.submit(ExampleRun.contents(step: 3))?.step == 2)
    let last = try background.finish()
    #expect(last?.step == 3)
    #expect(last?.removed == [1])
    #expect(try background.finish() == nil)
    #expect(
      try CheckpointStore(runFolder: folder.path).latestValid().checkpoint?.contents == ExampleRun.contents(step: 3))
  }

  @Test func errorsSurfaceAtTheNextCallOnce() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    let background = BackgroundCheckpointWriter(writer)
    try FileManager.default.removeItem(atPath: writer.store.folder)
    try Data().write(file: writer.store.folder)
    let message = "\(writer.store.folder): cannot create: File exists"
    try background.submit(ExampleRun.contents(step: 1))
    var error = #expect(throws: CheckpointError.self) { try background.submit(ExampleRun.contents(step: 2)) }
    #expect(text(of: error) == message)
    #expect(try background.finish() == nil)
    try background.submit(ExampleRun.contents(step: 1))
    error = #expect(throws: CheckpointError.self) { try background.finish() }
    #expect(text(of: error) == message)
    // It goes on once the cause is gone.
    try FileManager.default.removeItem(atPath: writer.store.folder)
    try background.submit(ExampleRun.contents(step: 3))
    #expect(try background.finish()?.step == 3)
  }
}
