#include "cml/models.hpp"

#include "core/letters.hpp"

#include <array>
#include <utility>

namespace cmlrec::cml {
namespace {

constexpr std::array<std::pair<std::string_view, run_state>, 11> states = {{
    {"scheduling", run_state::scheduling},
    {"starting", run_state::starting},
    {"running", run_state::running},
    {"stopping", run_state::stopping},
    {"succeeded", run_state::succeeded},
    {"success", run_state::succeeded},
    {"failed", run_state::failed},
    {"timedout", run_state::timed_out},
    {"stopped", run_state::stopped},
    {"skipped", run_state::skipped},
    {"unknown", run_state::unknown},
}};

}  // namespace

run_state parse_run_state(std::string_view status) {
  auto word = core::lower_case(status);
  constexpr std::string_view prefix = "engine_";
  if (word.compare(0, prefix.size(), prefix) == 0) word.erase(0, prefix.size());
  for (const auto& [name, state] : states)
    if (word == name) return state;
  return run_state::unknown;
}

const char* to_string(run_state state) {
  switch (state) {
    case run_state::scheduling:
      return "scheduling";
    case run_state::starting:
      return "starting";
    case run_state::running:
      return "running";
    case run_state::stopping:
      return "stopping";
    case run_state::succeeded:
      return "succeeded";
    case run_state::failed:
      return "failed";
    case run_state::timed_out:
      return "timed out";
    case run_state::stopped:
      return "stopped";
    case run_state::skipped:
      return "skipped";
    case run_state::unknown:
      return "unknown";
  }
  return "unknown";
}

bool is_finished(run_state state) {
  switch (state) {
    case run_state::succeeded:
    case run_state::failed:
    case run_state::timed_out:
    case run_state::stopped:
    case run_state::skipped:
      return true;
    default:
      return false;
  }
}

}  // namespace cmlrec::cml
