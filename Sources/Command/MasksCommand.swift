import ArgumentParser
import Evaluation
import Imaging
import Orders

/// `lmconv masks`
struct MasksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "masks",
    abstract: "Show which neighbours each pixel may read under a generation order.",
    discussion: """
      Examples:
        # the patterns and how often each occurs
        lmconv masks --size 8x8 --order s_curve
        lmconv masks --size 32x32 --order hilbert --kernel 5 --type A --out mask.png
        lmconv masks --size 28x28 --observed top --dilation 2 --json

      Type A hides a pixel from itself: the first layer. Type B shows it: all others. Pixels that see the same taps form \
      a pattern. With --observed, those pixels come first in the order, as in completions.
      """)

  @OptionGroup var arguments: OrderArguments

  @Option(parsing: .unconditional, help: "Variant of the order, 0 to 7.")
  var variant = 0

  @Option(parsing: .unconditional, help: "Side of the convolution's window, odd.")
  var kernel = 3

  @Option(parsing: .unconditional, help: "Distance between taps, in pixels.")
  var dilation = 1

  @Option(help: ArgumentHelp("Whether pixels see themselves.", valueName: "A|B"))
  var type = MaskType.b

  @Option(
    help: ArgumentHelp(
      "Pixels that are given: top, bottom, left, right, center, row,column,height,width, or a PNG mask whose dark pixels "
        + "they are; may be repeated.", valueName: "region"))
  var observed: [String] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("Draw the masks to this PNG file.", valueName: "file"))
  var out: String?

  @Flag(help: "Print the masks as JSON.")
  var json = false

  /// More patterns than this are only counted.
  private static let listedPatterns = 16

  private struct Description: Encodable {
    struct Pattern: Encodable {
      /// Visible taps, row by row in the window.
      let taps: [Int]
      /// Pixels (row * columns + column) that see these taps.
      let pixels: [Int]
    }

    let order: String
    let rows: Int
    let columns: Int
    let kernel: Int
    let dilation: Int
    let type: String
    let visibleShare: Double
    let patterns: [Pattern]

    enum CodingKeys: String, CodingKey {
      case order, rows, columns, kernel, dilation, type, patterns
      case visibleShare = "visible_share"
    }
  }

  func validate() throws {
    guard OrderVariant(rawValue: variant) != nil else {
      throw ValidationError("'\(variant)' is no variant of an order; variants are 0 to 7")
    }
    guard (1...63).contains(kernel) && kernel % 2 == 1 else {
      throw ValidationError("--kernel must be odd, from 1 to 63, it is \(kernel)")
    }
    guard (1...64).contains(dilation) else { throw ValidationError("--dilation must be 1 to 64, it is \(dilation)") }
  }

  func run() throws {
    let size = arguments.size
    let given = observed.isEmpty ? [] : Set(try PixelMask(regions: observed, size: size).missingPixels)
    let named = try arguments.order(variant: OrderArguments.variants(["\(variant)"])[0])
    let window = KernelWindow(side: kernel, dilation: dilation)
    let mask = LocalMask(order: named.order.observedFirst(given), window: window, type: type)
    if let out { try draw(mask, order: named.name, to: try OutputFile(out)) }
    let description = describe(mask, order: named.name)
    if json {
      try JSONOutput.print(description)
    } else if out == nil {
      show(description, window: window)
    }
  }

  private func describe(_ mask: LocalMask, order: String) -> Description {
    let groups = PatternGroups(mask).groups
    return Description(
      order: order, rows: mask.size.rows, columns: mask.size.columns, kernel: kernel, dilation: dilation,
      type: type.name, visibleShare: Double(mask.visibleCounts.reduce(0, +)) / Double(mask.visible.count),
      patterns: groups.map { .init(taps: $0.taps, pixels: $0.pixels.map(Int.init)) })
  }

  private func show(_ mask: Description, window: KernelWindow) {
    let percent = (mask.visibleShare * 1000).rounded() / 10
    print(
      "\(mask.order), type \(mask.type), \(kernel)x\(kernel) taps \(Quantity.count(dilation, "pixel")) apart on "
        + "\(arguments.size): \(percent) % of the taps are visible, in "
        + Quantity.count(mask.patterns.count, "pattern"))
    let common = mask.patterns.sorted { ($0.pixels.count, $1.pixels[0]) > ($1.pixels.count, $0.pixels[0]) }
    for pattern in common.prefix(Self.listedPatterns) {
      print("\n\(Quantity.count(pattern.pixels.count, "pixel"))")
      for row in 0..<window.side {
        print(
          "  "
            + (0..<window.side).map { column in
              pattern.taps.contains(row * window.side + column) ? "#" : "."
            }.joined(separator: " "))
      }
    }
    if common.count > Self.listedPatterns { print("\nand \(common.count - Self.listedPatterns) rarer patterns") }
  }

  private func draw(_ mask: LocalMask, order: String, to file: OutputFile) throws {
    // Large images get small taps, so that the picture stays one that can be looked at.
    let tap = max(1, min(12, 1600 / max(mask.size.rows, mask.size.columns) / (kernel + 1)))
    try file.write(MaskPicture.draw(visible: mask.visible, size: mask.size, window: mask.window, tapSide: tap))
    Notice.show("\(file.path): \(order), type \(type.name)")
  }
}

extension MaskType: ExpressibleByArgument {
  /// `A` or `B`.
  public init?(argument: String) {
    switch argument.uppercased() {
    case "A": self = .a
    case "B": self = .b
    default: return nil
    }
  }

  /// The names it can have.
  public static var allValueStrings: [String] { ["A", "B"] }

  /// `A` or `B`.
  public var defaultValueDescription: String { name }

  /// The paper's name.
  var name: String { self == .a ? "A" : "B" }
}
