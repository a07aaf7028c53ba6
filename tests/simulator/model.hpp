// What the workspace holds. The `fields` of an object are what a read shows, in the types of a
// read; what the rules need beside them is kept apart.
#pragma once

#include "simulator/rules.hpp"

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <boost/system/result.hpp>

namespace cmlrec::simulator {

namespace json = boost::json;

// A refusal, as the API words it. `code` is the gRPC status.
struct api_error {
  int status = 500;
  int code = 13;
  std::string message;
};

template <class T>
using answer = boost::system::result<T, api_error>;

[[noreturn]] void throw_exception_from_error(const api_error& e, const boost::source_location& loc);

api_error invalid(std::string message);              // 3
api_error precondition_failed(std::string message);  // 9
api_error not_found(std::string message);            // 5
api_error already_exists(std::string message);       // 6
api_error forbidden(std::string message);            // 7
api_error unauthenticated(std::string message);      // 16
api_error internal_error(std::string message);       // 13

enum class run_phase { scheduling, starting, running, stopping, stuck, over };

struct run {
  std::string id;
  std::string status;  // "ENGINE_RUNNING"
  std::string cause;   // api, dependency, schedule, manual, retry
  run_phase phase = run_phase::scheduling;
  int number = 0;   // counts the runs of the job that were not skipped
  int attempt = 0;  // of the workspace's own retries
  run_plan plan;
  timestamp created_at{};
  std::optional<timestamp> starting_at;
  std::optional<timestamp> running_at;
  std::optional<timestamp> finished_at;
  std::optional<timestamp> next_at;  // when the phase changes by itself
  json::object fields;
};

// A start that the workspace owes: of a dependent job, or of a retry.
struct pending_start {
  timestamp at{};
  std::string cause;
  int attempt = 0;
};

struct job {
  std::string id;
  timestamp created_at{};
  timestamp updated_at{};
  json::object fields;
  std::optional<timestamp> next_scheduled;
  std::vector<pending_start> pending;
  int runs_started = 0;
  std::deque<run> runs;  // in order of creation; never erased one by one

  std::string text(std::string_view field) const;
  run* active();
  const run* active() const;
  const run* newest_success() const;
};

struct project {
  std::string id;
  timestamp created_at{};
  timestamp updated_at{};
  json::object fields;
  std::string creation_status = "creating";
  std::optional<timestamp> clone_ends;
  std::optional<timestamp> scripts_from;  // set once the clone has succeeded
  int calls_to_lose = 0;
  std::list<job> jobs;

  std::string name() const;
  bool uses_runtimes() const;
};

}  // namespace cmlrec::simulator
