import Configuration
import Foundation
import Tensors
import TestSupport
import Orders
import Testing

/// The lines of the error that `yaml` with `overrides` gives; empty when it is valid.
private func faults(_ yaml: String, overrides: [String] = []) -> [String] {
  do {
    _ = try parse(yaml, overrides: overrides)
    return []
  } catch {
    return error.faults.map(\.description)
  }
}

@Suite struct ConfigurationFaultTests {
  // MARK: - Names

  @Test(arguments: [
    (
      "training:\n  learnig_rate: 1",
      "run.yaml:2: unknown key 'training.learnig_rate'; did you mean 'training.learning_rate'?"
    ),
    ("learning_rate: 1", "run.yaml:1: unknown key 'learning_rate'; did you mean 'training.learning_rate'?"),
    ("model:\n  bits: 5", "run.yaml:2: unknown key 'model.bits'; did you mean 'data.bits'?"),
    ("trainig:\n  steps: 5", "run.yaml:1: unknown key 'trainig'; did you mean 'training'?"),
    ("sede: 5", "run.yaml:1: unknown key 'sede'; did you mean 'seed'?"),
    ("training.stpes: 5", "run.yaml:1: unknown key 'training.stpes'; did you mean 'training.steps'?"),
    (
      "data:\n  where: here",
      "run.yaml:2: unknown key 'data.where'; the keys of section 'data' are set, folder, size, channels, test_fraction, "
        + "skip_bad, bits, binarize, flip, resize, resize_probabilities"
    ),
    (
      "x: {y: 1}",
      "run.yaml:1: unknown key 'x'; the keys of the top level are name, seed, data, model, orders, training, "
        + "guard, checkpoint, evaluation, monitoring, run"
    ),
    ("model:\n  filters:\n    deep: 1", "run.yaml:2: 'model.filters' must be an integer, found a mapping"),
    ("<<: {seed: 1}", nil),
  ])
  func unknownNamesAreRefusedWithTheNearest(yaml: String, message: String?) {
    if let message {
      #expect(faults(yaml) == [message])
    } else {
      #expect(faults(yaml).first?.hasPrefix("run.yaml:1: unknown key '<<'") == true)
    }
  }

  @Test func aKeyGivenTwiceIsRefused() {
    #expect(faults("seed: 1\nname: a\nseed: 2") == ["run.yaml:1: key 'seed' is given twice; remove one"])
    #expect(faults("model:\n  bias: true\n  bias: true") == ["run.yaml:2: key 'bias' is given twice; remove one"])
    #expect(
      faults("training.steps: 5\ntraining:\n  steps: 5") == [
        "run.yaml:3: key 'training.steps' is given twice; remove one"
      ]
    )
  }

  // MARK: - Types

  @Test(arguments: [
    ("model:\n  filters: many", "run.yaml:2: 'model.filters' must be an integer, found 'many'"),
    ("model:\n  filters: 32.5", "run.yaml:2: 'model.filters' must be an integer, found '32.5'"),
    ("model:\n  filters: '32'", "run.yaml:2: 'model.filters' must be an integer, found '32'"),
    ("model:\n  filters:", "run.yaml:2: 'model.filters' must be an integer, found nothing"),
    ("model:\n  filters: [32]", "run.yaml:2: 'model.filters' must be an integer, found a list"),
    (
      "model:\n  filters: 99999999999999999999",
      "run.yaml:2: 'model.filters' must be an integer, found '99999999999999999999'"
    ),
    ("seed: -1", "run.yaml:1: 'seed' must be an integer, 0 or above, found '-1'"),
    ("training:\n  beta1: .nan", "run.yaml:2: 'training.beta1' must be a number, found '.nan'"),
    ("training:\n  beta1: 1e999", "run.yaml:2: 'training.beta1' must be a number, found '1e999'"),
    ("training:\n  beta1: 0x1p3", "run.yaml:2: 'training.beta1' must be a number, found '0x1p3'"),
    ("model:\n  bias: yes", "run.yaml:2: 'model.bias' must be true or false, found 'yes'"),
    ("name: [a]", "run.yaml:1: 'name' must be text, found a list"),
    ("name: null", "run.yaml:1: 'name' must be text, found nothing"),
    ("data:\n  folder: {a: b}", "run.yaml:2: 'data.folder' must be text or null, found a mapping"),
    (
      "orders:\n  train: 3",
      "run.yaml:2: 'orders.train' must be random, or a list of orders (each \(OrderChoice.forms)), found '3'"
    ),
    (
      "orders:\n  train: [0, a]",
      "run.yaml:2: 'orders.train' must be random, or a list of orders (each \(OrderChoice.forms)), found 'a'"
    ),
    (
      "orders:\n  test: [0, 8]",
      "run.yaml:2: 'orders.test' must be a list of orders (each \(OrderChoice.forms)), found '8'"
    ),
    (
      "orders:\n  test: random",
      "run.yaml:2: 'orders.test' must be a list of orders (each \(OrderChoice.forms)), found 'random'"
    ),
    (
      "model:\n  normalization: ponno",
      "run.yaml:2: 'model.normalization' must be one of none, weight_norm, order_rescale, pono, found 'ponno'; "
        + "did you mean 'pono'?"
    ),
    (
      "orders:\n  per: image",
      "run.yaml:2: 'orders.per' must be one of microbatch, step, found 'image'"
    ),
    ("data:\n  resize: 16", "run.yaml:2: 'data.resize' must be a list of integers, found '16'"),
    ("data:\n  resize: [16, small]", "run.yaml:2: 'data.resize' must be a list of integers, found 'small'"),
    (
      "data:\n  resize_probabilities: [half]",
      "run.yaml:2: 'data.resize_probabilities' must be a list of numbers, found 'half'"
    ),
    ("model: 5", "run.yaml:1: 'model' is a section and must be keys with values, found '5'"),
    ("model:\nseed: 5", "run.yaml:1: 'model' is a section and must be keys with values, found nothing"),
  ])
  func valuesOfAnotherTypeAreRefused(yaml: String, message: String) {
    #expect(faults(yaml) == [message])
  }

  // MARK: - Ranges

  @Test(arguments: [
    (
      "name: a/b",
      "run.yaml:1: 'name' is a/b, must be made of letters, digits, '.', '_' and '-', beginning with a letter or digit"
    ),
    (
      "name: .hidden",
      "run.yaml:1: 'name' is .hidden, must be made of letters, digits, '.', '_' and '-', beginning with a letter or digit"
    ),
    ("data:\n  bits: 9", "run.yaml:2: 'data.bits' is 9, must be from 1 to 8"),
    ("data:\n  folder: ''", "run.yaml:2: 'data.folder' is \"\", must be not empty"),
    ("model:\n  filters: 0", "run.yaml:2: 'model.filters' is 0, must be from 1 to 65536"),
    ("model:\n  kernel: 4", "run.yaml:2: 'model.kernel' is 4, must be odd, from 3 to 63"),
    ("model:\n  kernel: 1", "run.yaml:2: 'model.kernel' is 1, must be odd, from 3 to 63"),
    ("model:\n  dropout: 1", "run.yaml:2: 'model.dropout' is 1, must be from 0 to below 1"),
    (
      "data:\n  resize: [16, 0]",
      "run.yaml:2: 'data.resize' is [16, 0], must be sizes from 1 to 1024, none twice"
    ),
    (
      "data:\n  resize: [16, 32, 16]",
      "run.yaml:2: 'data.resize' is [16, 32, 16], must be sizes from 1 to 1024, none twice"
    ),
    (
      "data:\n  resize: [16, 28]\n  resize_probabilities: [0.3, 0.6]",
      "run.yaml:3: 'data.resize_probabilities' is [0.3, 0.6], must be above 0, 1 together"
    ),
    (
      "data:\n  resize: [16, 28]\n  resize_probabilities: [1.5, -0.5]",
      "run.yaml:3: 'data.resize_probabilities' is [1.5, -0.5], must be above 0, 1 together"
    ),
    ("orders:\n  train: []", "run.yaml:2: 'orders.train' is [], must be at least one order, none twice"),
    ("orders:\n  test: [3, 3]", "run.yaml:2: 'orders.test' is [3, 3], must be at least one order, none twice"),
    (
      "orders:\n  test: ['random:2@4', random/1@4]",
      "run.yaml:2: 'orders.test' is [\"random:2@4\", \"random/1@4\"], must be at least one order, none twice"
    ),
    (
      "training:\n  microbatch_size: 0",
      "run.yaml:2: 'training.microbatch_size' is 0, must be from 1 to 65536"
    ),
    ("training:\n  steps: -5", "run.yaml:2: 'training.steps' is -5, must be from 0 to 4294967295"),
    ("training:\n  learning_rate: 0", "run.yaml:2: 'training.learning_rate' is 0, must be above 0"),
    ("training:\n  beta2: 1.0", "run.yaml:2: 'training.beta2' is 1, must be from 0 to below 1"),
    ("training:\n  clip_norm: -1", "run.yaml:2: 'training.clip_norm' is -1, must be at least 0"),
    ("checkpoint:\n  keep_last: 0", "run.yaml:2: 'checkpoint.keep_last' is 0, must be from 1 to 4294967295"),
    ("data:\n  size: 0", "run.yaml:2: 'data.size' is 0, must be from 1 to 1024"),
    ("data:\n  size: wide", "run.yaml:2: 'data.size' must be an integer or null, found 'wide'"),
    ("data:\n  channels: 2", "run.yaml:2: 'data.channels' is 2, must be 1 or 3"),
    ("data:\n  test_fraction: 1", "run.yaml:2: 'data.test_fraction' is 1, must be above 0 and below 1"),
    ("run:\n  timeout_seconds: 0", "run.yaml:2: 'run.timeout_seconds' is 0, must be above 0"),
  ])
  func valuesOutOfRangeAreRefused(yaml: String, message: String) {
    #expect(faults(yaml) == [message])
  }

  // MARK: - Combinations

  @Test(arguments: [
    (
      "data: {set: mnist}",
      "run.yaml:1: 'data.set' is mnist, which does not come with the program; "
        + "set 'data.folder' to the folder of its files"
    ),
    (
      "data: {set: digits}\nmodel:\n  distribution: logistic_mixture",
      "run.yaml:3: 'model.distribution' is logistic_mixture, but 'data.binarize' is stochastic, which leaves 2 levels; "
        + "set 'model.distribution' to binary, or 'data.binarize' to none"
    ),
    (
      "data:\n  binarize: none",
      "run.yaml:2: 'model.distribution' is binary, but pixels have 256 levels; "
        + "set 'data.binarize' to threshold or stochastic, or 'data.bits' to 1"
    ),
    (
      "data:\n  bits: 4",
      "run.yaml:2: 'data.bits' is 4, but 'data.binarize' is stochastic, which starts from all 8; "
        + "set 'data.bits' to 8, or 'data.binarize' to none"
    ),
    (
      "data:\n  resize: [16, 28]\n  resize_probabilities: [1]",
      "run.yaml:3: 'data.resize_probabilities' is [1], but 'data.resize' is [16, 28]; give each size its "
        + "probability, or set 'data.resize_probabilities' to []"
    ),
    (
      "data:\n  resize: [16, 28]\norders:\n  file: f.txt",
      "run.yaml:2: 'data.resize' is [16, 28], but the order of f.txt is of one size; set 'data.resize' to [], or train "
        + "with orders that are computed"
    ),
    (
      "orders:\n  train: [hilbert, ./f.txt]\ndata:\n  resize: [16]",
      "run.yaml:4: 'data.resize' is [16], but the order of ./f.txt is of one size; set 'data.resize' to [], or train "
        + "with orders that are computed"
    ),
    (
      "model:\n  filters: 1",
      "run.yaml:2: 'model.filters' is 1, but 'model.normalization' is pono, which divides by the deviation over the "
        + "filters; set 'model.filters' to 2 or more, or 'model.normalization' to none"
    ),
    (
      "training:\n  epochs: 3",
      "run.yaml:2: 'training.steps' is 1000 and 'training.epochs' is 3, but only one can give the length; "
        + "set the other to 0"
    ),
    ("training:\n  steps: 0", "run.yaml:2: 'training.steps' and 'training.epochs' are both 0; set one of them"),
    (
      "training:\n  warmup_steps: 1001",
      "run.yaml:2: 'training.warmup_steps' is 1001, more than the run's 1000 steps"
    ),
    (
      "training:\n  ema_decay: 0",
      "run.yaml:2: 'evaluation.use_ema' is true, but 'training.ema_decay' is 0, so there is no average; "
        + "set 'evaluation.use_ema' to false, or 'training.ema_decay' above 0"
    ),
  ])
  func impossibleCombinationsAreRefused(yaml: String, message: String) {
    #expect(faults(yaml) == [message])
  }

  @Test func whatIsForPicturesInFilesGoesWithNoOtherSet() {
    #expect(
      faults("data:\n  size: 16\n  channels: 1\n  skip_bad: true") == [
        "run.yaml:2: 'data.size' is 16, but images of digits have a size of their own; set 'data.size' to null",
        "run.yaml:3: 'data.channels' is 1, but images of digits have channels of their own; "
          + "set 'data.channels' to null",
        "run.yaml:4: 'data.skip_bad' is true, but images of digits are not in files of their own; "
          + "set 'data.skip_bad' to false",
      ])
    for set in ["folder", "tfrecords"] {
      #expect(faults("data: {set: \(set), folder: f, size: 16, channels: 1, skip_bad: true}") == [])
    }
    #expect(
      faults("data: {set: folder}") == [
        "run.yaml:1: 'data.set' is folder, which does not come with the program; "
          + "set 'data.folder' to the folder of its files"
      ])
  }

  @Test func binaryNeedsOneChannel() {
    #expect(faults("data: {set: folder, folder: f}") == [])
    #expect(
      faults("data: {set: folder, folder: f, channels: 3, binarize: none, bits: 1}") == [
        "run.yaml:1: 'model.distribution' is binary, but images of folder have 3 channels; set it to logistic_mixture"
      ])
    #expect(
      faults("data:\n  set: cifar10\n  folder: f\n  binarize: threshold") == [
        "run.yaml:2: 'model.distribution' is binary, but images of cifar10 have 3 channels; set it to logistic_mixture",
        "run.yaml:4: 'data.binarize' is threshold, but images of cifar10 have 3 channels; set 'data.binarize' to none",
      ])
    #expect(faults("data:\n  bits: 1\n  binarize: none") == [])
  }

  // MARK: - Overrides

  @Test(arguments: [
    ("training.lerning_rate=1", "unknown key 'training.lerning_rate'; did you mean 'training.learning_rate'?"),
    ("training.steps", "must be KEY=VALUE, as in training.steps=1000"),
    ("=5", "must be KEY=VALUE, as in training.steps=1000"),
    ("training.steps=", "'training.steps' must be an integer, found nothing"),
    ("training.steps=x", "'training.steps' must be an integer, found 'x'"),
    ("training.steps=-1", "'training.steps' is -1, must be from 0 to 4294967295"),
    ("model.bias=[", "not YAML: while parsing a flow node, did not find expected node content"),
    ("model=3", "'model' is a section and must be keys with values, found '3'"),
  ])
  func overridesAreCheckedLikeTheFile(argument: String, message: String) {
    #expect(faults("seed: 1", overrides: [argument]) == ["--set \(argument): \(message)"])
  }

  @Test func anOverrideIsBlamedForItsValueAndTheFileForIts() {
    #expect(
      faults("model:\n  kernel: 2", overrides: ["model.kernel=6", "data.bits=0"]) == [
        "--set data.bits=0: 'data.bits' is 0, must be from 1 to 8",
        "--set model.kernel=6: 'model.kernel' is 6, must be odd, from 3 to 63",
      ])
    #expect(faults("model:\n  kernel: 2", overrides: ["model.kernel=3"]) == [])
  }

  // MARK: - Whole files

  @Test func allFaultsAreReportedInTheOrderOfTheFile() {
    let yaml = """
      training:
        epochs: 3
        beta1: 2
      model:
        kernal: 3
        blocks: x
      seed: 1.5
      """
    #expect(
      faults(yaml, overrides: ["nonsense"]) == [
        "run.yaml:2: 'training.steps' is 1000 and 'training.epochs' is 3, but only one can give the length; "
          + "set the other to 0",
        "run.yaml:3: 'training.beta1' is 2, must be from 0 to below 1",
        "run.yaml:5: unknown key 'model.kernal'; did you mean 'model.kernel'?",
        "run.yaml:6: 'model.blocks' must be an integer, found 'x'",
        "run.yaml:7: 'seed' must be an integer, 0 or above, found '1.5'",
        "--set nonsense: must be KEY=VALUE, as in training.steps=1000",
      ])
  }

  @Test func whatFollowsFromAnotherFaultIsNotReported() {
    #expect(
      faults("data:\n  binarise: none\nmodel:\n  distribution: logistic_mixture") == [
        "run.yaml:2: unknown key 'data.binarise'; did you mean 'data.binarize'?"
      ])
    #expect(
      faults("data:\n  binarize: nothing\nmodel:\n  distribution: logistic_mixture") == [
        "run.yaml:2: 'data.binarize' must be one of none, threshold, stochastic, found 'nothing'"
      ])
  }

  @Test(arguments: [
    ("", "run.yaml: has no key; a configuration sets at least one"),
    ("# nothing\n", "run.yaml: has no key; a configuration sets at least one"),
    ("{}", "run.yaml: has no key; a configuration sets at least one"),
    ("- a\n- b", "run.yaml: must be keys with values, found a list"),
    ("hello", "run.yaml: must be keys with values, found 'hello'"),
    ("seed: 1\nname: [a", "run.yaml:3: not YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
    (
      "seed: 1\n\tname: a",
      "run.yaml:2: not YAML: while scanning a plain scalar, found a tab character that violates indentation"
    ),
    (
      "seed: 1\n---\nseed: 2",
      "run.yaml:2: not YAML: expected a single document in the stream, but found another document"
    ),
    ("seed: *x", "run.yaml:1: not YAML: found undefined alias"),
    ("seed: 1\nname: \u{1}", "run.yaml:2: not YAML: control characters are not allowed"),
    ("? [a, b]\n: 1", "run.yaml:1: a key must be text, found a list"),
  ])
  func textThatIsNoConfigurationIsRefused(yaml: String, message: String) {
    #expect(faults(yaml) == [message])
  }

  @Test func unreadableFilesAreNamed() throws {
    func message(_ path: String) -> String {
      do {
        _ = try RunConfiguration(contentsOf: path)
        return ""
      } catch { return error.description }
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("configuration-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let binary = folder.appendingPathComponent("binary.yaml")
    try Data([0x73, 0xFF, 0xFE]).write(to: binary)

    #expect(message(folder.path + "/none.yaml") == "\(folder.path)/none.yaml: cannot be read: no such file")
    #expect(message(folder.path) == "\(folder.path): cannot be read: it is a folder")
    #expect(message(binary.path) == "\(binary.path): cannot be read: it is not UTF-8 text")
  }

  @Test func valuesThatTheProgramSetAreCheckedToo() {
    var configuration = RunConfiguration()
    configuration.model.kernel = 4
    configuration.training.epochs = 1
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
    do {
      try configuration.validate()
    } catch {
      #expect(
        error.description == """
          configuration: 'model.kernel' is 4, must be odd, from 3 to 63
          configuration: 'training.steps' is 1000 and 'training.epochs' is 1, but only one can give the length; \
          set the other to 0
          """)
    }
  }

  @Test func missingFilesAreNamed() {
    var configuration = RunConfiguration()
    #expect(configuration.missingFiles().isEmpty)
    configuration.data.folder = "no/such/folder"
    configuration.orders.file = Fixtures.packageRoot
    #expect(
      configuration.missingFiles().map(\.problem.description) == [
        "'data.folder' names 'no/such/folder', but there is no such folder",
        "'orders.file' names '\(Fixtures.packageRoot)', but there is no such file",
      ])
    configuration.orders.file = nil
    configuration.data.set = .folder
    #expect(
      configuration.missingFiles().map(\.problem.description) == [
        "'data.folder' names 'no/such/folder', but there is no such folder or file"
      ])
    configuration.data.folder = Fixtures.packageRoot + "/Package.swift"
    #expect(configuration.missingFiles().isEmpty)
    configuration.data.set = .mnist
    #expect(configuration.missingFiles().count == 1)
    configuration.data.set = .packed
    #expect(configuration.missingFiles().isEmpty)
    configuration.data.folder = Fixtures.packageRoot
    #expect(
      configuration.missingFiles().map(\.problem.description) == [
        "'data.folder' names '\(Fixtures.packageRoot)', but there is no such file"
      ])
    configuration.data.set = .mnist
    configuration.orders.file = Fixtures.packageRoot + "/Package.swift"
    #expect(configuration.missingFiles().isEmpty)
  }

  // MARK: - Fuzz

  /// Damaged files are read or refused with a message that names them; what is read survives writing.
  @Test func damagedFilesAreReadOrRefused() throws {
    let seed: UInt64 = 20
    let folder = Fixtures.packageRoot + "/configurations/"
    let sources = try ["digits", "cifar10"].map { try String(contentsOfFile: folder + $0 + ".yaml", encoding: .utf8) }
    let pieces = Array("\t\n:-[]{}#&*!|>'\"%@`?,~\\ é\u{0}\u{FEFF}0123456789.eE-abcXYZ_<=").map(String.init)
    var refused = 0
    for trial in 0..<2000 {
      var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: trial)
      var text = Array(sources[trial % sources.count])
      for _ in 0...generator.integer(below: 4) {
        let place = generator.integer(below: text.count)
        let length = min(generator.integer(below: 12), text.count - place)
        switch generator.integer(below: 4) {
        case 0: text.removeSubrange(place..<(place + length))
        case 1: text.insert(contentsOf: pieces[generator.integer(below: pieces.count)], at: place)
        case 2: text.insert(contentsOf: text[place..<(place + length)], at: generator.integer(below: text.count))
        default: text[place] = Character(pieces[generator.integer(below: pieces.count)])
        }
      }
      do {
        let configuration = try parse(String(text))
        #expect(try parse(configuration.yaml) == configuration, "seed \(seed), trial \(trial)")
      } catch {
        refused += 1
        #expect(!error.faults.isEmpty, "seed \(seed), trial \(trial)")
        #expect(
          error.faults.allSatisfy {
            $0.description.hasPrefix("run.yaml") || $0.description.hasPrefix("configuration: ")
          },
          "seed \(seed), trial \(trial): \(error)")
      }
    }
    #expect((500..<2000).contains(refused))
  }
}
