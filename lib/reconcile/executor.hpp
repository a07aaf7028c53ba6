// The thin end: makes the calls of one pass and carries out the actions of a plan. It holds no rule;
// whatever came of an action goes back through plan/memory.hpp.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "cml/api.hpp"
#include "core/clock.hpp"
#include "plan/memory.hpp"
#include "plan/plan.hpp"
#include "reconcile/reconciler.hpp"

namespace cmlrec::reconcile {

struct hands {
  core::clock& clock;
  cml::api& api;
  prober& checks;
  observer& watcher;
  core::duration call_timeout;
  // Before a POST goes out and after its answer: what must outlive the process is written down.
  std::function<boost::asio::awaitable<void>(const std::string& project)> remember;
  std::size_t most_at_once;  // calls of one project
  std::string file;  // version of the newest file: for the audit
};

// Project, jobs, the active runs and the rotating share of histories. On an error the observation
// is not to be used for anything but being completed by a later pass.
boost::asio::awaitable<core::result<void>> observe(hands& h, const config::project_spec& wanted,
                                                   plan::observation& seen,
                                                   plan::project_memory& memory,
                                                   const plan::policy& rules);
boost::asio::awaitable<core::result<void>> read_histories(hands& h, const std::string& project_id,
                                                          std::vector<plan::run_read> reads,
                                                          plan::observation& seen);
// Side by side, as long as `may_begin` allows; what it stops is left for the next plan. The error of
// the first action that shows CML unreachable or the key refused; any other failure is the planner's
// matter.
boost::asio::awaitable<core::result<void>> execute(hands& h, const std::string& project,
                                                   std::vector<plan::action> actions,
                                                   std::function<bool()> may_begin,
                                                   plan::observation& seen,
                                                   plan::project_memory& memory);

plan::moment now(const hands& h);

}  // namespace cmlrec::reconcile
