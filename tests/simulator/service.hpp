// The whole simulator without its sockets: workspace, API, faults, ledger, control and saved state.
#pragma once

#include "simulator/api.hpp"
#include "simulator/faults.hpp"
#include "simulator/ledger.hpp"
#include "simulator/message.hpp"
#include "simulator/virtual_clock.hpp"
#include "simulator/workspace.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::simulator {

// What a person does, or what goes wrong, at a moment of the virtual time.
struct timed_action {
  duration after{0};  // since the start
  std::string what;   // edit, run, stop, delete-job, faults
  json::object arguments;
};

class service {
 public:
  service(rules r, std::string key, virtual_clock& clock, fault_source faults);

  // Objects and actions of a script file; the error is a sentence.
  std::optional<std::string> add_initial(const json::object& state);
  void schedule(std::vector<timed_action> actions);
  // Continues from a file written by save_state(), if there is one, and saves to it from now on.
  // `fresh` becomes false if there was one.
  std::optional<std::string> use_state_file(const std::string& path, bool& fresh);
  // The error is a sentence; nothing where no file is used.
  std::optional<std::string> save_state();

  reply handle(const request& r);
  // Lets everything happen that is due.
  void advance();

  static bool is_api(std::string_view target) { return target.starts_with("/api/"); }
  ledger& books() { return ledger_; }
  timestamp now() const { return clock_.now(); }

 private:
  struct late_operation {
    timestamp at{};
    route where;
    request what;
  };

  reply handle_api(const request& r);
  reply with_fault(const route& at, const request& r, const fault& f);
  reply control(const request& r);
  reply control_get(std::string_view path);
  reply control_post(std::string_view path, const json::object& body);
  answer<json::object> act(std::string_view what, const json::object& arguments);
  answer<json::object> advance_clock(const json::object& body);

  virtual_clock& clock_;
  ledger ledger_;
  workspace workspace_;
  api api_;
  fault_source faults_;
  std::vector<late_operation> late_;
  std::vector<std::pair<timestamp, timed_action>> actions_;
  timestamp started_;
  std::string state_path_;
  bool unsaved_ = false;
};

}  // namespace cmlrec::simulator
