import Orders
import Tensors

/// Which taps each location sees, location by location: what computing single locations needs.
public struct LocationTaps: Sendable {
  /// `starts[pixel]` is where a pixel's taps begin in `taps` and `neighbours`.
  let starts: [Int32]
  /// Visible taps of each pixel, ascending.
  let taps: [Int32]
  /// The pixel that each of them reads.
  let neighbours: [Int32]
  /// Pixels of an image that is read.
  let inputPixels: Int

  /// The visible taps of `mask`.
  public init(_ mask: LocalMask) {
    self.init(size: mask.size, window: mask.window, visible: mask.visible)
  }

  /// The taps of `plan`. `inputs` and `outputs` tell which pixel lies at each place of the images that are read and
  /// written, where these are in polyphase order.
  public init(_ plan: NeighbourPlan, inputs: Polyphase? = nil, outputs: Polyphase? = nil) {
    var visible = [[(tap: Int32, neighbour: Int32)]](repeating: [], count: plan.outputPixels)
    for block in 0..<plan.blocks {
      for tap in 0..<plan.taps {
        let index = block * plan.taps + tap
        for place in plan.pixels[Int(plan.starts[index])..<Int(plan.starts[index + 1])] {
          let pixel = outputs?.pixels[Int(place)] ?? place
          let read = place + plan.shifts[tap]
          visible[Int(pixel)].append((Int32(tap), inputs?.pixels[Int(read)] ?? read))
        }
      }
    }
    inputPixels = plan.inputPixels
    starts = visible.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1.count)) }
    taps = visible.flatMap { $0.map(\.tap) }
    neighbours = visible.flatMap { $0.map(\.neighbour) }
  }

  /// Every pixel sees itself through one tap.
  public static func pointwise(size: ImageSize) -> LocationTaps {
    LocationTaps(
      size: size, window: KernelWindow(side: 1, dilation: 1), visible: [UInt8](repeating: 1, count: size.pixels))
  }

  private init(size: ImageSize, window: KernelWindow, visible: [UInt8]) {
    var starts: [Int32] = []
    var taps: [Int32] = []
    var neighbours: [Int32] = []
    for pixel in 0..<size.pixels {
      starts.append(Int32(taps.count))
      for tap in 0..<window.taps where visible[tap * size.pixels + pixel] != 0 {
        let offset = window.offset(of: tap)
        taps.append(Int32(tap))
        neighbours.append(Int32(pixel + offset.row * size.columns + offset.column))
      }
    }
    starts.append(Int32(taps.count))
    self.starts = starts
    self.taps = taps
    self.neighbours = neighbours
    inputPixels = size.pixels
  }

  /// Number of taps that `pixel` sees.
  public func visibleCount(_ pixel: Int) -> Int32 { starts[pixel + 1] - starts[pixel] }
}

extension MaskedConvolution {
  /// The convolution at one pixel of every image: y `[images, outputs]` from the activations of all pixels, laid out
  /// pixel by pixel, `[pixels, images, inputs]`.
  ///
  /// Each output is the same chain of operations as in `forward`, so it has the same bits. Overwrites `y`, or adds to it.
  public static func forward(
    at pixel: Int, taps: LocationTaps, windowTaps: Int, x: Matrix, weight: Matrix, bias: Matrix? = nil,
    maskWeight: Matrix? = nil, adds: Bool = false, y: Matrix, pool: ThreadPool
  ) {
    precondition(
      weight.count == Panels.elements(taps: windowTaps, inputs: x.columns, outputs: y.columns)
        && (0..<taps.starts.count - 1).contains(pixel) && taps.inputPixels * y.rows <= x.rows,
      "MaskedConvolution.forward(at: \(pixel)): x [\(x.rows), \(x.columns)], y [\(y.rows), \(y.columns)]")
    pool.run(
      LocationConvolution(
        pixel: pixel, taps: taps, windowTaps: windowTaps, images: y.rows, inputs: x.columns, outputs: y.columns,
        x: x.base, weights: weight.base, bias: bias.map { UnsafePointer($0.base) },
        maskWeight: maskWeight.map { UnsafePointer($0.base) }, adds: adds, y: y.base))
  }
}

/// A tile is one panel of 16 output channels, for all images.
private struct LocationConvolution: TiledWork {
  let pixel: Int
  let taps: LocationTaps
  let windowTaps: Int
  let images: Int
  let inputs: Int
  let outputs: Int
  /// `[pixels, images, inputs]`
  let x: UnsafePointer<Float>
  /// `[panels, taps, inputs, 16]`
  let weights: UnsafePointer<Float>
  let bias: UnsafePointer<Float>?
  let maskWeight: UnsafePointer<Float>?
  let adds: Bool
  /// `[images, outputs]`
  let y: UnsafeMutablePointer<Float>

  var tiles: Int { Panels.count(outputs: outputs) }

  func run(tile panel: Int, thread: Int) {
    let firstOutput = panel * Panels.width
    let width = min(Panels.width, outputs - firstOutput)
    let visible = Int(taps.starts[pixel])..<Int(taps.starts[pixel + 1])
    withUnsafeTemporaryAllocation(
      byteCount: MicrokernelRows.rows * Panels.width * MemoryLayout<Float>.stride, alignment: 64
    ) { storage in
      guard let rows = storage.bindMemory(to: Float.self).baseAddress else { return }
      rows.update(repeating: 0, count: MicrokernelRows.rows * Panels.width)
      var image = 0
      while image < images {
        let filled = min(MicrokernelRows.rows, images - image)
        for row in 0..<filled { load(rows + row * Panels.width, y + (image + row) * outputs + firstOutput, width) }
        for index in visible {
          let tap = Int(taps.taps[index])
          if let maskWeight {
            let weight = maskWeight + (panel * windowTaps + tap) * Panels.width
            for row in 0..<filled {
              let place = row * Panels.width
              rows.store(rows.vector(at: place) + weight.vector(at: 0), at: place)
              rows.store(rows.vector(at: place + 8) + weight.vector(at: 8), at: place + 8)
            }
          }
          let first = x + (Int(taps.neighbours[index]) * images + image) * inputs
          let last = filled - 1
          MicrokernelRows.accumulate(
            inputs: inputs, weights: weights + (panel * windowTaps + tap) * inputs * Panels.width,
            x: (
              first, first + min(1, last) * inputs, first + min(2, last) * inputs, first + min(3, last) * inputs,
              first + min(4, last) * inputs, first + min(5, last) * inputs
            ),
            y: (
              rows, rows + Panels.width, rows + 2 * Panels.width, rows + 3 * Panels.width, rows + 4 * Panels.width,
              rows + 5 * Panels.width
            ))
        }
        for row in 0..<filled {
          (y + (image + row) * outputs + firstOutput).update(from: rows + row * Panels.width, count: width)
        }
        image += MicrokernelRows.rows
      }
    }
  }

  /// A row's values before the first tap, as `MaskedConvolutionForward` begins.
  private func load(_ row: UnsafeMutablePointer<Float>, _ present: UnsafePointer<Float>, _ width: Int) {
    let panelBias = bias.map { $0 + (present - UnsafePointer(y)) % outputs }
    for lane in 0..<width {
      switch (adds, panelBias) {
      case (false, nil): row[lane] = 0
      case (false, let bias?): row[lane] = bias[lane]
      case (true, nil): row[lane] = present[lane]
      case (true, let bias?): row[lane] = present[lane] + bias[lane]
      }
    }
  }
}
