// The audit: what was written to CML, why, and what came of it. A line of the log, and where it is
// asked for a file of its own.
#pragma once

#include "reconcile/observer.hpp"
#include "telemetry/log_line.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace cmlrec::telemetry {

// The event "audit". Its result is done, failed, or uncertain: it may have been done all the same.
log_entry audit_entry(const reconcile::write_record& w, core::timestamp at);
// One JSON object, without a line break. Every member is always there; what is not known is null.
std::string audit_line(const reconcile::write_record& w);

// Appends lines to a regular file that log rotation may take away. A line that cannot be written is
// lost, and said to be: nothing waits for it.
class audit_file {
 public:
  audit_file() = default;
  ~audit_file() { close(); }
  audit_file(const audit_file&) = delete;
  audit_file& operator=(const audit_file&) = delete;

  // Empty: none. The same path is opened anew. Nothing where it can be written; else why not.
  std::optional<std::string> open(const std::string& path);
  bool is_wanted() const { return !path_.empty(); }
  // Tries to open the file again where it is not open. Nothing where the line was written.
  std::optional<std::string> write(const std::string& line);

 private:
  void close();
  std::optional<std::string> open_again();

  std::string path_;
  int descriptor_ = -1;
  bool within_line_ = false;  // the disk was full in the middle of one
};

}  // namespace cmlrec::telemetry
