import Collectives

/// How long a training step takes on many ranks, calculated from what one takes to compute and from the network between
/// the hosts. docs/scaling.md explains it and compares it with real runs.
///
///     step = preparation + microbatches of the busiest rank, in whose last backward the exchange of buckets begins
///          + what is left of that exchange + norm of the gradient + update of a share + gathering of the parameters
///
/// Traffic is that of `SlotTree` and `ParameterShards` exactly: a rank whose slots are no single subtree sends more. Every
/// host has one link, as fast in either direction, to a switch that is never the bottleneck.
public struct ScalingModel: Sendable {
  /// The network between hosts.
  public struct Network: Codable, Sendable, Equatable {
    /// Bits a second of a host's link, in either direction.
    public var bitsPerSecond: Double
    /// Seconds from the start of a short message to its end.
    public var latency: Double
    /// Seconds of a processor that sending or receiving one message takes.
    public var messageSeconds: Double

    /// Share of a link's bits that are payload: TCP over IPv4 in Ethernet frames of 1,500 bytes.
    public static let payloadShare = 1448.0 / 1538.0

    /// A network.
    public init(bitsPerSecond: Double, latency: Double, messageSeconds: Double = 2e-6) {
      self.bitsPerSecond = bitsPerSecond
      self.latency = latency
      self.messageSeconds = messageSeconds
    }

    /// Seconds that one float takes on a link.
    var floatSeconds: Double { 32 / (bitsPerSecond * Self.payloadShare) }
  }

  /// What a step consists of on a number of ranks.
  public struct Step: Codable, Sendable, Equatable {
    /// What most of the time beyond an even share of one rank's work goes to.
    public enum Bound: String, Codable, Sendable {
      /// Nothing much: at least 90 % efficient.
      case computation
      /// Ranks that wait because the microbatches do not divide evenly, or are too few.
      case microbatches
      /// The exchange.
      case network
    }

    /// Hosts.
    public let hosts: Int
    /// Ranks on all of them.
    public let ranks: Int
    /// Seconds in all.
    public let seconds: Double
    /// Of these, computing on the busiest rank.
    public let computation: Double
    /// The exchange of gradients that the backward does not hide.
    public let reduction: Double
    /// The gradient's norm.
    public let norm: Double
    /// Handing out the parameters.
    public let gathering: Double
    /// What the exchange takes with nothing else to do.
    public let exchangeAlone: Double
    /// Bytes that the busiest host sends or receives, whichever is more.
    public let bytesPerHost: Double
    /// Images a second.
    public let imagesPerSecond: Double
    /// Images a second of each rank, as a share of a single rank's with the same batch.
    public let efficiency: Double
    /// What most of the rest goes to.
    public let bound: Bound

    enum CodingKeys: String, CodingKey {
      case hosts, ranks, seconds, computation, reduction, norm, gathering, efficiency, bound
      case exchangeAlone = "exchange_alone"
      case bytesPerHost = "bytes_per_host"
      case imagesPerSecond = "images_per_second"
    }
  }

  /// What one rank computes.
  public let parts: StepParts
  /// Length of the parameter vector in floats.
  public let parameters: Int
  /// Microbatches of a step.
  public let microbatches: Int
  /// Images of a microbatch.
  public let images: Int
  /// The network.
  public let network: Network
  private let bucketBytes: Int

  /// A model of steps of `microbatches` microbatches of `images` images.
  public init(
    parts: StepParts, parameters: Int, microbatches: Int, images: Int, network: Network, bucketBytes: Int = 4 << 20
  ) {
    precondition(
      parameters > 0 && microbatches > 0 && images > 0,
      "ScalingModel: \(parameters) parameters, \(microbatches) microbatches of \(images) images")
    self.parts = parts
    self.parameters = parameters
    self.microbatches = microbatches
    self.images = images
    self.network = network
    self.bucketBytes = bucketBytes
  }

  /// A step of `hosts` hosts with as many ranks each. Ranks are numbered host by host.
  public func step(hosts: Int, ranksPerHost: Int) -> Step {
    precondition(hosts > 0 && ranksPerHost > 0, "ScalingModel: \(hosts) hosts of \(ranksPerHost) ranks")
    let ranks = hosts * ranksPerHost
    let traffic = Traffic(
      shards: ParameterShards(count: parameters, ranks: ranks, bucketBytes: bucketBytes),
      tree: SlotTree(slots: microbatches), hosts: hosts)
    let slots = (microbatches + ranks - 1) / ranks
    // A merge of whole gradients for each slot but those that are left as subtrees.
    let merging = Double(slots - traffic.subtrees[0]) * parts.addition * Double(parameters)
    let beforeBackward = parts.preparation + Double(slots) * parts.microbatch + merging - parts.backward
    let computed = beforeBackward + parts.backward
    let update = parts.update * Double(traffic.largestShare)

    var (end, alone, gathering) = (0.0, 0.0, 0.0)
    if ranks > 1 {
      // The backward takes about as long for each parameter: all layers see the same pixels. It begins with the last.
      for (bucket, transfer) in zip(traffic.shards.buckets, traffic.reduction).reversed() {
        let done = 1 - Double(bucket.lowerBound) / Double(parameters)
        let ready = beforeBackward + done * parts.backward
        let seconds = self.seconds(transfer)
        // The next bucket is on its way while one is waited for, so only the first of several has its latency seen.
        end = max(ready + network.latency, end) + seconds
        alone += seconds
      }
      // Nothing is on its way while the parameters of a bucket are waited for.
      for transfer in traffic.gathering { gathering += seconds(transfer) + network.latency }
    }
    let norm = ranks > 1 ? seconds(traffic.norm) + network.latency : 0
    let reduction = max(0, end - computed)
    let seconds = computed + reduction + norm + update + gathering

    let single =
      parts.preparation + Double(microbatches) * parts.microbatch
      + (Double(microbatches - 1) * parts.addition + parts.update) * Double(parameters)
    let efficiency = single / (Double(ranks) * seconds)
    let waiting = (Double(slots) - Double(microbatches) / Double(ranks)) * parts.microbatch
    let communicating = reduction + norm + gathering
    return Step(
      hosts: hosts, ranks: ranks, seconds: seconds, computation: computed + update, reduction: reduction, norm: norm,
      gathering: gathering, exchangeAlone: alone + norm + gathering, bytesPerHost: 4 * traffic.floatsPerHost,
      imagesPerSecond: Double(microbatches * images) / seconds, efficiency: efficiency,
      bound: efficiency >= 0.9 ? .computation : waiting > communicating ? .microbatches : .network)
  }

  /// The least power of two of microbatches for each rank with which a step is at least as efficient as `efficiency`; nil
  /// when not even 65,536 suffice. Powers of two, because then every rank's slots are one subtree.
  public func microbatchesPerRank(hosts: Int, ranksPerHost: Int, efficiency: Double) -> Int? {
    (0...16).lazy.map { 1 << $0 }.first { each in
      let model = ScalingModel(
        parts: parts, parameters: parameters, microbatches: each * hosts * ranksPerHost, images: images,
        network: network, bucketBytes: bucketBytes)
      return model.step(hosts: hosts, ranksPerHost: ranksPerHost).efficiency >= efficiency
    }
  }

  /// Seconds that `transfer` takes on the busiest host.
  private func seconds(_ transfer: Transfer) -> Double {
    // A float for a rank of the same host is copied into shared memory and out of it.
    transfer.linkFloats * network.floatSeconds + transfer.localFloats * 2 * parts.addition
      + transfer.addedFloats * parts.addition + Double(transfer.messages) * network.messageSeconds
  }
}

/// What the exchange of one bucket moves and does where it is most.
private struct Transfer {
  /// Floats that a host sends or receives.
  var linkFloats = 0.0
  /// Floats that ranks of a host hand each other.
  var localFloats = 0.0
  /// Floats that a rank adds.
  var addedFloats = 0.0
  /// Messages that a rank sends and receives.
  var messages = 0
}

/// What all ranks exchange in a step.
private struct Traffic {
  let shards: ParameterShards
  /// Number of subtrees of each rank.
  let subtrees: [Int]
  /// By bucket, the sums of gradients.
  private(set) var reduction: [Transfer] = []
  /// By bucket, the parameters.
  private(set) var gathering: [Transfer] = []
  private(set) var norm = Transfer()
  /// Floats that the busiest rank updates.
  let largestShare: Int
  /// Floats that the busiest host sends or receives in a step, both ways of the parameters together.
  private(set) var floatsPerHost = 0.0

  init(shards: ParameterShards, tree: SlotTree, hosts: Int) {
    let ranks = shards.ranks
    let perHost = ranks / hosts
    let subtrees = (0..<ranks).map { tree.maximalSubtrees(in: tree.slots(ofRank: $0, of: ranks)).count }
    let ones = Array(repeating: 1, count: ranks)
    self.shards = shards
    self.subtrees = subtrees
    largestShare = (0..<ranks).map { rank in shards.shardsByBucket.reduce(0) { $0 + $1[rank].count } }.max() ?? 0
    // Nearly all buckets are of one size, and then the same holds for what they move.
    var known: [Int: (Transfer, Transfer)] = [:]
    for ranges in shards.shardsByBucket {
      let counts = ranges.map(\.count)
      let bucket = counts.reduce(0, +)
      let transfers =
        known[bucket]
        ?? (
          Self.transfer(counts, sending: subtrees, perHost: perHost, isSummed: true),
          // The owners of shards send what they received sums of: the same with everybody's ways exchanged.
          Self.transfer(counts, sending: ones, perHost: perHost, isSummed: false)
        )
      known[bucket] = transfers
      reduction.append(transfers.0)
      gathering.append(transfers.1)
    }
    // A number of double precision for each block.
    norm = Self.transfer(
      (0..<ranks).map { 2 * shards.blocks(ownedBy: $0).count }, sending: ones, perHost: perHost, isSummed: false)
    floatsPerHost = (reduction + gathering).reduce(norm.linkFloats) { $0 + $1.linkFloats }
  }

  /// What it takes until every rank has its shard (of `counts` floats) of `sending[r]` vectors of every other rank r.
  private static func transfer(_ counts: [Int], sending: [Int], perHost: Int, isSummed: Bool) -> Transfer {
    let (ranks, total, vectors) = (counts.count, counts.reduce(0, +), sending.reduce(0, +))
    let owners = counts.count { $0 > 0 }
    var transfer = Transfer()
    for first in stride(from: 0, to: ranks, by: perHost) {
      let host = first..<(first + perHost)
      let (own, vectorsHere) = (counts[host].reduce(0, +), sending[host].reduce(0, +))
      let (sent, received) = (vectorsHere * (total - own), own * (vectors - vectorsHere))
      transfer.linkFloats = max(transfer.linkFloats, Double(max(sent, received)))
      let kept = host.reduce(0) { $0 + sending[$1] * (own - counts[$1]) }
      transfer.localFloats = max(transfer.localFloats, Double(kept))
      for rank in host {
        let isOwner = counts[rank] > 0
        let messages = sending[rank] * (owners - (isOwner ? 1 : 0)) + (isOwner ? vectors - sending[rank] : 0)
        transfer.messages = max(transfer.messages, messages)
        if isSummed && vectors > 1 {
          transfer.addedFloats = max(transfer.addedFloats, Double(counts[rank] * (vectors - 1)))
        }
      }
    }
    return transfer
  }
}
