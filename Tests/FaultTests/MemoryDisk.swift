import Foundation

/// A small disk of its own, which can be full or read-only; mounting one takes root's rights.
struct MemoryDisk {
  let path: String

  /// Mounts a disk of `kilobytes` on the folder at `path`, made if absent.
  init(at path: String, kilobytes: Int) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Self.mount(["-t", "tmpfs", "-o", "size=\(kilobytes)k", "lmconv-test", path])
  }

  /// Changes the options of the mounted disk.
  func remount(_ options: String) throws { try Self.mount(["-o", "remount,\(options)", path]) }

  func unmount() { Self.unmount(path) }

  static func mount(_ arguments: [String]) throws {
    guard try run("mount", arguments) == 0 else { throw MountFailure(arguments: arguments) }
  }

  /// Makes what is mounted at `path` read-only, at a moment when no file there is open for writing: the system wants it so.
  static func makeReadOnly(_ path: String) throws {
    let arguments = ["-o", "remount,bind,ro", path]
    for _ in 0..<500 {
      if try run("mount", arguments) == 0 { return }
      usleep(10_000)
    }
    throw MountFailure(arguments: arguments)
  }

  /// Unmounts what is mounted at `path`; nothing if nothing is.
  static func unmount(_ path: String) {
    do { _ = try run("umount", ["--lazy", "--quiet", path]) } catch { print("left mounted \(path): \(error)") }
  }

  struct MountFailure: Error, CustomStringConvertible {
    let arguments: [String]
    var description: String { "mount \(arguments.joined(separator: " ")) did not succeed; it needs root's rights" }
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
