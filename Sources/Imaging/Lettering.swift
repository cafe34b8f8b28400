/// Text on pictures, drawn with strokes: digits, Latin letters (capitals as small ones) and what file names and numbers
/// need besides. Anything else is a box.
enum Lettering {
  /// Width of a letter with the space after it, for letters of `height` pixels from the top of a digit to its foot.
  static func advance(height: Double) -> Double { height }

  /// Width of `text`.
  static func width(of text: String, height: Double) -> Double {
    Double(text.count) * advance(height: height) - height / unitsHigh
  }

  /// Draws `text` with its top left corner at `corner`.
  static func draw(_ text: String, on canvas: inout Canvas, at corner: Point, height: Double, color: Color) {
    let unit = height / unitsHigh
    for (index, letter) in text.lowercased().enumerated() {
      let left = corner.x + Double(index) * advance(height: height)
      for line in (strokes[letter] ?? box).split(separator: " ") {
        let points = points(of: line).map { Point(x: left + $0.x * unit, y: corner.y + $0.y * unit) }
        for (start, end) in zip(points, points.dropFirst() + points.suffix(1)) {
          canvas.stroke(from: start, to: end, width: max(height / 9, 1), colors: (color, color))
        }
      }
    }
  }

  private static let unitsHigh = 6.0

  /// The points of `line`, a list of digit pairs: column 0 to 4, row 0 (top) to 8 (foot of a g).
  private static func points(of line: Substring) -> [Point] {
    let digits = line.compactMap(\.wholeNumberValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { Point(x: Double(digits[$0]), y: Double(digits[$0 + 1])) }
  }

  private static let box = "0040460600"

  /// Lines through points, by letter.
  private static let strokes: [Character: String] = [
    " ": "", ".": "2626", ",": "2617", ":": "2323 2626", "-": "0343", "+": "0343 2125", "/": "4006", "_": "0747",
    "=": "0242 0444", "(": "30121536", ")": "10323416", "%": "4006 0101 4545", "@": "46160511103041443534",
    "0": "103041453616050110", "1": "112026 1636", "2": "01103041420646", "3": "0110304142334445361605 1333",
    "4": "36300444", "5": "4000023243453606", "6": "3010010516364544330304", "7": "004016",
    "8": "1030414233134445361605041302011030", "9": "4213020110304145361605",
    "a": "12324346 441405163645", "b": "0006364543 433202", "c": "421203051646", "d": "4046 421203051646",
    "e": "04444332120305163645", "f": "40302126 1232", "g": "42473808 421203051646", "h": "0006 02324346",
    "i": "2226 2020", "j": "22271808 2020", "k": "0006 320436", "l": "102536 20", "m": "0206 03122326 23324346",
    "n": "0206 03123243 4346", "o": "123243453616050312", "p": "0208 023243453606", "q": "4248 421203051646",
    "r": "0206 04133242", "s": "421203144536 3606", "t": "20253646 0242", "u": "0205163645 4246", "v": "022642",
    "w": "0216233642", "x": "0246 4206", "y": "02051646 42473808", "z": "02420646",
  ]
}
