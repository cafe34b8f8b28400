import Foundation
import Imaging

/// A page that needs no other file: its style is in it, its pictures are data, and there is no script. It follows the
/// reader's light or dark setting and fits a phone.
enum Page {
  /// The page called `title` with `body`.
  static func html(title: String, body: [HTML]) -> HTML {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(title)</title>
    <style>\(style)</style>
    </head>
    <body>
    <main>
    \(body)
    </main>
    </body>
    </html>

    """
  }

  /// A part of the page under a heading.
  static func section(_ title: String, _ body: HTML...) -> HTML {
    "<section>\n<h2>\(title)</h2>\n\(body)\n</section>"
  }

  /// A table; columns in `numbers` hold numbers.
  static func table(_ heading: [String], _ rows: [[String]], numbers: Set<Int> = []) -> HTML {
    func cells(_ tag: HTML, _ words: [String]) -> HTML {
      HTML(
        words.enumerated().map { column, word in
          numbers.contains(column) ? "<\(tag) class=\"number\">\(word)</\(tag)>" : "<\(tag)>\(word)</\(tag)>"
        })
    }
    let body = rows.map { row -> HTML in "<tr>\(cells("td", row))</tr>" }
    return """
      <div class="scroll"><table>
      <thead><tr>\(cells("th", heading))</tr></thead>
      <tbody>
      \(body)
      </tbody>
      </table></div>
      """
  }

  /// A picture with `caption` below it. Pixels stay pixels when it is enlarged.
  static func picture(png: [UInt8], caption: String) -> HTML {
    let data = Data(png).base64EncodedString()
    return """
      <figure><img alt="\(caption)" src="data:image/png;base64,\(data)"><figcaption>\(caption)</figcaption></figure>
      """
  }

  /// Colours of lines, for light and dark grounds: the hues of HistogramPicture, in pairs of equal contrast.
  static let lineColors = 8

  private static let style: HTML = """

    :root { color-scheme: light dark; --ground: #fff; --panel: #f6f7f9; --ink: #1c2230; --faint: #667085; --rule: #d8dce4;
      --c0: #2563c9; --c1: #c2570c; --c2: #17803d; --c3: #b3246f; --c4: #7a4fd0; --c5: #0b7f8a; --c6: #8a6a00; --c7: #5b6472;
      --bad: #b42318; }
    @media (prefers-color-scheme: dark) { :root { --ground: #12151c; --panel: #1b2029; --ink: #e7eaf0; --faint: #9aa4b5;
      --rule: #333b48; --c0: #7aabff; --c1: #ff9d5c; --c2: #63d089; --c3: #ff86c2; --c4: #b79bff; --c5: #5fd4df;
      --c6: #e3c04a; --c7: #b4bdcb; --bad: #ff8a80; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 1080px; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.5rem; margin: .5rem 0 0; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--rule); }
    h3 { font-size: 1rem; margin: 0 0 .25rem; }
    p, li { overflow-wrap: anywhere; }
    .faint, figcaption { color: var(--faint); font-size: .875rem; }
    .bad { color: var(--bad); }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: .5rem; margin: 1rem 0; }
    .tiles div { background: var(--panel); border-radius: 6px; padding: .6rem .8rem; }
    .tiles b { display: block; font-size: 1.1rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 1rem; }
    .chart { background: var(--panel); border-radius: 6px; padding: .75rem; min-width: 0; }
    .chart svg { width: 100%; height: auto; display: block; }
    .legend { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .875rem; margin: 0; padding: 0; list-style: none; }
    .legend i { display: inline-block; width: 1rem; height: 3px; vertical-align: middle; margin-right: .35rem; }
    svg text { fill: var(--faint); font: 13px system-ui, sans-serif; }
    .grid { stroke: var(--rule); stroke-width: 1; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .raw { fill: none; stroke-width: 1; opacity: .35; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-size: .9rem; }
    th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
    th { color: var(--faint); font-weight: 600; }
    .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    figure { margin: 0 0 1rem; }
    img { max-width: 100%; height: auto; image-rendering: pixelated; background: #fff; border-radius: 4px; }
    pre { background: var(--panel); border-radius: 6px; padding: .75rem; overflow-x: auto; font-size: .8rem; }

    """
}
