#include "reconcile/executor.hpp"

#include "reconcile/turns.hpp"

#include <algorithm>
#include <exception>
#include <string_view>
#include <unordered_set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace cmlrec::reconcile {
namespace {

namespace asio = boost::asio;

bool always() { return true; }

// Runs fn(item) for every item, a number of them side by side, and returns when all have ended. What
// has to wait here has no deadline yet: ten thousand calls at 20 per second take their time.
template <class Item, class Function>
asio::awaitable<void> side_by_side(const hands& h, std::vector<Item> items, Function& fn,
                                   std::function<bool()> may_begin = always) {
  const auto executor = co_await asio::this_coro::executor;
  const auto all_done = h.clock.make_alarm();
  std::size_t next = 0;
  auto one_after_the_other = [&]() -> asio::awaitable<void> {
    while (next < items.size() && may_begin()) {
      asio::awaitable<void> task = fn(std::move(items[next++]));
      co_await std::move(task);
    }
  };
  std::size_t left = std::min(items.size(), std::max<std::size_t>(1, h.most_at_once));
  std::exception_ptr first;
  for (auto lanes = left; lanes > 0; --lanes) {
    asio::awaitable<void> lane = one_after_the_other();
    asio::co_spawn(executor, std::move(lane), [&](std::exception_ptr e) {
      if (e && !first) first = e;
      if (--left == 0) all_done->ring();
    });
  }
  while (left > 0) {
    const auto until = h.clock.now() + std::chrono::hours{1};
    co_await all_done->wait_until(until);
  }
  auto done = discard(std::move(items));
  co_await std::move(done);
  if (first) std::rethrow_exception(first);
}

core::instant deadline_of(const hands& h) { return h.clock.now() + h.call_timeout; }

bool stops_the_pass(const core::error& e) {
  return e.kind == core::error_kind::credentials || e.kind == core::error_kind::circuit_open ||
         e.kind == core::error_kind::cancelled;
}

void tell(hands& h, const std::string& project, const plan::action& a, severity level,
          const std::string& name, const std::string& message) {
  event e;
  e.at = h.clock.wall();
  e.level = level;
  e.name = name;
  e.project = project;
  e.job = a.job_key;
  e.message = message;
  h.watcher.on_event(e);
}

void drop_history_of(plan::observation& seen, const std::string& job_id) {
  seen.histories.erase(job_id);
}

// Something that was done. With a constructor: g++ 12 destroys aggregates twice that share an
// expression with co_await.
struct deed {
  explicit deed(std::string what, std::string made = {})
      : words(std::move(what)), id(std::move(made)) {}
  std::string words;
  std::string id;  // of what has come about; empty: nothing new has
};

class action_runner {
 public:
  action_runner(hands& h, const std::string& project, const std::function<bool()>& may_begin,
                plan::observation& seen, plan::project_memory& memory)
      : h_(h),
        project_(project),
        may_begin_(may_begin),
        seen_(seen),
        memory_(memory),
        file_(h.file) {}

  asio::awaitable<void> operator()(plan::action a) {
    plan::note_sent(memory_, a, now(h_));
    co_await h_.remember(project_);
    // A reload, an operator or a stop may have come while it was written down.
    if (!may_begin_()) {
      plan::note_not_sent(memory_, a);
      co_return;
    }
    const auto sent_at = h_.clock.wall();
    const auto began = h_.clock.now();
    core::result<deed> done = co_await carry_out(a);
    const bool is_check = a.kind == plan::action_kind::run_check;
    if (!done && !is_check) plan::note_failed(memory_, a, done.error(), now(h_));
    const auto took = h_.clock.now() - began;
    co_await h_.remember(project_);
    auto record = record_of(a, done, took);
    record.at = sent_at;
    h_.watcher.on_write(record);
    if (done) {
      tell(h_, project_, a, severity::info, plan::to_string(a.kind), done->words + ": " + a.reason);
      co_return;
    }
    const auto& why = done.error();
    if (is_check) {
      tell(h_, project_, a, severity::warning, "run_check", core::describe(why));
      co_return;
    }
    tell(h_, project_, a, severity::warning, std::string(plan::to_string(a.kind)) + "_failed",
         core::describe(why) +
             (why.may_have_happened ? "; it may have been done all the same: looked up first" : ""));
    if (stops_the_pass(why) && !first_stop_) first_stop_ = why;
  }

  const std::optional<core::error>& first_stop() const { return first_stop_; }

 private:
  write_record record_of(const plan::action& a, const core::result<deed>& done,
                         core::duration took) const {
    write_record w;
    w.project = project_;
    w.project_id = a.project_id;
    w.job = a.job_key;
    w.action = plan::to_string(a.kind);
    w.operation = plan::operation_of(a.kind);
    const bool of_run =
        a.kind == plan::action_kind::start_run || a.kind == plan::action_kind::stop_run;
    w.kind = of_run ? "run" : a.job_name.empty() ? "project" : "job";
    w.name = a.job_name.empty() ? project_ : a.job_name;
    w.object_id = of_run ? a.run_id : a.job_name.empty() ? a.project_id : a.job_id;
    if (done && !done->id.empty()) w.object_id = done->id;
    w.reason = a.reason;
    w.ok = done.has_value();
    w.took = took;
    w.answer = done ? done->words : core::describe(done.error());
    w.file = file_;
    if (done) return w;
    w.may_have_happened = done.error().may_have_happened;
    w.error = core::to_string(done.error().kind);
    w.http_status = done.error().http_status;
    return w;
  }

  // What was done.
  asio::awaitable<core::result<deed>> carry_out(const plan::action& a) {
    const auto deadline = deadline_of(h_);
    switch (a.kind) {
      case plan::action_kind::create_project: {
        auto r = co_await h_.api.create_project(a.project, deadline);
        if (!r) co_return r.error();
        done(a, nullptr);
        co_return deed("created project " + r->id, r->id);
      }
      case plan::action_kind::update_project: {
        auto r = co_await h_.api.update_project(a.project_id, a.project, deadline);
        if (!r) co_return r.error();
        plan::note_project_updated(memory_, a, *r, now(h_));
        co_return deed("updated the project");
      }
      case plan::action_kind::create_job: {
        auto r = co_await h_.api.create_job(a.project_id, a.job, deadline);
        if (!r) co_return r.error();
        done(a, nullptr);
        co_return deed("created job " + r->id, r->id);
      }
      case plan::action_kind::update_job: {
        auto r = co_await h_.api.update_job(a.project_id, a.job_id, a.job, deadline);
        if (!r) co_return r.error();
        done(a, &*r);
        co_return deed("updated job " + a.job_id);
      }
      case plan::action_kind::delete_job: {
        auto r = co_await h_.api.delete_job(a.project_id, a.job_id, deadline);
        if (!r) co_return r.error();
        done(a, nullptr);
        drop_history_of(seen_, a.job_id);
        co_return deed("deleted job " + a.job_id);
      }
      case plan::action_kind::start_run: {
        auto r = co_await h_.api.start_run(a.project_id, a.job_id, a.run, deadline);
        if (!r) co_return r.error();
        plan::note_started(memory_, a, *r, now(h_));
        plan::merge(seen_.histories[a.job_id], *r);
        co_return deed("started run " + r->id, r->id);
      }
      case plan::action_kind::stop_run: {
        auto r = co_await h_.api.stop_run(a.project_id, a.job_id, a.run_id, deadline);
        if (!r) co_return r.error();
        done(a, nullptr);
        co_return deed("asked run " + a.run_id + " to stop");
      }
      case plan::action_kind::run_check: {
        const auto check_deadline = h_.clock.now() + a.request.timeout;
        auto r = co_await h_.checks.probe(a.request, check_deadline);
        plan::note_check(memory_, a.check, r.has_value(),
                         r.has_value() ? "" : core::describe(r.error()), now(h_));
        if (!r) co_return r.error();
        co_return deed("check '" + a.check + "' passed");
      }
    }
    co_return deed("");
  }

  void done(const plan::action& a, const cml::job* answer) {
    const auto at = now(h_);
    // Attempts are counted anew for a changed definition alone, which is what CML answers with.
    const auto from = answer == nullptr ? at.cml : plan::after_known_runs(seen_, at.cml);
    plan::note_done(memory_, a, answer, from, at);
  }

  hands& h_;
  const std::string& project_;
  const std::function<bool()>& may_begin_;
  plan::observation& seen_;
  plan::project_memory& memory_;
  const std::string file_;  // the one that the plan was made by, whatever is read meanwhile
  std::optional<core::error> first_stop_;
};

// Keeps what a list does not show yet: a run that is known to have started.
void replace_history(plan::run_history& history, cml::runs_page page, plan::moment began) {
  auto before = std::move(history.runs);
  history.runs = std::move(page.runs);
  history.complete = page.complete;
  history.began = began;
  for (const auto& run : before) {
    if (cml::is_finished(run.state)) continue;
    const bool listed = std::any_of(history.runs.begin(), history.runs.end(),
                                    [&](const cml::run& r) { return r.id == run.id; });
    if (!listed) plan::merge(history, run);
  }
}

// A run that CML no longer knows is not active.
asio::awaitable<core::result<void>> poll(hands& h, const std::string& project_id,
                                         const plan::run_poll& p, plan::observation& seen) {
  auto r = co_await h.api.get_run(project_id, p.job_id, p.run_id, deadline_of(h));
  auto& history = seen.histories[p.job_id];
  if (r) {
    plan::merge(history, *r);
  } else if (r.error().kind == core::error_kind::not_found) {
    std::erase_if(history.runs, [&](const cml::run& run) { return run.id == p.run_id; });
    history.began = {};
  } else {
    co_return r.error();
  }
  co_return core::result<void>();
}

asio::awaitable<core::result<void>> observe_project(hands& h, const config::project_spec& wanted,
                                                    plan::observation& seen) {
  if (wanted.id) {
    auto r = co_await h.api.get_project(*wanted.id, deadline_of(h));
    if (!r && r.error().kind != core::error_kind::not_found) co_return r.error();
    seen.projects.clear();
    if (r) seen.projects.push_back(std::move(*r));
  } else {
    auto r = co_await h.api.list_projects(wanted.name, deadline_of(h));
    if (!r) co_return r.error();
    seen.projects = std::move(*r);
  }
  co_return core::result<void>();
}

}  // namespace

plan::moment now(const hands& h) { return {h.api.server_time(), h.clock.now()}; }

asio::awaitable<core::result<void>> read_histories(hands& h, const std::string& project_id,
                                                   std::vector<plan::run_read> reads,
                                                   plan::observation& seen) {
  std::optional<core::error> failure;
  auto newest = plan::calendar(seen, core::timestamp::min());
  auto read = [&](plan::run_read r) -> asio::awaitable<void> {
    auto began = now(h);
    began.cml = std::max(newest, began.cml);
    auto page = co_await h.api.list_runs(project_id, r.job_id, r.most, deadline_of(h));
    if (!page) {
      if (!failure) failure = page.error();
      co_return;
    }
    auto& history = seen.histories[r.job_id];
    replace_history(history, std::move(*page), began);
    newest = std::max(newest, plan::calendar(history, newest));
  };
  auto all = side_by_side(h, std::move(reads), read);
  co_await std::move(all);
  if (failure) co_return *failure;
  co_return core::result<void>();
}

asio::awaitable<core::result<void>> observe(hands& h, const config::project_spec& wanted,
                                            plan::observation& seen, plan::project_memory& memory,
                                            const plan::policy& rules) {
  seen.pass_began = h.clock.now();
  if (seen.jobs) {
    auto old = discard(std::move(*seen.jobs));
    seen.jobs.reset();
    co_await std::move(old);
  }
  auto found = co_await observe_project(h, wanted, seen);
  if (!found) co_return found.error();
  const auto project_id = plan::project_to_read(wanted, seen);
  if (!project_id) co_return core::result<void>();

  auto jobs = co_await h.api.list_jobs(*project_id, deadline_of(h));
  if (!jobs) co_return jobs.error();
  std::unordered_set<std::string_view> ids;
  ids.reserve(jobs->size());
  for (const auto& job : *jobs) ids.insert(job.id);
  std::erase_if(seen.histories, [&](const auto& entry) { return !ids.contains(entry.first); });
  seen.jobs = std::move(*jobs);
  co_await let_others_go_on();

  std::optional<core::error> failure;
  auto poll_one = [&](plan::run_poll p) -> asio::awaitable<void> {
    auto r = co_await poll(h, *project_id, p, seen);
    if (!r && !failure) failure = r.error();
  };
  auto polls = side_by_side(h, plan::runs_to_poll(seen), poll_one);
  co_await std::move(polls);
  if (failure) co_return *failure;
  auto due = plan::due_for_refresh(wanted, seen, memory, rules, now(h));
  co_return co_await read_histories(h, *project_id, std::move(due), seen);
}

asio::awaitable<core::result<void>> execute(hands& h, const std::string& project,
                                            std::vector<plan::action> actions,
                                            std::function<bool()> may_begin,
                                            plan::observation& seen, plan::project_memory& memory) {
  action_runner runner(h, project, may_begin, seen, memory);
  auto all = side_by_side(h, std::move(actions), runner, may_begin);
  co_await std::move(all);
  if (runner.first_stop()) co_return *runner.first_stop();
  co_return core::result<void>();
}

}  // namespace cmlrec::reconcile
