// The script file: how runs and clones end, what is there at the start, and what people do when.
//
// {
//   "jobs": {"git_sync": {"running_seconds": 60, "outcome": "failed",
//                         "runs": [{"number": 2, "outcome": "succeeded"}]}},
//   "projects": {"ray-cluster": {"clone": "failure", "clone_seconds": 5,
//                                "missing_scripts": ["x.py"]}},
//   "state": {"projects": [{"name": "ray-cluster", "jobs": [{"name": "git_sync", ...,
//             "runs": [{"status": "ENGINE_SUCCEEDED", "created_at": "-2h"}]}]}]},
//   "actions": [{"after_seconds": 90, "do": "edit", "project": "ray-cluster",
//                "job": "git_sync", "fields": {"cpu": 4}}]
// }
#pragma once

#include "simulator/rules.hpp"
#include "simulator/service.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cmlrec::simulator {

struct script {
  json::object initial;  // "state"; given to workspace::add_initial
  std::vector<timed_action> actions;
};

// Adds to `how` and fills `out`. The error is a sentence that names the place: an unknown member
// or a value of a wrong type is an error.
std::optional<std::string> read_script(std::string_view text, rules& how, script& out);

// "succeeded", "failed", "timedout", "never_scheduled"; any word of a status stands for itself.
std::optional<std::string> set_outcome(std::string_view word, run_rule& rule);

}  // namespace cmlrec::simulator
