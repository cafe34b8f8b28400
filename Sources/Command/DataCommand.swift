import ArgumentParser

/// `lmconv data`
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Look at a data set before training on it, pack it into one file, or write its pictures.",
    discussion: """
      Examples:
        lmconv data info holiday-pictures --set data.size=32 --out grid.png
        lmconv data prepare holiday-pictures --set data.size=32 --out holiday.lmds
        lmconv data export holiday.lmds --out holiday-as-trained
      """,
    subcommands: [DataInfoCommand.self, DataPrepareCommand.self, DataExportCommand.self])
}
