import ArgumentParser
import Command
import Configuration
import Foundation
import Testing

/// docs/reference-flags.md: what takes the place of each flag of the paper's code.
@Suite struct ReferenceFlagsTests {
  /// The long flags of the paper's main.py and average_checkpoints.py.
  private static let flags = """
    --data_dir --save_dir --dataset --binarize --print_every --save_interval --sample_interval --test_interval --load_params
    --load_last_params --do_not_load_optimizer --run_dir --exp_name --exp_id --ours --max_celeba_train_batches
    --max_celeba_test_batches --celeba_size --n_bits --nr_resnet --nr_filters --nr_logistic_mix --lr --lr_decay
    --weight_decay --clip --batch_size --max_epochs --seed --ema --kernel_size --max_dilation --dropout_prob
    --normalization --accum_freq --two_stream --order --randomize_order --mode --train_masks --sample_region
    --sample_size_h --sample_size_w --sample_offset1 --sample_offset2 --sample_batch_size --sample_mixture_temperature
    --sample_logistic_temperature --sample_quantize --save_nrow --save_padding --test_masks --test_region --test_minh
    --test_maxh --test_minw --test_maxw --order_variants --no_bias --learn_weight_for_masks --minimize_bpd --resize_sizes
    --resize_probs --base_order_reflect_rows --base_order_reflect_cols --base_order_transpose --rematerialize
    --amp_opt_level --plot_masks --disable_wandb
    --run_id --inputs --output --num-epoch-checkpoints --num-update-checkpoints --checkpoint-upper-bound
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  private struct Row {
    let flags: [String]
    let counterparts: [String]
    let remarks: String
  }

  private func rows() throws -> [Row] {
    let page = try String(
      contentsOfFile: DocumentedCommandsTests.root + "/docs/reference-flags.md", encoding: .utf8)
    return page.split(separator: "\n").filter { $0.hasPrefix("| `-") }.map { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().map(String.init)
      func code(_ cell: String) -> [String] { cell.matches(of: #/`([^`]+)`/#).map { String($0.output.1) } }
      return Row(
        flags: code(cells[0]), counterparts: code(cells[1]), remarks: cells[2].trimmingCharacters(in: .whitespaces))
    }
  }

  @Test func everyFlagHasOneRow() throws {
    #expect(try rows().flatMap(\.flags).filter { $0.hasPrefix("--") }.sorted() == Self.flags.sorted())
  }

  @Test func everyCounterpartExists() throws {
    for row in try rows() {
      #expect(!row.counterparts.isEmpty || !row.remarks.isEmpty, "\(row.flags): neither a counterpart nor a reason")
      for counterpart in row.counterparts {
        let words = counterpart.split(separator: " ").map(String.init)
        guard words[0] == "lmconv" else {
          #expect(ConfigurationKey.at(counterpart) != nil, "\(row.flags): \(counterpart)")
          continue
        }
        let command = try #require(
          LMConv.configuration.subcommands.first { $0.configuration.commandName == words[1] }, "\(row.flags)")
        let help = LMConv.helpMessage(for: command, columns: 200)
        for option in words.dropFirst(2) {
          #expect(try help.contains(Regex("\(option)[ ,\\n]")), "\(row.flags): \(counterpart)")
        }
      }
    }
  }
}
