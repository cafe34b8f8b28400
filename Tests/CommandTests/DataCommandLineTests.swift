import Foundation
import Imaging
import TestSupport
import Testing

/// `lmconv data`, and training on folders of pictures.
@Suite struct DataCommandLineTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try PictureFolder.write(in: folder)
    try folder.write(PictureFolder.configuration, to: "pictures.yaml")
  }

  private func lmconv(_ arguments: String..., ranks: Int? = nil) throws -> Invocation {
    try Invocation.lmconv(arguments, in: folder.path, ranks: ranks)
  }

  // MARK: info

  @Test func infoShowsWhatTrainingSees() throws {
    let info = try lmconv("data", "info", "pictures.yaml", "--json").json()
    let (train, test) = try (#require(info["train"] as? [String: Int]), #require(info["test"] as? [String: Int]))
    #expect(try #require(train["images"]) + #require(test["images"]) == 40 && test["images"] != 0)
    #expect(info["rows"] as? Int == 8 && info["columns"] as? Int == 8 && info["bits"] as? Int == 5)
    let channels = try #require(info["channels"] as? [[String: Any]])
    #expect(channels.map { $0["name"] as? String } == ["red", "green", "blue"])
    for channel in channels {
      let histogram = try #require(channel["histogram"] as? [Int])
      #expect(histogram.count == 256 && histogram.reduce(0, +) == 64 * (train["images"] ?? 0))
    }
    let fingerprint = try lmconv("train", "--config", "pictures.yaml", "--fingerprint").output
    #expect(fingerprint.contains("data \(train["content_hash"] ?? 0)/\(test["content_hash"] ?? 0)\n"))

    let text = try lmconv("data", "info", "pictures.yaml")
    #expect(text.exitCode == 0)
    #expect(text.output.contains("image  8x8 pixels, 3 channels of 5 bits: 192 dimensions of 32 levels\n"))
    #expect(text.output.contains("  240  to 255"))
  }

  @Test func infoTakesFoldersArraysAndRunsAndDrawsThem() throws {
    let info = try lmconv("data", "info", "pictures", "--set", "data.size=6", "--out", "grid.png", "--count", "7")
    #expect(info.exitCode == 0, "\(info.errors)")
    #expect(info.output.contains("6x6 pixels, 3 channels of 8 bits"))
    let grid = try PNGImage(contentsOf: folder.path + "/grid.png")
    // Three by three tiles, enlarged ten times, with gaps of two pixels.
    #expect(grid.rows == 3 * 62 + 2 && grid.columns == 3 * 62 + 2)
    let array = NPYArray(shape: [20, 4, 5], elements: (0..<400).map { UInt8($0 % 251) })
    try folder.write(array.encoded, to: "array.npy")
    #expect(try lmconv("data", "info", "array.npy").output.contains("4x5 pixels, 1 channel of 8 bits"))
    #expect(try lmconv("data", "info", "array.npy", "--set", "data.flop=1").exitCode == 64)
    let missing = try lmconv("data", "info", "nowhere")
    #expect(
      missing.errors
        == "lmconv: error: nowhere: no such file or folder; name a configuration, a run's folder, or a folder or array "
        + "of pictures\n")
    #expect(missing.exitCode == 64)
    #expect(try lmconv("data", "info", "pictures", "--count", "0").exitCode == 64)
  }

  @Test func badPicturesAreNamedOrLeftOutAndListed() throws {
    try folder.write([1, 2], to: "pictures/1/broken.png")
    let refused = try lmconv("data", "info", "pictures.yaml")
    #expect(refused.exitCode == 1)
    let line = "pictures/1/broken.png: neither a PNG nor a JPEG file"
    #expect(refused.errors.contains("1 picture cannot be used") && refused.errors.contains(line))
    let info = try lmconv("data", "info", "pictures.yaml", "--skip-bad", "--json").json()
    #expect(info["skipped"] as? [String] == [line])
    #expect(try lmconv("train", "--config", "pictures.yaml").errors.contains(line))
    let dry = try lmconv("train", "--config", "pictures.yaml", "--skip-bad", "--dry-run")
    #expect(dry.exitCode == 0 && dry.output.contains(line))
    let training = try lmconv(
      "train", "--config", "pictures.yaml", "--skip-bad", "--run-dir", "run", "--set", "training.steps=1")
    #expect(training.exitCode == 0 && training.errors.contains("left out: \(line)"), "\(training.errors)")
  }

  // MARK: prepare

  @Test func aPackedSetTrainsWithTheBitsOfItsPictures() throws {
    let preparation = try lmconv("data", "prepare", "pictures.yaml", "--out", "packed.lmds")
    #expect(preparation.exitCode == 0, "\(preparation.errors)")
    #expect(preparation.output.contains(" test images of 8x8, 3 channels; "), "\(preparation.output)")
    let (folderInfo, packedInfo) = try (
      lmconv("data", "info", "pictures.yaml", "--json").json(),
      lmconv("data", "info", "packed.lmds", "--set", "data.bits=5", "--json").json()
    )
    for key in ["train", "test", "rows", "columns", "bits", "channels"] {
      #expect(try #require(folderInfo[key] as? NSObject) == #require(packedInfo[key] as? NSObject), "\(key)")
    }
    let train = ["train", "--config", "pictures.yaml"]
    let packed = ["--set", "data.set=packed", "--set", "data.folder=packed.lmds", "--set", "data.size=null"]
    #expect(try Invocation.lmconv(train + ["--run-dir", "a"], in: folder.path).exitCode == 0)
    let training = try Invocation.lmconv(train + packed + ["--run-dir", "b"], in: folder.path, ranks: 2)
    #expect(training.exitCode == 0, "\(training.errors)")
    #expect(try weights("a") == weights("b"))

    // Other sets are packed as well, with their labels.
    let digits = try lmconv("data", "prepare", "digits.yaml", "--out", "digits.lmds")
    #expect(digits.exitCode == 64)
    try folder.write("name: digits\n", to: "digits.yaml")
    #expect(
      try lmconv("data", "prepare", "digits.yaml", "--out", "digits.lmds").output
        == "digits.lmds: 4500 training and 500 test images of 28x28, 1 channel; 4.0 MB\n")
  }

  @Test func aSetOfTFRecordsIsShownPackedAndTrainedOn() throws {
    try RecordFiles.write(train: 30, validation: 6, resolution: 4, to: folder.path + "/faces")
    try RecordFiles.write(train: 30, validation: 6, resolution: 3, to: folder.path + "/faces")
    let info = try lmconv("data", "info", "faces", "--json").json()
    #expect(info["set"] as? String == "tfrecords" && info["rows"] as? Int == 16)
    #expect(try #require(info["train"] as? [String: Int])["images"] == 30)
    try folder.write(
      PictureFolder.configuration.replacing("set: folder\n  folder: pictures", with: "set: tfrecords\n  folder: faces"),
      to: "faces.yaml")
    let preparation = try lmconv("data", "prepare", "faces.yaml", "--out", "faces.lmds")
    #expect(
      preparation.output.hasPrefix("faces.lmds: 30 training and 6 test images of 8x8, 3 channels; "),
      "\(preparation.errors)")
    let train = ["train", "--config", "faces.yaml"]
    let packed = ["--set", "data.set=packed", "--set", "data.folder=faces.lmds", "--set", "data.size=null"]
    let training = try Invocation.lmconv(train + ["--run-dir", "a"], in: folder.path)
    #expect(training.exitCode == 0, "\(training.errors)")
    let other = try Invocation.lmconv(train + packed + ["--run-dir", "b"], in: folder.path, ranks: 2)
    #expect(other.exitCode == 0, "\(other.errors)")
    #expect(try weights("a") == weights("b"))

    let shard = RecordFiles.name("train", resolution: 3, shard: 1, of: 2)
    try Damage.flipLastBit("\(folder.path)/faces/\(shard)")
    let line = "faces/\(shard): byte "
    let refused = try Invocation.lmconv(train + ["--dry-run"], in: folder.path)
    #expect(refused.exitCode == 1 && refused.errors.contains(line), "\(refused.errors)")
    #expect(refused.errors.contains(": record 14: its bytes do not have their checksum"), "\(refused.errors)")
    let skipping = try lmconv("data", "prepare", "faces.yaml", "--skip-bad", "--out", "fewer.lmds")
    #expect(skipping.output.contains("29 training and 6 test images") && skipping.errors.contains("left out: \(line)"))
    let missing = try lmconv("data", "info", "faces/train", "--set", "data.set=tfrecords")
    #expect(
      missing.exitCode == 64 && missing.errors.contains("faces/train/train: no file such as "), "\(missing.errors)")
  }

  @Test func aDamagedRecordEndsTheRunWithItsName() throws {
    #expect(try lmconv("data", "prepare", "pictures.yaml", "--out", "packed.lmds").exitCode == 0)
    let handle = try #require(FileHandle(forUpdatingAtPath: folder.path + "/packed.lmds"))
    // The middle of record 17.
    let offset = 4096 + 17 * 192
    try handle.seek(toOffset: UInt64(offset + 96))
    let byte = try #require(try handle.read(upToCount: 1)?.first)
    try handle.seek(toOffset: UInt64(offset + 96))
    try handle.write(contentsOf: Data([byte ^ 1]))
    try handle.close()
    let text = "packed.lmds: byte \(offset): record 17 is damaged: its pixels do not have their checksum; "
    let info = try lmconv("data", "info", "packed.lmds")
    #expect(info.exitCode == 1 && info.errors.contains(text), "\(info.errors)")
    let run = [
      "train", "--config", "pictures.yaml", "--set", "data.set=packed", "--set", "data.folder=packed.lmds",
      "--set", "data.size=null", "--set", "training.steps=30",
    ]
    for ranks in [nil, 2] as [Int?] {
      let training = try Invocation.lmconv(run, in: folder.path, ranks: ranks)
      #expect(training.exitCode == 1 && training.errors.contains(text), "\(training.errors)")
    }
  }

  // MARK: export

  @Test func anExportedSetIsReadBackAsTheSame() throws {
    let export = try lmconv("data", "export", "pictures.yaml", "--out", "exported")
    #expect(export.exitCode == 0, "\(export.errors)")
    let (before, after) = try (
      lmconv("data", "info", "pictures.yaml", "--json").json(),
      lmconv("data", "info", "exported", "--set", "data.bits=5", "--json").json()
    )
    for key in ["train", "test", "rows", "columns", "bits", "channels"] {
      #expect(try #require(before[key] as? NSObject) == #require(after[key] as? NSObject), "\(key)")
    }
    let again = try lmconv("data", "export", "pictures.yaml", "--out", "exported")
    #expect(again.errors == "lmconv: error: exported cannot be written: it is not empty; name a new folder\n")
    #expect(again.exitCode == 1)
  }

  @Test func aPartOfASetIsExported() throws {
    try folder.write("name: digits\n", to: "digits.yaml")
    let export = try lmconv("data", "export", "digits.yaml", "--count", "20", "--out", "few")
    #expect(export.output == "few: 20 training and 2 test images of 28x28\n", "\(export.errors)")
    #expect(try folder.names(in: "few/train").first == "image-00000.png")
    #expect(try folder.names(in: "few/train").count == 20 && folder.names(in: "few/test").count == 2)
    let beyond = try lmconv("data", "export", "digits.yaml", "--count", "4501", "--out", "more")
    #expect(
      beyond.errors
        == "lmconv: error: 4501 images from 0 on were asked for, the set has 4500: 0 to 4499\n")
  }

  // MARK: Training

  /// The last weights of `run`, without the header, which holds the configuration.
  private func weights(_ run: String) throws -> Data {
    let path = "\(folder.path)/\(run)/checkpoints/step-00000012/model.safetensors"
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Data(file.dropFirst(8 + length))
  }

  /// Over two epochs, stopped between ranks, with mirrored images of 5 bits.
  @Test func aRunOnPicturesHasTheSameBitsOnAnyRanksAndAfterAStop() throws {
    let whole = try lmconv("train", "--config", "pictures.yaml", "--run-dir", "a")
    #expect(whole.exitCode == 0, "\(whole.errors)")
    let ranks = try lmconv("train", "--config", "pictures.yaml", "--run-dir", "b", ranks: 3)
    #expect(ranks.exitCode == 0, "\(ranks.errors)")
    for (steps, count) in [("5", nil), ("12", 2)] as [(String, Int?)] {
      let part = try lmconv(
        "train", "--config", "pictures.yaml", "--run-dir", "c", "--set", "training.steps=\(steps)",
        "--set", "training.schedule=constant", "--allow-changes", ranks: count)
      #expect(part.exitCode == 0, "\(part.errors)")
    }
    let constant = try lmconv(
      "train", "--config", "pictures.yaml", "--run-dir", "d", "--set", "training.schedule=constant")
    #expect(constant.exitCode == 0)
    #expect(try weights("a") == weights("b"))
    #expect(try weights("c") == weights("d"))
    let plain = try lmconv("train", "--config", "pictures.yaml", "--run-dir", "e", "--set", "data.flip=false")
    #expect(plain.exitCode == 0)
    #expect(try weights("a") != weights("e"))

    // Everything else works with the model, too.
    let evaluation = try lmconv("evaluate", "a", "--json").json()
    let ensemble = try #require(evaluation["ensemble"] as? [String: Any])
    let (nats, bpd) = try (#require(ensemble["nats"] as? Double), #require(ensemble["bits_per_dimension"] as? Double))
    // 32 levels: an even distribution has 5 bits.
    #expect(abs(bpd - nats / (192 * 0.693_147_180_559_945_3)) < 1e-9 && (3..<8).contains(bpd))
    #expect(try lmconv("sample", "a", "--count", "2", "--out", "samples.npy").exitCode == 0)
    let samples = try NPYArray(contentsOf: folder.path + "/samples.npy")
    #expect(samples.shape == [2, 8, 8, 3])
    // The 32 levels spread over 0 to 255.
    #expect(
      samples.elements.allSatisfy { value in (0..<32).contains { PNGImage.value(ofLevel: $0, bitDepth: 5) == value } })
    #expect(try lmconv("compress", "a", "--split", "test", "--out", "test.lmc").exitCode == 0)
    #expect(try lmconv("decompress", "a", "test.lmc", "--verify", "test").exitCode == 0)
  }

  @Test func aChangedFolderIsRefusedOnResume() throws {
    let arguments = ["train", "--config", "pictures.yaml", "--run-dir", "run"]
    #expect(try Invocation.lmconv(arguments + ["--set", "training.steps=2"], in: folder.path).exitCode == 0)
    try FileManager.default.removeItem(atPath: "\(folder.path)/pictures/0")
    let changed = try Invocation.lmconv(arguments + ["--set", "training.steps=2"], in: folder.path)
    #expect(
      changed.exitCode == 1 && changed.errors.contains(".png was ") && changed.errors.contains("now it is absent"),
      "\(changed.errors)")
  }

  @Test func aSetSmallerThanTheGlobalBatchIsRefusedWithTheNumbers() throws {
    let small = try lmconv(
      "train", "--config", "pictures.yaml", "--set", "training.microbatches=8", "--set", "training.microbatch_size=5")
    #expect(small.exitCode == 64)
    #expect(small.errors.contains("images, expected at least one global batch of 8 microbatches of 5; "))
  }

  @Test func coloursDoNotBecomeBinary() throws {
    let binary = try lmconv(
      "train", "--config", "pictures.yaml", "--set", "data.bits=1", "--set", "model.distribution=binary")
    #expect(binary.exitCode == 64)
    #expect(
      binary.errors.contains(
        "'model.distribution' or 'data.binarize' asks for pixels of 2 values, but the images have 3 channels"))
    let grey = try lmconv(
      "train", "--config", "pictures.yaml", "--set", "data.bits=1", "--set", "model.distribution=binary",
      "--set", "data.channels=1", "--set", "training.steps=1", "--run-dir", "grey")
    #expect(grey.exitCode == 0, "\(grey.errors)")
  }
}
