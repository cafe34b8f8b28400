import Checkpoints
import Foundation
import Testing

struct ParentFolderTests {
  @Test(arguments: [
    ("runs/digits", "runs"), ("a/b/c", "a/b"), ("runs//digits//", "runs"), ("digits", "."), ("q", "."), ("q/", "."),
    ("", "."), ("/q", "/"), ("//q", "/"), ("/", "/"), ("/a/b", "/a"), ("./q", "."), ("../q", ".."),
  ])
  func itHoldsThePath(path: String, parent: String) { #expect(parentFolder(of: path) == parent) }
}
