import Collectives
import Foundation
import Training

/// `lmconv train --dry-run`: everything that would be checked and allocated, and one step to estimate the time.
struct DryRun {
  private let experiment: Experiment
  private let folder: RunFolder
  private let communicator: any Communicator

  init(_ experiment: Experiment, folder: RunFolder, communicator: any Communicator) {
    self.experiment = experiment
    self.folder = folder
    self.communicator = communicator
  }

  func run() throws {
  }
}
