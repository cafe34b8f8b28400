import CMicrokernels

/// What this processor has beyond the instruction set that the program is built for.
package enum InstructionSet {
  /// Whether vectors of 512 bits may be used.
  package static let hasAVX512 = lmconv_has_avx512() != 0
}
