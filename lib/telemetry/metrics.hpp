// What is counted as it happens. prometheus-cpp stays behind this header.
#pragma once

#include "core/error.hpp"
#include "core/time.hpp"
#include "plan/report.hpp"
#include "reconcile/observer.hpp"
#include "telemetry/label_bounds.hpp"

#include <map>
#include <memory>
#include <string>

namespace cmlrec::telemetry {

class metrics {
 public:
  virtual ~metrics() = default;
  virtual void pass(const std::string& project, reconcile::pass_result result,
                    core::duration took) = 0;
  virtual void action(const std::string& project, const std::string& action, bool ok) = 0;
  // `outcome`: the word for how the run ended.
  virtual void run_ended(const std::string& project, const std::string& job,
                         const std::string& outcome) = 0;
  // `kind`: project or job; `field`: of the table of fields.
  virtual void drifted(const std::string& project, const std::string& kind,
                       const std::string& field) = 0;
  virtual void attempt(const std::string& operation, int status, core::duration took) = 0;
  virtual void retry(const std::string& operation, core::error_kind kind) = 0;
  virtual void rate_limited(core::duration waited) = 0;
  virtual void circuit(bool open) = 0;
  virtual void reload(bool ok, core::timestamp at) = 0;
  virtual void audit_failed() = 0;
  // `result`: delivered, failed, dropped.
  virtual void notification(const std::string& result) = 0;
  virtual void notify_queue(std::size_t length) = 0;
  virtual void loop_lag(core::duration lag) = 0;
  virtual void removed(const std::string& project) = 0;
  virtual void job_removed(const std::string& project, const std::string& job) = 0;
  // The exposition format, families and series in a fixed order.
  virtual std::string text(const std::map<std::string, plan::project_report>& reports) const = 0;
};

// `bounds` must outlive the result. `started`: the file was read then.
std::unique_ptr<metrics> make_metrics(label_bounds& bounds, const std::string& version,
                                      core::timestamp started);

}  // namespace cmlrec::telemetry
