extension ConfigurationKey {
  /// The reference of all keys in Markdown: what docs/configuration.md holds.
  public static var markdown: String {
    var text = """
      # Configuration

      A run is described by a YAML file, `lmconv train --config FILE`. Keys that the file does not give have the defaults
      below, which are those of `configurations/digits.yaml`. `--set KEY=VALUE` changes one key, as in
      `--set training.steps=1000` or `--set "orders.test=[0, 3]"`. Unknown keys and impossible values are refused. The run
      folder's `config.yaml` holds every key with the value that was used.

      A key that **defines** the run changes its result: a run is resumed with the same value, or told to go on
      with another. The others may change at any time.


      """
    text += table(title: "Top level", summary: "the run as a whole", keys: all.filter(\.section.isEmpty))
    for section in sections {
      text +=
        "\n"
        + table(
          title: "`\(section.name)`", summary: section.summary, keys: all.filter { $0.section == section.name })
    }
    return text
  }

  private static func table(title: String, summary: String, keys: [ConfigurationKey]) -> String {
    let defaults = RunConfiguration()
    var text = "## \(title)\n\n\(summary.prefix(1).uppercased() + summary.dropFirst()).\n\n"
    text += "| key | default | values | unit | defines | meaning |\n| --- | --- | --- | --- | --- | --- |\n"
    for key in keys {
      let defining = key.isDefining ? "yes" : "no"
      text +=
        "| `\(key.path)` | `\(key.yaml(defaults))` | \(key.values) | \(key.unit ?? "") | \(defining) | \(key.meaning) |\n"
    }
    return text
  }
}
