import Foundation

extension Error {
  /// Why the system refused, behind an error of Foundation, which itself says only that something did not complete.
  package var systemReason: String {
    guard let cause = (self as? CocoaError)?.underlying as? POSIXError else { return localizedDescription }
    return String(cString: strerror(cause.code.rawValue))
  }
}
