import Checkpoints
import Foundation
import Imaging
import Testing

/// `import`, `export`, `.npy` files and the Python programs of `Tools`.
struct InterchangeCommandLineTests {
  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Invocation {
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    return run
  }

  private func tensors(_ folder: TemporaryFolder, _ name: String) throws -> [String: SafetensorsFile.Tensor] {
    try SafetensorsFile(contentsOf: "\(folder.path)/\(name)").tensors
  }

  /// Expects `arguments` to be refused in a folder with the small run, whose average is exported to `a.safetensors`.
  private func expectRefusal(
    _ message: String, exitCode: Int32 = 1, _ arguments: [String],
    prepare: (TemporaryFolder) throws -> Void = { _ in }
  ) throws {
    let folder = try SmallRun.trained()
    try prepare(folder)
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.errors == "lmconv: error: \(message)\n")
    #expect(run.exitCode == exitCode)
    #expect(run.output.isEmpty)
  }

  // MARK: Parameters

  @Test func parametersGoOutAndInBitForBit() throws {
    let folder = try SmallRun.trained()
    let newest = "run/checkpoints/step-00000004"
    let export = try run(["export", "run", "--out", "ema.safetensors"], in: folder)
    #expect(export.output == "ema.safetensors: 60 tensors of \(newest)\n")
    _ = try run(["export", "run", "--weights", "raw", "-o", "raw.safetensors"], in: folder)
    #expect(try tensors(folder, "ema.safetensors") == tensors(folder, "\(newest)/ema.safetensors"))
    #expect(try tensors(folder, "raw.safetensors") == tensors(folder, "\(newest)/model.safetensors"))

    let imported = try run(["import", "ema.safetensors", "--out", "other"], in: folder)
    #expect(imported.output.hasSuffix(" parameters of ema.safetensors, step 4\n"))
    #expect(
      try tensors(folder, "other/checkpoints/step-00000004/model.safetensors") == tensors(folder, "ema.safetensors"))
    _ = try run(["import", "ema.safetensors", "--out", "file.safetensors"], in: folder)
    #expect(try tensors(folder, "file.safetensors") == tensors(folder, "ema.safetensors"))

    let expected = try run(["evaluate", "run", "--json"], in: folder).json()["ensemble"] as? [String: Any]
    for model in ["other", "file.safetensors", "ema.safetensors"] {
      let found = try run(["evaluate", model, "--json"], in: folder).json()["ensemble"] as? [String: Any]
      #expect(found?["nats"] as? Double == expected?["nats"] as? Double, "\(model)")
    }
  }

  @Test func parametersThatAreNotTheNetworksAreNamed() throws {
    try expectRefusal(
      "checkpoint a.safetensors: 'u_init.weight' is [3, 2, 3, 3], this model needs [4, 2, 3, 3]; 'nin_out.lin_a.bias' is "
        + "missing, this model needs [2]; 'extra' [1] is not a parameter of this model",
      ["import", "a.safetensors", "--config", "small.yaml", "--out", "x"]
    ) { folder in
      let own = try SafetensorsFile(contentsOf: folder.path + "/run/checkpoints/step-00000004/model.safetensors")
      var file = SafetensorsFile()
      for (name, tensor) in own.tensors where name != "nin_out.lin_a.bias" && name != "u_init.weight" {
        file.add(name, shape: tensor.shape, floats: try own.floats(name))
      }
      file.add("u_init.weight", shape: [3, 2, 3, 3], floats: [Float](repeating: 0, count: 54))
      file.add("extra", shape: [1], floats: [0])
      try file.write(to: folder.path + "/a.safetensors")
    }
  }

  @Test func whatCannotBeImportedIsTold() throws {
    try expectRefusal("a.pth: no such file; name a .pth or a .safetensors file", ["import", "a.pth", "--out", "x"])
    try expectRefusal(
      "a.safetensors does not say which network its parameters are of; pass --config FILE",
      ["import", "a.safetensors", "--out", "x"]
    ) { try SafetensorsFile().write(to: $0.path + "/a.safetensors") }
    let folder = try SmallRun.trained()
    _ = try run(["export", "run", "--out", "a.safetensors"], in: folder)
    let twice = try Invocation.lmconv(["import", "a.safetensors", "--out", "run"], in: folder.path)
    #expect(twice.errors == "lmconv: error: run already holds a run; give another folder\n")
    #expect(twice.exitCode == 1)
    let name = try Invocation.lmconv(["export", "run", "--out", "a.bin"], in: folder.path)
    #expect(name.errors.hasPrefix("Error: --out must end in .pth or .safetensors, it is 'a.bin'\n"))
  }

  // MARK: NumPy

  @Test func samplesAndCompletionsAreArrays() throws {
    let folder = try SmallRun.trained()
    _ = try run(["sample", "run", "--count", "3", "--out", "s.npy"], in: folder)
    let samples = try NPYArray(contentsOf: folder.path + "/s.npy")
    #expect(samples.shape == [3, 8, 8])
    #expect(Set(samples.elements) == [0, 255])
    _ = try run(
      ["complete", "run", "--missing", "top", "--count", "2", "--samples", "3", "--out", "c.npy"], in: folder)
    let completions = try NPYArray(contentsOf: folder.path + "/c.npy")
    #expect(completions.shape == [3, 2, 8, 8])
    // The lower half is observed: the same in all completions of an image.
    let lower = (0..<6).map { Array(completions.elements[($0 * 64 + 32)..<($0 * 64 + 64)]) }
    #expect(lower[0] == lower[2] && lower[2] == lower[4] && lower[1] == lower[3] && lower[0] != lower[1])
  }

  /// A Python with NumPy is there.
  private static let hasNumPy = Python.succeeds("python3", ["-c", "import numpy"])

  @Test(.enabled(if: hasNumPy)) func numPyReadsWhatIsWritten() throws {
    let folder = try SmallRun.trained()
    for arguments in [
      ["evaluate", "run", "--per-image", "e.npy"], ["evaluate", "run", "--per-image", "e.csv"],
      ["sample", "run", "--count", "3", "--out", "s.npy"],
      ["score", "run", "--split", "test", "--typical-bpd", "1", "--out", "a.npy"],
    ] { _ = try run(arguments, in: folder) }
    let script = """
      import numpy
      e, s, a = (numpy.load(f"{n}.npy") for n in "esa")
      table = numpy.loadtxt("e.csv", delimiter=",", skiprows=1)
      assert e.dtype.names == ("image", "ensemble", "s_curve/0", "s_curve/3"), e.dtype
      assert all((e[name] == table[:, i]).all() for i, name in enumerate(e.dtype.names))
      assert s.dtype == numpy.uint8 and s.shape == (3, 8, 8) and s.flags.c_contiguous
      assert (a["nats"] == e["ensemble"]).all() and (a["image"] == numpy.arange(6)).all()
      numpy.save("t.npy", s[:2])
      numpy.save("f.npy", numpy.asfortranarray(s))
      """
    try Python.run("python3", ["-c", script], in: folder)
    _ = try run(["score", "run", "t.npy", "--typical-bpd", "1"], in: folder)
    let fortran = try Invocation.lmconv(["score", "run", "f.npy"], in: folder.path)
    #expect(
      fortran.errors
        == "lmconv: error: f.npy: elements in Fortran order; save numpy.ascontiguousarray of the array\n")
  }

  @Test(.enabled(if: hasNumPy)) func readRunReadsCheckpointsAndMetrics() throws {
    let folder = try SmallRun.trained()
    let script = """
      import sys, numpy
      from read_run import *
      folder = latest_checkpoint("run")
      assert folder.name == "step-00000004"
      tensors, metadata = read_safetensors(folder / "model.safetensors")
      assert tensors["u_init.weight"].shape == (4, 2, 3, 3) and tensors["u_init.weight"].dtype == numpy.float32
      assert metadata["step"] == "4" and "filters: 4" in metadata["configuration"]
      write_safetensors("b.safetensors", tensors, metadata)
      steps, nats = read_metrics("run", "nats")
      assert steps[-1] == 4 and numpy.isfinite(nats).all(), (steps, nats)
      for bytes in (b"", b"12345678", (8).to_bytes(8, "little") + b"{\\"a\\":1}}", open("b.safetensors", "rb").read()[:-1]):
          open("bad", "wb").write(bytes)
          try:
              read_safetensors("bad")
          except FormatError as error:
              assert str(error).startswith("bad: "), error
          else:
              raise AssertionError(bytes)
      """
    try Python.run("python3", ["-c", script], in: folder)
    #expect(
      try tensors(folder, "b.safetensors") == tensors(folder, "run/checkpoints/step-00000004/model.safetensors"))
    let described = try Python.run("python3", [Python.tools + "/read_run.py", "run"], in: folder)
    #expect(described.hasPrefix("run/checkpoints/step-00000004: step 4, 16 images seen\nmodel: 60 tensors, "))
  }

  // MARK: PyTorch

  /// The Python with torch that `LMCONV_TORCH_PYTHON` names.
  private static let torch = ProcessInfo.processInfo.environment["LMCONV_TORCH_PYTHON"]

  @Test(.enabled(if: torch != nil)) func checkpointsOfTheReferenceGoInAndOut() throws {
    let python = try #require(Self.torch)
    let folder = try SmallRun.trained()
    _ = try run(["export", "run", "--weights", "raw", "--out", "a.pth"], in: folder)
    _ = try run(["import", "a.pth", "--out", "own.safetensors"], in: folder)
    let expected = try tensors(folder, "run/checkpoints/step-00000004/model.safetensors")
    #expect(try tensors(folder, "own.safetensors") == expected)
    // As the reference writes them, with all that it adds; from DataParallel; a state dictionary alone.
    let script = """
      import torch
      a = torch.load("a.pth", weights_only=True)
      assert a["epoch"] == 0 and a["global_step"] == 4 and list(a) == [
          "epoch", "global_step", "args", "model_state_dict", "configuration"], list(a)
      state = a["model_state_dict"]
      optimizer = torch.optim.Adam([torch.nn.Parameter(v) for v in state.values()])
      torch.save({"epoch": 7, "global_step": 99, "args": {"exp_id": 3, "order": ["s_curve"]}, "model_state_dict": state,
                  "optimizer_state_dict": optimizer.state_dict(), "ema_state_dict": state}, "reference.pth")
      torch.save({"model_state_dict": {"module." + k: v for k, v in state.items()}}, "parallel.pth")
      torch.save(state, "state.pth")
      torch.save({"model_state_dict": {k: v.double() for k, v in state.items()}}, "double.pth")
      torch.save({"epoch": 7}, "none.pth")
      class Foreign:
          pass
      torch.save({"model_state_dict": state, "args": Foreign()}, "foreign.pth")
      open("short.pth", "wb").write(open("a.pth", "rb").read()[:1000])
      """
    try Python.run(python, ["-c", script], in: folder)
    for file in ["reference", "parallel", "state"] {
      let imported = try run(["import", "\(file).pth", "--config", "small.yaml", "--out", file], in: folder)
      let step = file == "reference" ? 99 : 0
      #expect(imported.output.hasSuffix("of \(file).pth, step \(step)\n"))
      let name = "step-" + String(repeating: "0", count: 8 - "\(step)".count) + "\(step)"
      #expect(try tensors(folder, "\(file)/checkpoints/\(name)/model.safetensors") == expected, "\(file)")
    }
    for (file, message) in [
      (
        "double",
        "double.pth: tensor 'down_layers.0.u_stream.0.conv_input.bias' is torch.float64, expected torch.float32"
      ),
      ("none", "none.pth: no model_state_dict, and not a dictionary of tensors; it has epoch"),
      ("foreign", "foreign.pth: not a checkpoint of tensors and plain values: "),
      ("short", "short.pth: not a checkpoint of tensors and plain values: "),
    ] {
      let refused = try Invocation.lmconv(
        ["import", "\(file).pth", "--config", "small.yaml", "--out", "x"], in: folder.path)
      #expect(refused.errors.hasPrefix("lmconv: error: " + message), "\(refused.errors)")
      #expect(refused.exitCode == 1)
    }
  }

  /// The weights load by name into a PyTorch network, which then finds the likelihoods that lmconv finds.
  @Test(.enabled(if: torch != nil)) func aPyTorchNetworkFindsTheSameLikelihoods() throws {
    let python = try #require(Self.torch)
    let folder = try SmallRun.trained()
    _ = try run(["compress", "run", "--split", "test", "--out", "t.lmc"], in: folder)
    _ = try run(["decompress", "run", "t.lmc", "--out", "p"], in: folder)
    let pixels = try folder.names(in: "p").flatMap { try PNGImage(contentsOf: "\(folder.path)/p/\($0)").pixels }
    try folder.write(NPYArray(shape: [6, 8, 8], elements: pixels).encoded, to: "p.npy")
    _ = try run(["export", "run", "--out", "a.pth"], in: folder)
    _ = try run(["score", "run", "p.npy", "--orders", "0", "--typical-bpd", "1", "--out", "a.npy"], in: folder)
    let script = """
      import re, numpy, torch
      from compare_pytorch import Convolution, Network, NetworkInNetwork, s_curve_mask
      net = Network(4, 1, 8, 1, True)
      net.initial = Convolution(2, 4, {"first": s_curve_mask(8, 8, 3, 1, False)}, first=True)
      net.output = NetworkInNetwork(4, 2)
      state = {}
      for name, value in torch.load("a.pth", weights_only=True)["model_state_dict"].items():
          for old, new in [("u_init", "initial"), ("up_layers", "up"), ("down_layers", "down"), (".u_stream", ""),
                           ("upsize_u_stream", "upsize"), ("downsize_u_stream", "downsize"), ("nin_out", "output"),
                           (".lin_a", ""), ("weight_v", "direction"), ("weight_g", "gain")]:
              name = name.replace(old, new)
          state[name] = value
      net.load_state_dict(state, strict=True)
      net.double()
      for module in net.modules():
          if getattr(module, "mask", None) is not None:
              module.mask = module.mask.double()
      levels = torch.from_numpy(numpy.load("p.npy") // 255).long()
      with torch.no_grad():
          logits = net(levels[:, None].double() * 2 - 1)
      nats = torch.nn.functional.cross_entropy(logits, levels, reduction="none").sum((1, 2)).numpy()
      own = numpy.load("a.npy")["nats"]
      print(abs(nats - own).max())
      assert abs(nats - own).max() < 1e-4, (nats, own)
      """
    let difference = try Python.run(python, ["-c", script], in: folder)
    #expect(Double(difference.trimmingCharacters(in: .whitespacesAndNewlines)) != nil, "\(difference)")
  }

  /// Without torch, what is missing is told.
  @Test(.enabled(if: hasNumPy && !Python.succeeds("python3", ["-c", "import torch"]) && torch == nil))
  func aPythonWithoutTorchIsTold() throws {
    try expectRefusal(
      "import_pth.py: ModuleNotFoundError: No module named 'torch'; it needs torch and numpy: set LMCONV_TORCH_PYTHON to "
        + "a Python that has them (now python3)", ["export", "run", "--out", "a.pth"])
  }
}

/// Python, for the programs of `Tools`.
private enum Python {
  /// The folder of the programs.
  static var tools: String {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    return folder.appendingPathComponent("Tools").path
  }

  private struct Failed: Error {
    let errors: String
  }

  /// Whether `python` is there and ends well.
  static func succeeds(_ python: String, _ arguments: [String]) -> Bool {
    do {
      try run(python, arguments, in: nil)
      return true
    } catch { return false }
  }

  /// What `python` prints.
  @discardableResult
  static func run(_ python: String, _ arguments: [String], in folder: TemporaryFolder?) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python] + arguments
    var environment = ProcessInfo.processInfo.environment
    environment["PYTHONPATH"] = tools
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    process.environment = environment
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder.path) }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let messages = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(errors: messages) }
    return text
  }
}
