// A call of the API from its first attempt to its last: places, rate limit, circuit, key, retry.
#pragma once

#include "cml/backoff.hpp"
#include "cml/circuit.hpp"
#include "cml/http_api.hpp"
#include "cml/places.hpp"
#include "cml/rate_limit.hpp"
#include "cml/transport.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace cmlrec::cml {

struct call {
  call(const char* operation_name, effect does, const char* http_method, std::string to)
      : operation(operation_name), what(does), method(http_method), target(std::move(to)) {}

  const char* operation;  // as the API's document names it: "ListJobs"
  effect what;
  const char* method;
  std::string target;
  std::string body;
  std::string object;                // for errors: "job 'git_sync' of project abcd-..."
  std::vector<std::string> secrets;  // of the body: masked where the server repeats them
};

// Takes the body of a 2xx.
class body_reader {
 public:
  virtual ~body_reader() = default;
  virtual std::optional<core::error> read(std::string_view body) = 0;
};

class caller : public std::enable_shared_from_this<caller> {
 public:
  caller(boost::asio::any_io_executor executor, core::clock& clock, http_options options,
         std::unique_ptr<transport> over, call_observer* observer);

  // Nothing where it has succeeded. `into` must outlive the call.
  boost::asio::awaitable<std::optional<core::error>> run(call what, body_reader& into,
                                                         core::instant deadline);
  core::timestamp server_time() const;
  core::instant now() const { return clock_.now(); }

 private:
  struct progress;
  class asked_circuit;

  boost::asio::awaitable<std::optional<core::error>> attempts(const call& c, progress& at,
                                                              body_reader& into,
                                                              core::instant deadline);
  boost::asio::awaitable<std::optional<core::error>> attempt(const call& c, progress& at,
                                                             body_reader& into,
                                                             core::instant deadline);
  boost::asio::awaitable<std::optional<core::error>> keep_to_the_rate(core::instant deadline);
  // False: stopped meanwhile.
  boost::asio::awaitable<bool> wait_until(core::instant until);

  std::optional<core::error> judge(const call& c, const progress& at, body_reader& into,
                                   const http_answer& answer) const;
  void tell_circuit(asked_circuit& asked, const progress& at, const std::optional<core::error>& e);
  http_exchange to_exchange(const call& c) const;
  std::vector<std::string> secrets_of(const call& c, const progress& at) const;
  bool take_new_key(progress& at);
  core::error held_back(core::instant now) const;

  core::clock& clock_;
  http_options options_;
  std::unique_ptr<transport> transport_;
  call_observer* observer_;
  std::shared_ptr<places> places_;
  rate_limit rate_;
  circuit circuit_;
  std::uint64_t calls_ = 0;
  std::mt19937_64 random_;
  std::optional<core::timestamp> server_date_;
  core::instant server_date_at_{};
};

}  // namespace cmlrec::cml
