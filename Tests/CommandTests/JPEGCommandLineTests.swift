import Foundation
import Imaging
import TestSupport
import Testing

/// JPEG pictures of one's own, which `complete`, `compress` and `score` read as other pictures.
@Suite struct JPEGCommandLineTests {
  private let folder: TemporaryFolder

  /// `turned.jpg` has the mark of a camera that was turned; `turned.npy` is what Pillow makes of it.
  init() throws {
    folder = try SmallRun.trained()
    for name in ["turned.jpg", "turned.npy"] {
      try FileManager.default.copyItem(
        atPath: "\(Fixtures.packageRoot)/Tests/Fixtures/pictures/\(name)", toPath: "\(folder.path)/\(name)")
    }
    try FileManager.default.createDirectory(atPath: folder.path + "/mine", withIntermediateDirectories: true)
    // What a file is counts.
    for name in ["a.JPEG", "b.png"] {
      try FileManager.default.copyItem(atPath: folder.path + "/turned.jpg", toPath: "\(folder.path)/mine/\(name)")
    }
  }

  private func run(_ arguments: String...) throws -> Invocation {
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    return run
  }

  private func contents(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
  }

  @Test func aJPEGPictureIsCompletedAsItsPixelsAre() throws {
    for ending in ["jpg", "npy"] {
      _ = try run("complete", "run", "--missing", "left", "--images", "turned.\(ending)", "--out", "\(ending)-out.npy")
    }
    #expect(try contents("jpg-out.npy") == contents("npy-out.npy"))
    // The observed half is that of the upright picture.
    let completed = try NPYArray(contentsOf: folder.path + "/jpg-out.npy").elements
    let upright = try NPYArray(contentsOf: folder.path + "/turned.npy").elements
    for row in 0..<8 {
      for column in 4..<8 { #expect(completed[row * 8 + column] == (upright[row * 8 + column] >= 128 ? 255 : 0)) }
    }
  }

  @Test func aJPEGPictureIsCompressedAsItsPixelsAre() throws {
    for name in ["turned.jpg", "turned.npy"] {
      _ = try run("compress", "run", name, "--quantize", "--out", name + ".lmc")
    }
    #expect(try contents("turned.jpg.lmc") == contents("turned.npy.lmc"))
    let refused = try Invocation.lmconv(["compress", "run", "turned.jpg", "--out", "x.lmc"], in: folder.path)
    #expect(refused.exitCode == 1 && refused.errors.contains("turned.jpg: value "), "\(refused.errors)")
  }

  @Test func jpegPicturesAreScoredAsTheirPixelsAre() throws {
    for (source, out) in [("turned.jpg", "jpg.csv"), ("turned.npy", "npy.csv"), ("mine", "mine.csv")] {
      _ = try run("score", "run", source, "--out", out)
    }
    /// What follows the names of the first image.
    func scores(_ name: String) throws -> [Substring] {
      let lines = String(decoding: try contents(name), as: UTF8.self).split(separator: "\n")
      return Array(try #require(lines.dropFirst().first).split(separator: ",").dropFirst(2))
    }
    #expect(try scores("jpg.csv") == scores("npy.csv"))
    #expect(try scores("mine.csv") == scores("npy.csv"))
    let lines = String(decoding: try contents("mine.csv"), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 3 && lines[1].contains("mine/a.JPEG") && lines[2].contains("mine/b.png"))
  }
}
