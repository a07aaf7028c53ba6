// Metrics, log, and the history of events: what the rest of the daemon tells, kept and shown.
#pragma once

#include "cml/http_api.hpp"
#include "config/log_levels.hpp"
#include "plan/report.hpp"
#include "reconcile/observer.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cmlrec::telemetry {

enum class log_format { logfmt, json };

struct options {
  log_format format = log_format::logfmt;
  std::string level = "info";  // as config::parse_log_levels() reads it
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
  virtual bool logs(reconcile::severity level, std::string_view name) const = 0;
  virtual void set_log_levels(const config::log_levels& levels) = 0;
  // Opens it, anew where it is the same as before; empty: none. Where it cannot be written, that is
  // told and counted, and the audit goes on in the log.
  virtual void set_audit_file(const std::string& path) = 0;
  virtual void on_notification(const std::string& result) = 0;
  virtual void on_notify_queue(std::size_t length) = 0;
  virtual void on_loop_lag(core::duration lag) = 0;
};

// Throws std::runtime_error for an unknown level.
std::unique_ptr<telemetry> make_telemetry(options o);

// The body of /v1/status: projects, jobs, state, reason, last runs, next action and when.
// `config_error`: of the last refused reload; empty where there is none. `restart_needed`: settings
// of the newest file that act at the next start.
std::string status_json(const std::map<std::string, plan::project_report>& reports,
                        const std::string& version, const std::string& config_error,
                        const std::vector<std::string>& restart_needed = {});
// One project of it, and one event of /v1/events, each on one line.
std::string project_json(const plan::project_report& report);
std::string event_json(const reconcile::event& e);
std::string events_json(const std::deque<reconcile::event>& events);

}  // namespace cmlrec::telemetry
