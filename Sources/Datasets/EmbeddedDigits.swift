import Foundation

/// The data set that comes with the executable: 5,000 digits of MNIST, 500 of each class, in MNIST's files and format;
/// 4,500 are for training and 500 for testing.
package enum EmbeddedDigits {
  /// The folder that SwiftPM puts next to the executable, and that moves with it.
  ///
  /// `Bundle.module` is not asked: where it finds nothing it ends the process, and it would go on to look in the folder
  /// of the build, which may hold other data by then.
  static func folder() throws(DatasetError) -> String {
    try folder(nextToExecutableIn: Bundle.main.bundleURL)
  }

  /// The folder of digits for an executable that lies in `binaries`.
  package static func folder(nextToExecutableIn binaries: URL) throws(DatasetError) -> String {
    let folder = binaries.appendingPathComponent("lmconv_Datasets.resources/digits").path
    guard DatasetFolder(folder).exists else { throw .embeddedDigitsMissing(folder: folder) }
    return folder
  }
}
