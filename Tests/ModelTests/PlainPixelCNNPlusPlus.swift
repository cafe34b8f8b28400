import Foundation
import Model

extension PlainNetwork {
  /// PixelCNN++ as its definition reads: padding, ordinary and transposed convolutions over a grid of pixels, outputs that
  /// are shifted and cropped. Nothing is shared with the package, not even windows or levels.
  ///
  /// The network's outputs for `levels` `[images, pixels, channels]`: `[images * pixels, outputs]`.
  func twoStreamLogits(_ levels: [UInt8]) -> [Double] {
    let valuesPerImage = size.pixels * configuration.channels
    return (0..<images).flatMap { image in
      twoStreamLogits(ofImage: image, Array(levels[(image * valuesPerImage)..<((image + 1) * valuesPerImage)]))
    }
  }

  private func twoStreamLogits(ofImage image: Int, _ levels: [UInt8]) -> [Double] {
    let firstValue = image * levels.count
    let (channels, blocks) = (configuration.channels, configuration.blocks)
    let top = Double(configuration.distribution.levels - 1)
    let input = Grid(channels: channels + 1, rows: size.rows, columns: size.columns) { channel, row, column in
      guard channel < channels else { return 1 }
      let index = (row * size.columns + column) * channels + channel
      let shift = inputShift.index == firstValue + index ? inputShift.distance : 0
      return 2 * Double(levels[index]) / top - 1 + shift
    }
    // Blocks draw their dropout stream by stream, up before down.
    func keep(_ stream: Int, _ number: Int) -> ArraySlice<Double> {
      let width = 2 * configuration.filters
      return keeps[stream * (6 * blocks + 2) + number][(image * width)..<((image + 1) * width)]
    }

    var u = [shiftedDown(convolution("u_init.conv", input, pad: (top: 1, left: 1, right: 1)))]
    var ul = [
      shiftedDown(convolution("ul_init.0.conv", input, pad: (top: 0, left: 1, right: 1)))
        + shiftedRight(convolution("ul_init.1.conv", input, pad: (top: 1, left: 0, right: 0)))
    ]
    for group in 0..<3 {
      for index in 0..<blocks {
        let name = "up_layers.\(group)."
        u.append(
          gatedBlock(name + "u_stream.\(index)", u[u.count - 1], right: 1, skip: nil, keep(0, group * blocks + index)))
        ul.append(
          gatedBlock(
            name + "ul_stream.\(index)", ul[ul.count - 1], right: 0, skip: u[u.count - 1],
            keep(1, group * blocks + index)))
      }
      if group < 2 {
        u.append(
          convolution("downsize_u_stream.\(group).conv", u[u.count - 1], stride: 2, pad: (top: 1, left: 1, right: 1)))
        ul.append(
          convolution("downsize_ul_stream.\(group).conv", ul[ul.count - 1], stride: 2, pad: (top: 1, left: 1, right: 0))
        )
      }
    }
    var (above, left) = (u.removeLast(), ul.removeLast())
    var number = 3 * blocks
    for group in 0..<3 {
      for index in 0..<(group == 0 ? blocks : blocks + 1) {
        let name = "down_layers.\(group)."
        above = gatedBlock(name + "u_stream.\(index)", above, right: 1, skip: u.removeLast(), keep(0, number))
        left = gatedBlock(
          name + "ul_stream.\(index)", left, right: 0, skip: above.beside(ul.removeLast()), keep(1, number))
        number += 1
      }
      if group < 2 {
        above = transposedConvolution("upsize_u_stream.\(group).deconv", above, cropLeft: 1)
        left = transposedConvolution("upsize_ul_stream.\(group).deconv", left, cropLeft: 0)
      }
    }
    let activated = left.map(elu)
    let logits = linear("nin_out.lin_a", activated)
    return (0..<size.pixels).flatMap { pixel in
      (0..<logits.channels).map { logits[$0, pixel / size.columns, pixel % size.columns] }
    }
  }

  /// A gated block whose convolutions have columns of padding on the `right` or not: 2x3 or 2x2.
  private func gatedBlock(
    _ name: String, _ x: Grid, right: Int, skip: Grid?, _ keep: ArraySlice<Double>
  ) -> Grid {
    let pad = (top: 1, left: 1, right: right)
    var c = convolution(name + ".conv_input.conv", concatELU(x), pad: pad)
    if let skip { c = c + linear(name + ".nin_skip.lin_a", concatELU(skip)) }
    let activated = concatELU(c)
    let kept = Grid(channels: activated.channels, rows: c.rows, columns: c.columns) { channel, row, column in
      activated[channel, row, column] * keep[keep.startIndex + channel]
    }
    let d = convolution(name + ".conv_out.conv", kept, pad: pad)
    return Grid(channels: x.channels, rows: x.rows, columns: x.columns) { channel, row, column in
      x[channel, row, column] + d[channel, row, column] / (1 + exp(-d[x.channels + channel, row, column]))
    }
  }

  private func concatELU(_ x: Grid) -> Grid { x.map(elu).beside(x.map { elu(-$0) }) }

  /// An ordinary convolution of the padded grid; the weight is [out, in, rows, columns].
  private func convolution(
    _ name: String, _ x: Grid, stride: Int = 1, pad: (top: Int, left: Int, right: Int)
  ) -> Grid {
    let weight = weight(name)
    let bias = parameters[name + ".bias", default: []]
    // What is as large after the convolution as before, or half as large, tells the window.
    let columns = pad.left + pad.right + 1
    let rows = pad.top + 1
    let outputRows = (x.rows + pad.top - rows) / stride + 1
    let outputColumns = (x.columns + pad.left + pad.right - columns) / stride + 1
    return Grid(channels: bias.count, rows: outputRows, columns: outputColumns) { output, row, column in
      var sum = bias[output]
      for channel in 0..<x.channels {
        for i in 0..<rows {
          for j in 0..<columns {
            sum +=
              weight[((output * x.channels + channel) * rows + i) * columns + j]
              * x[channel, row * stride + i - pad.top, column * stride + j - pad.left]
          }
        }
      }
      return sum
    }
  }

  /// A transposed convolution with stride 2 and one more row and column of output, cropped to twice the size; the weight
  /// is [in, out, rows, columns].
  private func transposedConvolution(_ name: String, _ x: Grid, cropLeft: Int) -> Grid {
    let weight = weight(name)
    let bias = parameters[name + ".bias", default: []]
    let rows = 2
    let columns = 2 + cropLeft
    var full = Grid(channels: bias.count, rows: 2 * x.rows + 1, columns: 2 * x.columns + columns - 1) { output, _, _ in
      bias[output]
    }
    for channel in 0..<x.channels {
      for output in 0..<bias.count {
        for row in 0..<x.rows {
          for column in 0..<x.columns {
            for i in 0..<rows {
              for j in 0..<columns {
                full[output, 2 * row + i, 2 * column + j] +=
                  weight[((channel * bias.count + output) * rows + i) * columns + j] * x[channel, row, column]
              }
            }
          }
        }
      }
    }
    return Grid(channels: bias.count, rows: 2 * x.rows, columns: 2 * x.columns) { output, row, column in
      full[output, row, column + cropLeft]
    }
  }

  private func linear(_ name: String, _ x: Grid) -> Grid {
    let weight = weight(name)
    let bias = parameters[name + ".bias", default: []]
    return Grid(channels: bias.count, rows: x.rows, columns: x.columns) { output, row, column in
      (0..<x.channels).reduce(bias[output]) { $0 + weight[output * x.channels + $1] * x[$1, row, column] }
    }
  }

  /// Moved down by a row of zeros.
  private func shiftedDown(_ x: Grid) -> Grid {
    Grid(channels: x.channels, rows: x.rows, columns: x.columns) { x[$0, $1 - 1, $2] }
  }

  private func shiftedRight(_ x: Grid) -> Grid {
    Grid(channels: x.channels, rows: x.rows, columns: x.columns) { x[$0, $1, $2 - 1] }
  }
}

/// Values of the channels, rows and columns of an image; zero outside.
private struct Grid {
  let channels: Int
  let rows: Int
  let columns: Int
  private var values: [Double]

  init(channels: Int, rows: Int, columns: Int, _ value: (_ channel: Int, _ row: Int, _ column: Int) -> Double) {
    self.channels = channels
    self.rows = rows
    self.columns = columns
    values = []
    values.reserveCapacity(channels * rows * columns)
    for channel in 0..<channels {
      for row in 0..<rows {
        for column in 0..<columns { values.append(value(channel, row, column)) }
      }
    }
  }

  subscript(channel: Int, row: Int, column: Int) -> Double {
    get {
      guard (0..<rows).contains(row) && (0..<columns).contains(column) else { return 0 }
      return values[(channel * rows + row) * columns + column]
    }
    set { values[(channel * rows + row) * columns + column] = newValue }
  }

  func map(_ body: (Double) -> Double) -> Grid {
    Grid(channels: channels, rows: rows, columns: columns) { body(self[$0, $1, $2]) }
  }

  /// The channels of both.
  func beside(_ other: Grid) -> Grid {
    Grid(channels: channels + other.channels, rows: rows, columns: columns) { channel, row, column in
      channel < channels ? self[channel, row, column] : other[channel - channels, row, column]
    }
  }

  static func + (a: Grid, b: Grid) -> Grid {
    Grid(channels: a.channels, rows: a.rows, columns: a.columns) { a[$0, $1, $2] + b[$0, $1, $2] }
  }
}
