// swift-tools-version: 6.1
import PackageDescription

// Bottom-up: a target may depend only on targets above it.

// AVX2 and FMA where the host has that instruction set; LMCONV_BASELINE=1 builds for any x86-64 processor. Without errno,
// `squareRoot()` is one instruction for a whole vector; its bits are the same.
#if arch(x86_64)
  let usesAVX2 = Context.environment["LMCONV_BASELINE"] == nil
#else
  let usesAVX2 = false
#endif
let instructionSet: [SwiftSetting] =
  usesAVX2 ? [.unsafeFlags(["-Xcc", "-march=x86-64-v3", "-Xcc", "-fno-math-errno"])] : []
let warningsAreErrors: [SwiftSetting] =
  Context.environment["LMCONV_WERROR"] == nil ? [] : [.unsafeFlags(["-warnings-as-errors"])]
let settings = instructionSet + warningsAreErrors
// Kernels check shapes once at their entry; inside, -Ounchecked removes the per-element checks.
let kernelSettings = settings + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]

let package = Package(
  name: "lmconv",
  products: [.executable(name: "lmconv", targets: ["Command"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CEXIF", pkgConfig: "libexif", providers: [.apt(["libexif-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    // What `lmconv --version` tells of the build; launch.sh knows it.
    .target(
      name: "CBuildInformation",
      cSettings: [.define("LMCONV_BUILD", to: "\"\(Context.environment["LMCONV_BUILD"] ?? "")\"")]),
    .target(name: "CProcessorCheck", cSettings: usesAVX2 ? [.define("LMCONV_NEEDS_AVX2")] : []),

    // Unoptimized, C reloads every vector from memory: debug builds would take minutes for tests of seconds.
    .target(name: "CMicrokernels", cSettings: [.unsafeFlags(["-O2"])]),

    .target(name: "Tensors", swiftSettings: settings),
    .target(name: "Tracing", swiftSettings: settings),
    .target(name: "Orders", swiftSettings: settings),
    .target(
      name: "Kernels", dependencies: ["Tensors", "Orders", "COpenBLAS", "CMicrokernels"],
      swiftSettings: kernelSettings),
    .target(name: "Model", dependencies: ["Tensors", "Tracing", "Orders", "Kernels"], swiftSettings: settings),
    .target(name: "Optimization", dependencies: ["Tensors", "Kernels"], swiftSettings: settings),
    .target(name: "Collectives", dependencies: ["Tensors", "Kernels", "COpenMPI"], swiftSettings: settings),
    .target(
      name: "Imaging", dependencies: ["Orders", "CPNG", "CTurboJPEG", "CEXIF", "CZlib"], swiftSettings: settings),
    // TFRecord files, and protocol buffer messages that Tools/generate-messages.sh makes of the .proto files.
    .target(
      name: "TensorFlowFormats", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["event.proto", "example.proto"], swiftSettings: settings),
    .target(
      name: "Datasets",
      dependencies: [
        "Tensors", "Orders", "Imaging", "TensorFlowFormats", "CZlib",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], resources: [.copy("Resources/digits")],
      swiftSettings: settings),
    .target(name: "Checkpoints", dependencies: ["Tensors", "CZlib"], swiftSettings: settings),
    .target(
      name: "EventFiles",
      dependencies: ["TensorFlowFormats", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      swiftSettings: settings),
    .target(
      name: "Configuration", dependencies: ["Orders", "Model", "Datasets", .product(name: "Yams", package: "Yams")],
      swiftSettings: settings),
    .target(
      name: "Evaluation", dependencies: ["Tensors", "Orders", "Kernels", "Model", "Datasets", "Collectives"],
      swiftSettings: settings),
    .target(
      name: "Sampling", dependencies: ["Tensors", "Orders", "Kernels", "Model", "Collectives", "Datasets", "Imaging"],
      swiftSettings: settings),
    .target(
      name: "Compression", dependencies: ["Tensors", "Orders", "Kernels", "Model", "Collectives", "CZlib"],
      swiftSettings: settings),
    .target(
      name: "Training",
      dependencies: [
        "Tensors", "Tracing", "Orders", "Kernels", "Model", "Optimization", "Collectives", "Datasets", "Checkpoints",
        "EventFiles", "Imaging", "Configuration", "Evaluation", "Sampling",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings),
    .target(
      name: "Reporting", dependencies: ["Configuration", "Imaging", "Training"], swiftSettings: settings),
    .target(
      name: "Benchmarking",
      dependencies: ["Tensors", "Tracing", "Orders", "Kernels", "Model", "Optimization", "Collectives", "Sampling"],
      swiftSettings: settings),
    .target(
      name: "Serving",
      dependencies: [
        "Tensors", "Orders", "Kernels", "Model", "Datasets", "Imaging", "Evaluation", "Sampling", "Training",
        .product(name: "FlyingFox", package: "FlyingFox"), .product(name: "FlyingSocks", package: "FlyingFox"),
        .product(name: "Logging", package: "swift-log"),
      ], resources: [.embedInCode("Page/index.html"), .embedInCode("Page/page.css"), .embedInCode("Page/page.js")],
      swiftSettings: settings),
    .executableTarget(
      name: "Command",
      dependencies: [
        "Tensors", "Orders", "Kernels", "Model", "Collectives", "Datasets", "Checkpoints", "Imaging", "Configuration",
        "Evaluation", "Sampling", "Compression", "Training", "Reporting", "Benchmarking", "Serving",
        "CBuildInformation", "CProcessorCheck",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings),

    .target(
      name: "TestSupport",
      dependencies: [
        "Tensors", "Orders", "Kernels", "Model", "Checkpoints", "TensorFlowFormats",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], path: "Tests/TestSupport"),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "TracingTests", dependencies: ["Tracing"]),
    .testTarget(name: "OrdersTests", dependencies: ["Tensors", "Orders"]),
    .testTarget(name: "KernelsTests", dependencies: ["Tensors", "Orders", "Kernels", "TestSupport"]),
    // Counts what ModelTests and DatasetsTests allocate, by taking the place of malloc.
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "ModelTests",
      dependencies: ["Tensors", "Tracing", "Orders", "Kernels", "Model", "AllocationCounter", "TestSupport"]),
    .testTarget(name: "OptimizationTests", dependencies: ["Tensors", "Kernels", "Optimization"]),
    // What CollectivesTests runs under mpirun.
    .executableTarget(
      name: "CollectivesProbe", dependencies: ["Tensors", "Optimization", "Collectives"],
      path: "Tests/CollectivesProbe"),
    .testTarget(name: "CollectivesTests", dependencies: ["Tensors", "Collectives", "CollectivesProbe"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: [
        "Datasets", "Imaging", "Tensors", "Orders", "TensorFlowFormats", "CZlib", "AllocationCounter", "TestSupport",
      ]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "TestSupport"]),
    .testTarget(name: "TensorFlowFormatsTests", dependencies: ["TensorFlowFormats"]),
    .testTarget(name: "EventFilesTests", dependencies: ["EventFiles", "TestSupport"]),
    .testTarget(name: "ImagingTests", dependencies: ["Imaging", "Orders", "CZlib", "TestSupport"]),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: [
        "Configuration", "Model", "Orders", "Tensors", "TestSupport", .product(name: "Yams", package: "Yams"),
      ]),
    .testTarget(name: "SamplingTests", dependencies: ["Kernels", "Model", "Orders", "Sampling", "Tensors"]),
    .testTarget(
      name: "CompressionTests",
      dependencies: [
        "Compression", "Model", "Orders", "Kernels", "Tensors", "Collectives", "Datasets", "Sampling",
        "TestSupport",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Tensors", "Orders", "Kernels", "Optimization", "Collectives", "Configuration", "Datasets", "Evaluation",
        "Imaging", "Model", "Training",
      ]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "Training", "Imaging"]),
    .testTarget(
      name: "BenchmarkingTests",
      dependencies: ["Tensors", "Orders", "Kernels", "Model", "Collectives", "Benchmarking"]),
    .testTarget(
      name: "ParityTests",
      dependencies: [
        "Tensors", "Orders", "Kernels", "Model", "Optimization", "Collectives", "Datasets", "Checkpoints", "Evaluation",
        "TestSupport",
      ]),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "Serving", .product(name: "FlyingFox", package: "FlyingFox"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ]),
    // These run the program itself, the last two under mpirun as well.
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Command", "Configuration", "Orders", "Checkpoints", "Imaging", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["Command", "Checkpoints", "Imaging", "Orders", "Tensors", "TestSupport", "Training"]),
    // What ./launch.sh test --fuzz feeds with changed files.
    .target(
      name: "FuzzedParsers",
      dependencies: [
        "Tensors", "Orders", "Model", "Collectives", "Datasets", "Checkpoints", "Imaging", "Configuration",
        "Compression", "TensorFlowFormats", "TestSupport",
      ], path: "Tests/FuzzedParsers"),
    .testTarget(name: "FuzzedParsersTests", dependencies: ["FuzzedParsers", "Tensors"]),
    // What ./launch.sh test --faults runs.
    .testTarget(name: "FaultTests", dependencies: ["Command", "Checkpoints", "Tensors", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

// Tests/fuzz.sh looks for libFuzzer in the toolchain and tells where it is.
if let library = Context.environment["LMCONV_LIBFUZZER"] {
  package.targets += [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/CLibFuzzer"),
    .executableTarget(
      name: "ParserFuzzer", dependencies: ["FuzzedParsers", "CLibFuzzer"], path: "Tests/ParserFuzzer",
      linkerSettings: [.unsafeFlags([library]), .linkedLibrary("stdc++")]),
  ]
}

for target in package.targets where target.type == .test || target.name == "TestSupport" {
  target.swiftSettings = warningsAreErrors
}
