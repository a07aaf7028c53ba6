// Metrics, log, and the history of events: what the rest of the daemon tells, kept and shown.
#pragma once

#include "cml/http_api.hpp"
#include "plan/report.hpp"
#include "reconcile/observer.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace cmlrec::telemetry {

enum class log_format { logfmt, json };

struct options {
  log_format format = log_format::logfmt;
  std::string level = "info";  // trace, debug, info, warning, error
  bool to_journal = false;     // priorities ("<6>") before each line, as systemd reads them
  std::size_t most_events = 1000;
  std::size_t most_series = 2000;  // of labels project and job; past it they share "_other"
  std::string version;
};

class telemetry : public reconcile::observer, public cml::call_observer {
 public:
  // The text of /metrics, in the Prometheus exposition format 0.0.4.
  virtual std::string metrics_text() const = 0;
  virtual const std::deque<reconcile::event>& events() const = 0;
  // How many there have been: the number of the newest of events().
  virtual std::uint64_t events_told() const = 0;
  virtual const std::map<std::string, plan::project_report>& reports() const = 0;
  // One line of the log that belongs to no project. Fields are key=value beside the message.
  virtual void log(reconcile::severity level, const std::string& name, const std::string& message,
                   const std::map<std::string, std::string>& fields) = 0;
  virtual void on_loop_lag(core::duration lag) = 0;
};

// Throws std::runtime_error for an unknown level.
std::unique_ptr<telemetry> make_telemetry(options o);

// The body of /v1/status: projects, jobs, state, reason, last runs, next action and when.
// `config_error`: of the last refused reload; empty where there is none.
std::string status_json(const std::map<std::string, plan::project_report>& reports,
                        const std::string& version, const std::string& config_error);
// One project of it, and one event of /v1/events, each on one line.
std::string project_json(const plan::project_report& report);
std::string event_json(const reconcile::event& e);
std::string events_json(const std::deque<reconcile::event>& events);

}  // namespace cmlrec::telemetry
