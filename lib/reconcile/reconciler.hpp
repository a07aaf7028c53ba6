// The loop: observe, plan, execute, wait; one worker per project.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "cml/api.hpp"
#include "config/desired.hpp"
#include "core/clock.hpp"
#include "plan/orders.hpp"
#include "plan/plan.hpp"
#include "reconcile/observer.hpp"
#include "reconcile/state_store.hpp"

namespace cmlrec::reconcile {

// Makes one HTTP check of `verify:`. The error's message says what was wrong.
class prober {
 public:
  virtual ~prober() = default;
  virtual boost::asio::awaitable<core::result<bool>> probe(config::http_check check,
                                                           core::instant deadline) = 0;
};

enum class mode {
  keep,    // for ever
  once,    // until every project is final, or nothing can be done
  dry_run  // one whole pass without a write
};

struct options {
  mode how = mode::keep;
  plan::policy rules;
  core::duration call_timeout = std::chrono::seconds{60};
  core::duration once_timeout = std::chrono::hours{3};        // of mode::once
  core::duration once_patience = std::chrono::minutes{5};     // unreachable for so long: give up
  std::size_t most_at_once = 64;                              // calls to CML for one project
  bool force = false;                                         // every job is stale from now
  std::function<double()> random = [] { return 0.5; };        // [0, 1), for jitter
};

enum class outcome {
  done,         // converged (or suspended)
  failed,       // Degraded for good
  refused,      // by CML: the key
  unreachable,  // or out of time
  stopped,
};

class reconciler {
 public:
  // All references must outlive it. `store` may be null.
  reconciler(boost::asio::any_io_executor executor, core::clock& clock, cml::api& api,
             prober& checks, observer& watcher, state_store* store, options o);
  ~reconciler();
  reconciler(const reconciler&) = delete;
  reconciler& operator=(const reconciler&) = delete;

  // The first time, and at every reload: workers of projects that stay keep what they know.
  void set_desired(config::desired_state desired);
  void set_rules(const plan::policy& rules, core::duration call_timeout);
  // Until stop(), or in mode::once and dry_run until it is over.
  boost::asio::awaitable<outcome> run();
  // Requests in flight are let end; nothing new is begun.
  void stop();
  void reconcile_now();

  // False: there is no such project. It is in the journal, where there is one, when this returns,
  // and acted upon by the next pass; of what is suspended nothing is begun from now on, not even by
  // the pass that is under way. Resuming a project resumes all of its jobs.
  bool demand(const plan::order& o);
  // Whether what is demanded outlives this process.
  bool journal_works() const;
  // Of the newest file; valid until the next set_desired().
  std::vector<const config::project_spec*> projects() const;

  bool first_pass_done() const;  // of every project
  bool reachable() const;        // every project's newest pass was answered
  // Of the newest pass of each project, without the actions that were carried out; in dry_run: what
  // would be done.
  std::map<std::string, plan::project_plan> plans() const;

 private:
  class impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace cmlrec::reconcile
