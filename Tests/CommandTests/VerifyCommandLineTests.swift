import Foundation
import Testing

/// `verify` and `diff`.
struct VerifyCommandLineTests {
  private let newest = "run/checkpoints/step-00000004"

  @Test func aSoundRunIsVerified() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(["verify", "run"], in: folder.path)
    // 7888 parameters of 4 bytes four times: as they are, averaged, and two moments.
    #expect(
      run.output == """
        run/checkpoints/step-00000002: sound, 240 tensors, 126 kB
        run/checkpoints/step-00000004: sound, 240 tensors, 126 kB

        """)
    #expect(run.exitCode == 0 && run.errors.isEmpty)
  }

  @Test func whatIsDamagedIsNamed() throws {
    let folder = try SmallRun.trained()
    try Damage.flipLastBit("\(folder.path)/\(newest)/ema.safetensors")
    let run = try Invocation.lmconv(["verify", "run"], in: folder.path)
    #expect(run.exitCode == 1 && run.errors.isEmpty)
    #expect(run.output.contains("run/checkpoints/step-00000002: sound, "))
    #expect(
      run.output.contains(
        "\(newest): NOT SOUND, 240 tensors, 126 kB\n  checkpoint \(newest) is damaged: 'upsize_u_stream.1.weight' in "
          + "ema.safetensors has checksum "), "\(run.output)")
    let json = try Invocation.lmconv(["verify", newest, "--json"], in: folder.path)
    #expect(json.exitCode == 1)
    let report = try json.json()
    #expect(report["sound"] as? Bool == false)
    let entry = try #require((report["checkpoints"] as? [[String: Any]])?.first)
    #expect(entry["path"] as? String == newest && entry["step"] as? Int == 4 && entry["format"] as? Int == 1)
    #expect((entry["problems"] as? [String])?.count == 1)
  }

  @Test func whatIsNotThereIsNotVerified() throws {
    let run = try Invocation.lmconv(["verify", "nowhere"])
    #expect(
      run.errors
        == "lmconv: error: nowhere: no such file or folder; name a run's folder, a checkpoint's folder or a "
        + "model.safetensors file\n")
    #expect(run.exitCode == 64 && run.output.isEmpty)
  }

  @Test func aCheckpointIsTheSameAsItself() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(["diff", "run", newest], in: folder.path)
    #expect(run.output == "\(newest) and \(newest) are the same, bit for bit\n")
    #expect(run.exitCode == 0)
    let file = try Invocation.lmconv(["diff", "run", "\(newest)/model.safetensors"], in: folder.path)
    #expect(file.exitCode == 0, "\(file.output)")
  }

  @Test func whatDiffersIsMeasured() throws {
    let folder = try SmallRun.trained()
    let arguments = ["diff", "run/checkpoints/step-00000002", newest]
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.exitCode == 1 && run.errors.isEmpty)
    #expect(
      run.output.hasPrefix("\(arguments[1]) and \(newest) differ\nstate        first  second\nstep         2      4\n"))
    #expect(
      run.output.firstMatch(of: #/\nmodel.safetensors +u_init.bias +4 of 4 +[0-9.e-]+ +\d+\n/#) != nil, "\(run.output)")
    let report = try Invocation.lmconv(arguments + ["--json"], in: folder.path).json()
    #expect(report["same"] as? Bool == false)
    let tensors = try #require(report["tensors"] as? [[String: Any]])
    let bias = try #require(tensors.first { $0["tensor"] as? String == "u_init.bias" })
    #expect(bias["elements"] as? Int == 4)
    #expect(try #require(bias["largest_difference"] as? Double) > 0)
    #expect(try #require(bias["largest_ulps"] as? Int) > 0)
    let state = try #require(report["state"] as? [[String: String]])
    #expect(state.first == ["key": "step", "first": "2", "second": "4"])
  }

  @Test func aChangedConfigurationIsADifference() throws {
    let folder = try SmallRun.trained()
    let changed = try Invocation.lmconv(
      ["train", "--config", "small.yaml", "--run-dir", "other", "--set", "training.beta1=0.5"], in: folder.path)
    #expect(changed.exitCode == 0, "\(changed.errors)")
    let run = try Invocation.lmconv(["diff", "run", "other"], in: folder.path)
    #expect(run.output.contains("\nconfiguration.training.beta1  0.9"), "\(run.output)")
    #expect(run.exitCode == 1)
  }
}
