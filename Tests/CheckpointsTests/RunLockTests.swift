import Foundation
import Testing

import Checkpoints

struct RunLockTests {
  @Test func aSecondRunIsToldWhoHoldsTheFolder() throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/new/run"
    try withExtendedLifetime(RunLock(runFolder: run)) {
      let error = #expect(throws: CheckpointError.self) { try RunLock(runFolder: run + "/") }
      let message = text(of: error)
      let holder = "process \(ProcessInfo.processInfo.processIdentifier) on "
      #expect(message.hasPrefix("run folder \(run) is in use by \(holder)"))
      #expect(
        message.firstMatch(
          of: /since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ; wait for it, stop it, or choose another run folder$/) != nil)
    }
    // The file is still there; the lock is not.
    #expect(FileManager.default.fileExists(atPath: run + "/lock"))
    _ = try RunLock(runFolder: run)
  }

  @Test func whoHoldsTheFolderIsToldWithoutTakingIt() throws {
    let folder = try TemporaryFolder()
    #expect(try RunLock.holder(ofRunFolder: folder.path + "/none") == nil)
    try withExtendedLifetime(RunLock(runFolder: folder.path)) {
      let holder = try #require(try RunLock.holder(ofRunFolder: folder.path + "/"))
      #expect(holder.hasPrefix("process \(ProcessInfo.processInfo.processIdentifier) on "))
    }
    #expect(try RunLock.holder(ofRunFolder: folder.path) == nil)
    _ = try RunLock(runFolder: folder.path)
  }

  @Test func aRunThatWasNotLeftInGoodOrderIsTakenOverWithAMessage() throws {
    let folder = try TemporaryFolder()
    try withExtendedLifetime(RunLock(runFolder: folder.path)) { #expect($0.abandonedBy == nil) }
    // The first ended without a word, as after a crash.
    let second = try RunLock(runFolder: folder.path)
    let abandoned = try #require(second.abandonedBy)
    #expect(abandoned.hasPrefix("process \(ProcessInfo.processInfo.processIdentifier) on "))
    #expect(abandoned.hasSuffix("Z, which ended without leaving it"), "\(abandoned)")
    try second.release()
    // Still locked until its end.
    #expect(throws: CheckpointError.self) { try RunLock(runFolder: folder.path) }
  }

  @Test func aRunThatWasLeftInGoodOrderIsTakenOverWithoutOne() throws {
    let folder = try TemporaryFolder()
    try withExtendedLifetime(RunLock(runFolder: folder.path)) { try $0.release() }
    #expect(try RunLock(runFolder: folder.path).abandonedBy == nil)
  }

  @Test func aHolderOnAnotherHostMayStillRun() throws {
    let folder = try TemporaryFolder()
    let holder = "process 12 on elsewhere since 2026-01-02T03:04:05Z"
    try Data((holder + "\n").utf8).write(file: folder.path + "/lock")
    #expect(
      try RunLock(runFolder: folder.path).abandonedBy
        == "\(holder), which ended without leaving it; if that process still runs, this file system does not share locks "
        + "among hosts: stop one of the two")
  }

  @Test func aWriterKeepsTheLock() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    withExtendedLifetime(writer) {
      let error = #expect(throws: CheckpointError.self) { try RunLock(runFolder: folder.path) }
      #expect(text(of: error).contains(" is in use by process "))
    }
  }

  @Test func aFolderThatCannotBeMadeIsNamed() throws {
    let folder = try TemporaryFolder()
    try Data().write(file: folder.path + "/file")
    let error = #expect(throws: CheckpointError.self) { try RunLock(runFolder: folder.path + "/file/run") }
    #expect(text(of: error) == "\(folder.path)/file: cannot create: File exists")
  }
}
