// The real loop and planner, a CML in memory, and virtual time.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reconcile/reconciler.hpp"
#include "support/memory_cml.hpp"
#include "support/virtual_clock.hpp"

namespace cmlrec::reconcile::test {

using namespace std::chrono_literals;
using cmlrec::test::fault_kind;

class recorder final : public observer {
 public:
  void on_event(const event& e) override { events.push_back(e); }
  void on_pass(const std::string&, pass_result, core::duration) override { ++passes; }
  void on_write(const write_record& w) override { writes.push_back(w); }
  void on_report(const plan::project_report& r) override { report = r; }
  void on_removed(const std::string& project) override { removed.push_back(project); }
  void on_reload(bool, const std::string&) override {}

  bool said(const std::string& part) const {
    for (const auto& e : events)
      if (e.message.find(part) != std::string::npos) return true;
    return false;
  }

  std::vector<event> events;
  std::vector<std::string> removed;
  std::vector<write_record> writes;
  plan::project_report report;
  int passes = 0;
};

class probe_stub final : public prober {
 public:
  boost::asio::awaitable<core::result<bool>> probe(config::http_check, core::instant) override {
    ++probes;
    if (!good) {
      core::error e{core::error_kind::refused, "expected 200, got 502"};
      co_return e;
    }
    co_return true;
  }
  bool good = true;
  int probes = 0;
};

class memory_store final : public state_store {
 public:
  std::optional<saved_state> load() override { return state; }
  bool save(const saved_state& s, std::string&) override {
    state = s;
    return true;
  }
  std::optional<saved_state> state;
};

class loop_test : public ::testing::Test {
 protected:
  loop_test() : clock(io), cml(clock) {
    project.name = "ray-cluster";
    project.fields["name"] = core::text{"ray-cluster"};
    project.fields["git_url"] = core::text{"https://example.com/o/r"};
    o.random = [] { return 0.5; };
  }
  // The loop may still wait when a test ends: its frames go before what they refer to.
  ~loop_test() override { stop(); }

  void want(const std::string& key, const std::string& parent = "") {
    config::job_spec job;
    job.key = key;
    job.name = key;
    job.fields["name"] = core::text{key};
    job.fields["script"] = core::text{key + ".py"};
    if (!parent.empty()) {
      job.parent_key = parent;
      job.owns_parent = true;
    }
    project.jobs.push_back(job);
  }

  void want_chain() {
    want("git_sync");
    want("setup", "git_sync");
    want("launch", "setup");
  }

  config::desired_state desired() const {
    config::desired_state out;
    out.projects = {project};
    out.version = version;
    return out;
  }

  void start() {
    ended = false;
    loop = std::make_unique<reconciler>(io.get_executor(), clock, cml, probe, watcher, store.get(), o);
    loop->set_desired(desired());
    boost::asio::co_spawn(io, loop->run(), [this](std::exception_ptr e, outcome result) {
      ended = true;
      last = result;
      if (e) std::rethrow_exception(e);
    });
  }

  void stop() {
    if (!loop) return;
    loop->stop();
    clock.run_until([this] { return ended; }, 5min);
    loop.reset();
  }

  bool until(plan::project_state state, core::duration most) {
    return clock.run_until([&] { return watcher.report.state == state && !watcher.report.name.empty(); },
                           most);
  }
  bool until_converged(core::duration most = 30min) {
    return until(plan::project_state::converged, most);
  }
  void pass_time(core::duration d) {
    clock.run_until([] { return false; }, d);
  }

  boost::asio::io_context io;
  cmlrec::test::virtual_clock clock;
  cmlrec::test::memory_cml cml;
  recorder watcher;
  probe_stub probe;
  std::unique_ptr<memory_store> store;
  options o;
  config::project_spec project;
  std::string version = "v1";  // of the file
  std::unique_ptr<reconciler> loop;
  bool ended = false;
  outcome last = outcome::failed;
};

}  // namespace cmlrec::reconcile::test
