import Foundation

/// An sRGB colour with components in 0...1.
struct Color: Equatable, Sendable {
  var red: Double
  var green: Double
  var blue: Double

  /// The colour of OKLCH coordinates (Ottosson 2020): equal steps of lightness and hue look equally large. Components
  /// outside of sRGB are clamped.
  init(lightness: Double, chroma: Double, hueDegrees: Double) {
    let a = chroma * cos(hueDegrees * .pi / 180)
    let b = chroma * sin(hueDegrees * .pi / 180)
    let l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
    let m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
    let s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
    func gammaEncoded(_ linear: Double) -> Double {
      let value = min(max(linear, 0), 1)
      return value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
    }
    red = gammaEncoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)
    green = gammaEncoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)
    blue = gammaEncoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)
  }

  /// A grey of the given sRGB value.
  init(grey: Double) {
    (red, green, blue) = (grey, grey, grey)
  }

  /// `self` at fraction 0, `other` at 1.
  func mixed(with other: Color, fraction: Double) -> Color {
    var mixed = self
    mixed.red += (other.red - red) * fraction
    mixed.green += (other.green - green) * fraction
    mixed.blue += (other.blue - blue) * fraction
    return mixed
  }

  /// The colour of time in a generation order: from blue (0, first) over magenta to golden yellow (1, last), with
  /// lightness growing evenly, so it reads in grey too.
  static func ofProgress(_ progress: Double) -> Color {
    Color(lightness: 0.42 + 0.42 * progress, chroma: 0.19, hueDegrees: 268 + 177 * progress)
  }
}
