import Kernels
import Orders

/// How a masked convolution's output is normalized.
public enum Normalization: String, Sendable, Codable, CaseIterable {
  /// Not at all.
  case none
  /// The convolution's weight is g * v / |v|, per output channel.
  case weightNorm = "weight_norm"
  /// Divided by the location's number of visible taps.
  case orderRescale = "order_rescale"
  /// Positional normalization: per location, zero mean and unit variance over the channels.
  case pono

  /// What acts on the outputs at each location.
  package var atLocations: LocationNormalization {
    switch self {
    case .none, .weightNorm: return .none
    case .orderRescale: return .orderRescale
    case .pono: return .positional
    }
  }
}

/// Which network: the paper's, or what it is compared with.
public enum Architecture: String, Sendable, Codable, CaseIterable {
  /// Locally masked convolutions: any order (`LocallyMaskedPixelCNN`).
  case lmconv
  /// PixelCNN++'s two streams of shifted convolutions: the raster scan (`PixelCNNPlusPlus`).
  case pixelCNNPlusPlus = "pixelcnn_pp"
}

/// The distribution that the network's outputs parametrize at each pixel.
public enum PixelDistribution: Sendable, Hashable {
  /// Two classes, by two logits; one channel.
  case binary
  /// A discretized mixture of `mixtures` logistics over 2^`bits` levels (PixelCNN++).
  case logisticMixture(mixtures: Int, bits: Int)

  /// Levels a channel of a pixel can take.
  public var levels: Int {
    switch self {
    case .binary: return 2
    case .logisticMixture(_, let bits): return 1 << bits
    }
  }

  /// The network's outputs per pixel of `channels` channels.
  ///
  /// Per component a mixture logit, then per channel a mean and a log scale, then one coefficient for each pair of
  /// channels: 3 for one channel, 10 for RGB (reference.md).
  public func outputs(channels: Int) -> Int {
    switch self {
    case .binary: return 2
    case .logisticMixture(let mixtures, _): return mixtures * (1 + 2 * channels + channels * (channels - 1) / 2)
    }
  }
}

/// Everything that defines the network's function apart from its parameters and the image size.
public struct ModelConfiguration: Sendable, Hashable {
  /// Which network.
  public var architecture: Architecture
  /// Channels of an image, 1 to 4.
  public var channels: Int
  /// Channels of the hidden activations (F in the paper's code, `nr_filters`).
  public var filters: Int
  /// Gated blocks per group (`nr_resnet`).
  public var blocks: Int
  /// Side of the convolutions' windows; odd.
  public var kernel: Int
  /// Dilation of the four convolutions between groups (`max_dilation`).
  public var dilation: Int
  /// Normalization of the masked convolutions' outputs.
  public var normalization: Normalization
  /// Probability of dropping a whole channel of an image in a gated block (dropout2d).
  public var dropout: Float
  /// Whether masked convolutions have a bias; 1x1 layers always have one.
  public var bias: Bool
  /// Whether each masked convolution has a learned weight on the mask itself.
  public var maskWeight: Bool
  /// What the outputs parametrize.
  public var distribution: PixelDistribution

  /// A configuration; the defaults are the paper's.
  public init(
    architecture: Architecture = .lmconv, channels: Int, filters: Int = 160, blocks: Int = 5, kernel: Int = 3,
    dilation: Int = 2,
    normalization: Normalization = .pono, dropout: Float = 0, bias: Bool = true, maskWeight: Bool = false,
    distribution: PixelDistribution
  ) {
    self.architecture = architecture
    self.channels = channels
    self.filters = filters
    self.blocks = blocks
    self.kernel = kernel
    self.dilation = dilation
    self.normalization = normalization
    self.dropout = dropout
    self.bias = bias
    self.maskWeight = maskWeight
    self.distribution = distribution
  }

  /// The network's outputs per pixel.
  public var outputs: Int { distribution.outputs(channels: channels) }
}
