// A client and a scripted server on one event loop.
#pragma once

#include "cml/http_api.hpp"
#include "support/jumping_clock.hpp"
#include "support/run_loop.hpp"
#include "support/scripted_server.hpp"

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cmlrec::cml {

inline constexpr const char* the_key = "k3y-0123456789abcdef";

// What the client reports of itself.
class recorder final : public call_observer {
 public:
  void on_attempt(const char* operation, int status, core::duration) override {
    attempts.push_back(std::string(operation) + " " + std::to_string(status));
  }
  void on_retry(const char*, core::duration after, const core::error& why) override {
    retries.push_back(after);
    texts.push_back(core::describe(why));
  }
  void on_rate_limited(core::duration waited) override { rate_limited.push_back(waited); }
  void on_circuit(bool open, const std::string& why) override {
    circuit.push_back(open);
    texts.push_back(why);
  }

  std::vector<std::string> attempts;
  std::vector<core::duration> retries;
  std::vector<core::duration> rate_limited;
  std::vector<bool> circuit;
  std::vector<std::string> texts;
};

class http_test : public testing::Test {
 protected:
  // To be changed before the first call.
  http_options options;
  boost::asio::io_context loop;
  test::jumping_clock clock;
  recorder seen;
  test::scripted_server server{loop};
  std::unique_ptr<api> client;

  api& cml() {
    if (!client) {
      if (options.base_url.empty()) options.base_url = server.url();
      if (options.api_key.empty()) options.api_key = core::secret(the_key);
      client = make_http_api(loop.get_executor(), clock, options, &seen);
    }
    return *client;
  }

  core::instant soon() const { return clock.in(std::chrono::seconds{20}); }

  template <class T>
  T run(boost::asio::awaitable<T> what) {
    return test::run(loop, std::move(what));
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& r : server.requests()) out.push_back(r.line);
    return out;
  }
};

inline const char* const a_job = R"({"id":"jjjj","name":"git_sync"})";
inline const char* const a_run = R"({"id":"rrrr","status":"ENGINE_SCHEDULING"})";
inline const char* const a_project = R"({"id":"pppp","name":"ray"})";

}  // namespace cmlrec::cml
