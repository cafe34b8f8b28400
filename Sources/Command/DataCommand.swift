import ArgumentParser

/// `lmconv data`
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Look at a data set before training on it, or pack it into one file.",
    subcommands: [DataInfoCommand.self, DataPrepareCommand.self])
}
