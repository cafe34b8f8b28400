/// The simple commands of a shell script, as far as the documentation uses the shell: quotes, comments, continued lines,
/// pipes and lists, redirections, here-documents, and substitutions, whose text is kept as it is.
struct ShellCommands {
  /// The words of each command, in order, without redirections.
  private(set) var commands: [[String]] = []
  private var words: [String] = []
  private var word: String?
  /// What follows an operator such as `>` is no word of the command.
  private var skipsNextWord = false
  private var terminators: [String] = []
  private var expectsTerminator = false

  init(_ script: String) {
    var rest = Array(script)[...]
    while let character = rest.popFirst() {
      switch character {
      case "\\":
        // Before the end of a line it joins the next one.
        if let next = rest.popFirst(), next != "\n" { word = (word ?? "") + String(next) }
      case "'": word = (word ?? "") + String(Self.take(&rest, to: "'"))
      case "\"": word = (word ?? "") + String(Self.take(&rest, to: "\""))
      case "$" where rest.first == "(":
        word = (word ?? "") + "$" + String(Self.take(&rest, to: ")")) + ")"
      case "#" where word == nil: rest = rest.drop { $0 != "\n" }
      case " ", "\t": endWord()
      case "\n":
        endCommand()
        for terminator in terminators { Self.skipLines(&rest, to: terminator) }
        terminators = []
      case ";", "|", "&", "(", ")": endCommand()
      case ">", "<":
        // A number before it is the stream's.
        if let number = word, number.allSatisfy(\.isNumber) { word = nil }
        endWord()
        let isRepeated = rest.first == character
        if isRepeated { rest = rest.dropFirst() }
        if character == "<" && isRepeated { expectsTerminator = true } else { skipsNextWord = true }
        if rest.first == "&" { rest = rest.dropFirst() }
      default: word = (word ?? "") + String(character)
      }
    }
    endCommand()
  }

  private static func take(_ rest: inout ArraySlice<Character>, to end: Character) -> [Character] {
    let taken = rest.prefix { $0 != end }
    rest = rest.dropFirst(taken.count + 1)
    return Array(taken)
  }

  private static func skipLines(_ rest: inout ArraySlice<Character>, to terminator: String) {
    while !rest.isEmpty {
      let line = rest.prefix { $0 != "\n" }
      rest = rest.dropFirst(line.count + 1)
      if String(line) == terminator { return }
    }
  }

  private mutating func endWord() {
    guard let ended = word else { return }
    word = nil
    if expectsTerminator {
      terminators.append(ended)
      expectsTerminator = false
    } else if skipsNextWord {
      skipsNextWord = false
    } else {
      words.append(ended)
    }
  }

  private mutating func endCommand() {
    endWord()
    if !words.isEmpty { commands.append(words) }
    words = []
  }
}
