// SPDX-License-Identifier: Apache-2.0
// The topics; docs/reference has the same at length.
#include "settings/help.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bridge::cli {

namespace {

constexpr std::string_view filters_text =
    R"(Words and options that choose tests. A test runs if it fits any word, and every option.

  fetch               its id has this in it
  'net*.slow?'        its whole id is like this
  tag:net             name:, suite:, tag:, host:, binary: or status: is this, or like this
  --exact ID          its id is this
  -t TAG              it has this tag
  --skip WORD         leaves out what the word fits
  -E EXPRESSION       'tag:net and not (slow or suite:db)'
  --failed            failed when it last ran

status: is passed, failed, timed_out, crashed, skipped, flaky or new.
After '--' every word is a filter. 'bridge-test list' shows what is chosen.
)";

constexpr std::string_view isolation = R"(--isolation MODE: what tests share.

  process   nothing: each runs in a process of its own (the default)
  fork      a Python that has been started once; each test is a fork of it
  batch     a process, one after the other; after a crash the others go on in a new one
  none      a process in place of bridge-test, for a debugger:
            gdb --args bridge-test BINARY --exact ID --isolation none

If a binary can neither fork nor serve a batch, a warning says so, and its tests run in a process
each.
)";

constexpr std::string_view time_outs = R"(What happens to a test that does not end by itself.

  1. After --slow (5s), and each multiple of it, it is marked as slow.
  2. At its time-out (its own, or --timeout) it is cancelled, and writes where everything is.
  3. --grace (2s) later it gets SIGQUIT, if it catches that, and a second to explain itself.
  4. Its process group gets SIGTERM.
  5. A second later it gets SIGKILL.

--run-timeout ends the whole run, with exit code 12. Ctrl-Z stops the clock.

While tests run in a terminal, the key d asks each of them where it is, and shows what it answers;
so does SIGUSR1. The tests go on.
)";

constexpr std::string_view shards = R"(Several machines, or jobs of a CI, that share the tests.

  bridge-test --shard 2/4 --report-log part.ndjson    the second of four parts
  bridge-test merge *.ndjson --junit all.xml          one report of them all

Which part a test is in follows from its id: all parts together are the whole. Without --shard,
CI_NODE_INDEX of CI_NODE_TOTAL counts, or GTEST_SHARD_INDEX of GTEST_TOTAL_SHARDS, or what Bazel
sets.
)";

constexpr std::string_view reports = R"(What a run leaves; any of these at the same time.

  --junit FILE         JUnit XML, as Jenkins, GitLab, CircleCI and GitHub's actions read it
  --report-log FILE    every event, a JSON object a line, while the run goes on
  --github always      annotations and a step summary; by itself in GitHub Actions

They are written when the run is interrupted or its time is over, too. One that cannot be
written makes exit code 14.
)";

constexpr std::string_view config =
    R"(Where an option's value comes from; the first of these that has one counts.

  --max-fail 3                      the command line
  BRIDGE_TEST_MAX_FAIL=3            the environment
  [profile.ci] max-fail = 3         bridge-test.toml, here or above, if -P ci is given
  [profile.default] max-fail = 3    the same for all

  [[profile.default.overrides]]     for the tests that fit an expression
  filter = "tag:net"
  timeout = "30s"
  retries = 2

'bridge-test show-config' shows every value and its source.
)";

constexpr std::string_view exit_codes =
    R"(Exit codes; if several apply, the first of 2, 12, 10, 14, 5, 1 counts.

   0   all tests passed or were skipped
   1   a test failed, timed out or crashed
   2   interrupted
   3   internal error
   4   usage: an unknown option, a bad value
   5   no test was selected
  10   a binary could not be listed; of merge: a log has no end
  12   --run-timeout was over
  14   a report, or the list, could not be written
)";

constexpr std::string_view completions = R"(Completion of options, their values and verbs.

  bash   source <(bridge-test completions bash)       in ~/.bashrc
  zsh    source <(bridge-test completions zsh)        in ~/.zshrc, after compinit
  fish   bridge-test completions fish | source        in ~/.config/fish/config.fish
)";

} // namespace

const std::vector<help_topic>& help_topics() {
    static const std::vector<help_topic> topics{
        {"filters", "which tests run", filters_text},
        {"isolation", "what tests share", isolation},
        {"time-outs", "what happens to a test that hangs", time_outs},
        {"shards", "several machines", shards},
        {"reports", "what a run leaves", reports},
        {"config", "files, variables and what outranks what", config},
        {"exit-codes", "what the exit code says", exit_codes},
        {"completions", "completion in bash, zsh and fish", completions},
    };
    return topics;
}

const help_topic* find_topic(std::string_view name) {
    const auto& all = help_topics();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::string list_topics() {
    std::string text;
    for (const auto& one : help_topics())
        text += fmt::format("  {:<12} {}\n", one.name, one.title);
    return text;
}

} // namespace bridge::cli
