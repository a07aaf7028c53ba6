#include "reconcile/executor.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace cmlrec::reconcile {
namespace {

namespace asio = boost::asio;

// Runs fn(item) for every item side by side and returns when all have ended. cml::api bounds what is
// really in flight.
template <class Item, class Function>
asio::awaitable<void> side_by_side(core::clock& clock, std::vector<Item> items, Function& fn) {
  const auto executor = co_await asio::this_coro::executor;
  const auto all_done = clock.make_alarm();
  std::size_t left = items.size();
  std::exception_ptr first;
  for (auto& item : items) {
    asio::awaitable<void> task = fn(std::move(item));
    asio::co_spawn(executor, std::move(task), [&](std::exception_ptr e) {
      if (e && !first) first = e;
      if (--left == 0) all_done->ring();
    });
  }
  while (left > 0) {
    const auto until = clock.now() + std::chrono::hours{1};
    co_await all_done->wait_until(until);
  }
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
  action_runner(hands& h, const std::string& project, plan::observation& seen,
                plan::project_memory& memory)
      : h_(h), project_(project), seen_(seen), memory_(memory), file_(h.file) {}

  asio::awaitable<void> operator()(plan::action a) {
    plan::note_sent(memory_, a, now(h_));
    h_.remember();
    const auto sent_at = h_.clock.wall();
    const auto began = h_.clock.now();
    core::result<deed> done = co_await carry_out(a);
    h_.remember();
    auto record = record_of(a, done, h_.clock.now() - began);
    record.at = sent_at;
    h_.watcher.on_write(record);
    if (done) {
      tell(h_, project_, a, severity::info, plan::to_string(a.kind), done->words + ": " + a.reason);
      co_return;
    }
    const auto& why = done.error();
    if (a.kind == plan::action_kind::run_check) {
      tell(h_, project_, a, severity::warning, "run_check", core::describe(why));
      co_return;
    }
    plan::note_failed(memory_, a, why, now(h_));
    h_.remember();
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
    plan::note_done(memory_, a, answer, plan::after_known_runs(seen_, at.cml), at);
  }

  hands& h_;
  const std::string& project_;
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
  auto read = [&](plan::run_read r) -> asio::awaitable<void> {
    auto began = now(h);
    began.cml = plan::calendar(seen, began.cml);
    auto page = co_await h.api.list_runs(project_id, r.job_id, r.most, deadline_of(h));
    if (!page) {
      if (!failure) failure = page.error();
      co_return;
    }
    replace_history(seen.histories[r.job_id], std::move(*page), began);
  };
  co_await side_by_side(h.clock, std::move(reads), read);
  if (failure) co_return *failure;
  co_return core::result<void>();
}

asio::awaitable<core::result<void>> observe(hands& h, const config::project_spec& wanted,
                                            plan::observation& seen, plan::project_memory& memory,
                                            const plan::policy& rules) {
  seen.pass_began = h.clock.now();
  seen.jobs.reset();
  auto found = co_await observe_project(h, wanted, seen);
  if (!found) co_return found.error();
  const auto project_id = plan::project_to_read(wanted, seen);
  if (!project_id) co_return core::result<void>();

  auto jobs = co_await h.api.list_jobs(*project_id, deadline_of(h));
  if (!jobs) co_return jobs.error();
  std::set<std::string_view> ids;
  for (const auto& job : *jobs) ids.insert(job.id);
  std::erase_if(seen.histories, [&](const auto& entry) { return !ids.contains(entry.first); });
  seen.jobs = std::move(*jobs);

  std::optional<core::error> failure;
  auto poll_one = [&](plan::run_poll p) -> asio::awaitable<void> {
    auto r = co_await poll(h, *project_id, p, seen);
    if (!r && !failure) failure = r.error();
  };
  co_await side_by_side(h.clock, plan::runs_to_poll(seen), poll_one);
  if (failure) co_return *failure;
  auto due = plan::due_for_refresh(wanted, seen, memory, rules, now(h));
  co_return co_await read_histories(h, *project_id, std::move(due), seen);
}

asio::awaitable<core::result<void>> execute(hands& h, const std::string& project,
                                            std::vector<plan::action> actions,
                                            plan::observation& seen, plan::project_memory& memory) {
  action_runner runner(h, project, seen, memory);
  co_await side_by_side(h.clock, std::move(actions), runner);
  if (runner.first_stop()) co_return *runner.first_stop();
  co_return core::result<void>();
}

}  // namespace cmlrec::reconcile
