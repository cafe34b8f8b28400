import Model
import Orders
import Tensors
import TestSupport
import Testing

/// What `--dry-run` says of memory is what is taken.
struct NetworkWorkspaceTests {
  /// Floats of all buffers that `value` holds, each counted once.
  private func floats(_ value: Any) -> Int {
    var buffers: [ObjectIdentifier: Int] = [:]
    func visit(_ value: Any) {
      if let buffer = value as? FloatBuffer {
        buffers[ObjectIdentifier(buffer)] = buffer.count
      } else if !(value is AutoregressiveNetwork) {
        for child in Mirror(reflecting: value).children { visit(child.value) }
      }
    }
    visit(value)
    return buffers.values.reduce(0, +)
  }

  @Test(arguments: try ExampleNetwork.all(), [ActivationRetention.nothing, .everything, .outputs])
  func bytesAreThoseOfTheBuffers(example: ExampleNetwork, retention: ActivationRetention) {
    let workspace = NetworkWorkspace(network: example.network, size: example.size, images: 3, retaining: retention)
    let bytes = NetworkWorkspace.bytes(network: example.network, size: example.size, images: 3, retaining: retention)
    #expect(4 * floats(workspace) == bytes)
  }

  /// The network that docs/performance.md measures.
  @Test func rematerializationTakesAQuarterOfTheMemory() {
    let network = AutoregressiveNetwork(
      ModelConfiguration(
        channels: 3, filters: 160, blocks: 5, distribution: .logisticMixture(mixtures: 10, bits: 8)))
    let bytes = [ActivationRetention.outputs, .everything].map {
      NetworkWorkspace.bytes(network: network, size: ImageSize(rows: 32, columns: 32), images: 4, retaining: $0)
    }
    #expect(4 * bytes[0] <= bytes[1], "\(bytes)")
  }

  @Test(arguments: try ExampleNetwork.all()) func aCacheTakesTheFloatsOfItsImages(example: ExampleNetwork) {
    let sizes = [1, 2].map { floats(LocationCache(network: example.network, size: example.size, images: $0)) }
    let image = LocationCache.floatsPerImage(network: example.network, size: example.size)
    let growth = sizes[1] - sizes[0]
    // Besides what is kept for each pixel, an image has a location's activations under way.
    #expect(growth > image && growth - image < 16 * example.network.configuration.filters + 100)
  }
}
