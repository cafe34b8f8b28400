import Kernels
import Tensors
import TestSupport
import Testing

/// The kernels against the paper's definition in plain loops, and the independence that all reproducibility rests on.
struct MaskedConvolutionTests {
  @Test(arguments: try ConvolutionExample.all())
  func forwardIsThePapersDefinition(example: ConvolutionExample) {
    let pool = ThreadPool(threads: 2)
    let zeros = [Double](repeating: 0, count: example.shape.outputs)
    for (hasBias, hasMaskWeight, adds) in [(true, true, false), (false, false, false), (true, true, true)] {
      let y = example.forward(hasBias: hasBias, hasMaskWeight: hasMaskWeight, adds: adds, pool: pool)
      var expected = MaskedConvolutionReference.forward(
        example.shape, mask: example.mask.visible, x: doubles(example.x), weight: example.weight.map(Double.init),
        bias: hasBias ? example.bias.map(Double.init) : zeros,
        maskWeight: hasMaskWeight ? example.maskWeight.map(Double.init) : nil)
      if adds { for (index, start) in doubles(example.y0).enumerated() { expected[index] += start } }
      let error = Golden.relativeError(y.values, expected)
      #expect(error < Golden.layerTolerance, "bias \(hasBias), mask weight \(hasMaskWeight), adds \(adds): \(error)")
    }
  }

  @Test(arguments: try ConvolutionExample.all())
  func gradientsAreThoseOfThePapersDefinition(example: ConvolutionExample) {
    let pool = ThreadPool(threads: 2)
    let expected = MaskedConvolutionReference.backward(
      example.shape, mask: example.mask.visible, x: doubles(example.x), weight: example.weight.map(Double.init),
      dy: doubles(example.dy))
    expectClose(example.inputGradient(pool: pool).values, expected.dx, "dx")
    expectClose(
      example.inputGradient(adds: true, pool: pool).values, zip(expected.dx, doubles(example.dx0)).map { $0 + $1 },
      "dx, added")
    let gradients = example.parameterGradients(pool: pool)
    expectClose(gradients.file[0], expected.dWeight, "dWeight")
    expectClose(gradients.file[1], expected.dBias, "dBias")
    expectClose(gradients.file[2], expected.dMaskWeight, "dMaskWeight")
    // Padding takes part in norms and in the optimizer.
    #expect(example.padding(of: gradients.memory).allSatisfy { $0 == 0 })
  }

  @Test(arguments: try ConvolutionExample.all())
  func resultsAreTheSameBitsOnAnyNumberOfThreads(example: ConvolutionExample) {
    let one = ThreadPool(threads: 1)
    for threads in 2...4 {
      let pool = ThreadPool(threads: threads)
      #expect(bits(example.forward(pool: pool).values) == bits(example.forward(pool: one).values))
      #expect(bits(example.inputGradient(pool: pool).values) == bits(example.inputGradient(pool: one).values))
      #expect(
        bits(example.parameterGradients(pool: pool).memory) == bits(example.parameterGradients(pool: one).memory))
    }
  }

  @Test(arguments: try ConvolutionExample.all())
  func imagesAreTheSameBitsAloneAndInABatch(example: ConvolutionExample) {
    let pool = ThreadPool(threads: 2)
    let pixels = example.shape.size.pixels
    let y = example.forward(pool: pool)
    let dx = example.inputGradient(pool: pool)
    for image in 0..<example.shape.images {
      func alone(_ batch: Matrix) -> Matrix {
        Matrix(batch.buffer, offset: image * pixels * batch.columns, rows: pixels, columns: batch.columns)
      }
      #expect(bits(example.forward(x: alone(example.x), pool: pool).values) == bits(alone(y).values))
      #expect(bits(example.inputGradient(dy: alone(example.dy), pool: pool).values) == bits(alone(dx).values))
    }
  }

  /// What a hidden tap reads must not matter, not even when it is not a number.
  @Test func hiddenNeighboursAreNeverRead() throws {
    let example = try ConvolutionExample.all()[9]
    let pool = ThreadPool(threads: 1)
    let expected = example.forward(pool: pool)
    for pixel in 0..<example.shape.size.pixels {
      let x = Matrix(rows: example.x.rows, columns: example.x.columns)
      x.copy(from: example.x)
      for channel in 0..<x.columns { x[pixel, channel] = .nan }
      let y = example.forward(x: x, pool: pool)
      for reader in 0..<example.shape.size.pixels {
        let reads = (0..<example.shape.window.taps).contains { tap in
          let offset = example.shape.window.offset(of: tap)
          return example.mask.visible[tap * example.shape.size.pixels + reader] != 0
            && reader + offset.row * example.shape.size.columns + offset.column == pixel
        }
        for channel in 0..<y.columns {
          #expect(reads == y[reader, channel].isNaN, "pixel \(reader) of a damaged \(pixel)")
          if !reads { #expect(y[reader, channel] == expected[reader, channel]) }
        }
      }
    }
  }

  private func expectClose(_ values: [Float], _ expected: [Double], _ name: String) {
    let error = Golden.relativeError(values, expected)
    #expect(error < Golden.layerTolerance, "\(name) is off by \(error)")
  }

  private func doubles(_ matrix: Matrix) -> [Double] { matrix.values.map(Double.init) }

  private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
}
