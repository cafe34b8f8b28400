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

  @Test func whatBecameOfAWriteIsKnownWithoutWaiting() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    let background = BackgroundCheckpointWriter(writer)
    #expect(try background.poll() == nil)
    try background.submit(ExampleRun.contents(step: 1))
    while let path = background.pathUnderWay {
      #expect(path == writer.store.path(step: 1))
      background.wait(atMost: .milliseconds(1))
    }
    #expect(try background.poll()?.step == 1)
    #expect(try background.poll() == nil)
    try FileManager.default.removeItem(atPath: writer.store.folder)
    try Data().write(file: writer.store.folder)
    try background.submit(ExampleRun.contents(step: 2))
    background.wait(atMost: .seconds(60))
    let error = #expect(throws: CheckpointError.self) { try background.poll() }
    #expect(text(of: error) == "\(writer.store.folder): cannot create: File exists")
    #expect(try background.finish() == nil)
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
