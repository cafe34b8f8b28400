import Configuration
import Testing
import Training

struct StepGuardTests {
  private func stepGuard(
    _ policy: RunConfiguration.GuardPolicy = .stop, maxLoss: Double = 0, maxNorm: Double = 0, maxSkips: Int = 10
  ) -> StepGuard {
    var options = RunConfiguration().guards
    options.policy = policy
    options.maxLoss = maxLoss
    options.maxGradientNorm = maxNorm
    options.maxSkips = maxSkips
    return StepGuard(options)
  }

  @Test func whatIsNotFiniteIsNeverFit() {
    let stepGuard = stepGuard()
    #expect(stepGuard.reason(losses: [1, 1e300], norm: 1e300) == nil)
    #expect(
      stepGuard.reason(losses: [1, .infinity], norm: 1)?.description
        == "the loss of microbatch 1 is inf bits per dimension")
    #expect(
      stepGuard.reason(losses: [-Double.nan], norm: 1)?.description
        == "the loss of microbatch 0 is nan bits per dimension")
    #expect(stepGuard.reason(losses: [1], norm: .nan)?.description == "the norm of the gradient is nan")
    #expect(stepGuard.reason(losses: [1], norm: .infinity)?.description == "the norm of the gradient is inf")
  }

  @Test func limitsAreOfAnImageAndOfTheWholeGradient() {
    let stepGuard = stepGuard(maxLoss: 5, maxNorm: 3)
    #expect(stepGuard.reason(losses: [5, 5], norm: 3) == nil)
    #expect(
      stepGuard.reason(losses: [5, 5.5], norm: 3)?.description
        == "the loss of microbatch 1 is 5.5 bits per dimension, guard.max_loss is 5.0")
    #expect(
      stepGuard.reason(losses: [5, 5], norm: 3.5)?.description
        == "the norm of the gradient is 3.5, guard.max_gradient_norm is 3.0")
  }

  @Test func microbatchesThatAreUnfitByThemselvesAreSuspect() {
    let stepGuard = stepGuard(maxLoss: 5)
    #expect(stepGuard.suspects(losses: [1, .nan, 2, 9]) == [1, 3])
    #expect(stepGuard.suspects(losses: [1, 2]) == [0, 1])
  }

  @Test func skippingEndsWhenTooManyStepsAreUnfitInARow() {
    var stepGuard = stepGuard(.skip, maxSkips: 2)
    #expect([4, 5].map { stepGuard.respond(to: $0) } == [.skip, .skip])
    stepGuard.didUpdate()
    #expect([7, 8, 9].map { stepGuard.respond(to: $0) } == [.skip, .skip, .stop])
    #expect(stepGuard.skipped == 4 && stepGuard.skippedInARow == 2)
    #expect(stepGuard.counters == ["skipped_steps": 4, "skipped_in_a_row": 2])
  }

  @Test func aStepIsGoneBackForOnce() {
    var stepGuard = stepGuard(.rollback, maxSkips: 1)
    #expect(stepGuard.respond(to: 4) == .rollback)
    #expect(stepGuard.counters.isEmpty)
    #expect(stepGuard.respond(to: 4) == .skip)
    #expect(stepGuard.respond(to: 5) == .rollback)
    // The checkpoint knows nothing of what came after it.
    stepGuard.restore([:])
    #expect([4, 5].map { stepGuard.respond(to: $0) } == [.skip, .stop])
  }

  @Test func stoppingIsTheDefault() {
    var stepGuard = stepGuard()
    #expect(RunConfiguration().guards.policy == .stop)
    #expect(stepGuard.respond(to: 0) == .stop)
  }

  @Test func theRanksThatDifferAreTheFewest() {
    #expect(ParameterAgreement.minority([7, 7, 7]) == nil)
    #expect(ParameterAgreement.minority([7, 8, 7]) == [1])
    #expect(ParameterAgreement.minority([8, 7, 7, 9]) == [0, 3])
    // As many on either side: rank 0's counts.
    #expect(ParameterAgreement.minority([7, 8]) == [1])
    #expect(ParameterAgreement.minority([8, 7, 7, 8]) == [1, 2])
  }
}
