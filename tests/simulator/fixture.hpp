// A simulator on a clock that moves only when a test says so, called without sockets.
#pragma once

#include "simulator/service.hpp"

#include <memory>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cmlrec::simulator {

inline constexpr const char* test_key = "test-key-test-key-test-key";

struct response {
  int status = 0;
  json::value body;
  delivery how = delivery::send;

  const json::value& operator[](std::string_view name) const { return body.as_object().at(name); }
  std::string text(std::string_view name) const { return std::string((*this)[name].as_string()); }
  std::string message() const { return text("message"); }
};

class simulator_test : public testing::Test {
 protected:
  void start(rules how = {}, fault_source faults = fault_source{1}) {
    sim_ = std::make_unique<service>(std::move(how), test_key, clock_, std::move(faults));
  }

  void SetUp() override { start(); }

  response call(const std::string& method, const std::string& target, const std::string& body = {},
                std::optional<std::string> authorization = "Bearer " + std::string(test_key)) {
    request r{method, target, std::move(authorization), body};
    const auto answer = sim_->handle(r);
    boost::system::error_code ec;
    return {answer.status, json::parse(answer.body.empty() ? "null" : answer.body, ec), answer.how};
  }
  response get(const std::string& path) { return call("GET", path); }
  response post(const std::string& path, const std::string& body) {
    return call("POST", path, body);
  }
  response patch(const std::string& path, const std::string& body) {
    return call("PATCH", path, body);
  }
  response remove(const std::string& path) { return call("DELETE", path); }
  json::object ledger_now() { return get("/-/ledger").body.as_object(); }

  void pass(double seconds) {
    clock_.advance(duration{static_cast<duration::rep>(seconds * 1000)});
  }

  // A project that is cloned and has its scripts; sets `project` and `jobs`.
  void ready_project(const std::string& name = "demo") {
    const auto made = post("/api/v2/projects", R"({"name":")" + name + R"("})");
    ASSERT_EQ(made.status, 200) << json::serialize(made.body);
    project = made.text("id");
    jobs = "/api/v2/projects/" + project + "/jobs";
    pass(31);
  }
  // Creates a job and answers its id; `more` is ",\"cpu\":2".
  std::string make_job(const std::string& name, const std::string& more = {}) {
    const auto made =
        post(jobs, R"({"name":")" + name + R"(","script":"a.py","runtime_identifier":"image:1")" +
                       more + "}");
    EXPECT_EQ(made.status, 200) << json::serialize(made.body);
    return made.status == 200 ? made.text("id") : std::string(19, 'x');
  }
  std::string runs_of(const std::string& job) { return jobs + "/" + job + "/runs"; }
  response start_run(const std::string& job) { return post(runs_of(job), "{}"); }
  // Statuses from the newest to the oldest, without the prefix.
  std::string history(const std::string& job) {
    std::string out;
    const auto listed = get(runs_of(job) + "?sort=-created_at&page_size=50");
    for (const auto& r : listed["job_runs"].as_array())
      out += (out.empty() ? "" : " ") + std::string(r.at("status").as_string()).substr(7);
    return out;
  }

  duration real_{0};
  virtual_clock clock_{*core::parse_timestamp("2026-01-05T10:00:00Z"), 0, [this] { return real_; }};
  std::unique_ptr<service> sim_;
  std::string project;
  std::string jobs;
};

}  // namespace cmlrec::simulator
