/// What is wrong with a NumPy file. Every case names the file; offsets count its bytes from 0.
public enum NPYError: Error, Equatable, CustomStringConvertible {
  /// The system refused to open or read the file, or it is too large.
  case inaccessible(PNGError)
  /// The file does not begin as NumPy files do.
  case notNPY(path: String)
  /// A version of the format that is not known.
  case unknownVersion(path: String, major: UInt8, minor: UInt8)
  /// The header is not what the format says.
  case malformedHeader(path: String, offset: Int, expected: String)
  /// The elements are of another type.
  case wrongType(path: String, found: String, expected: String)
  /// The elements lie in columns.
  case fortranOrder(path: String)
  /// The array has not the sizes that are needed.
  case wrongShape(path: String, found: [Int], expected: String)
  /// The file ends before the elements that its header announces, or goes on after them.
  case wrongLength(path: String, offset: Int, expectedBytes: Int, foundBytes: Int)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .inaccessible(let error): return error.description
    case .notNPY(let path): return "\(path): byte 0: not a NumPy file; write it with numpy.save"
    case .unknownVersion(let path, let major, let minor):
      return "\(path): byte 6: version \(major).\(minor) of the format, expected 1.0, 2.0 or 3.0"
    case .malformedHeader(let path, let offset, let expected):
      return "\(path): byte \(offset): malformed header, expected \(expected)"
    case .wrongType(let path, let found, let expected):
      return "\(path): elements of type \(found), expected \(expected)"
    case .fortranOrder(let path):
      return "\(path): elements in Fortran order; save numpy.ascontiguousarray of the array"
    case .wrongShape(let path, let found, let expected):
      return "\(path): shape \(found), expected \(expected)"
    case .wrongLength(let path, let offset, let expected, let found):
      return "\(path): byte \(offset): \(found) bytes of elements, expected \(expected)"
    }
  }
}
