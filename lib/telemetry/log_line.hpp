// One line of the log, written down: logfmt or JSON, with a time or with a priority of the journal.
#pragma once

#include "core/time.hpp"
#include "reconcile/observer.hpp"
#include "telemetry/telemetry.hpp"

#include <map>
#include <string>

namespace cmlrec::telemetry {

struct log_entry {
  core::timestamp at;
  reconcile::severity level = reconcile::severity::info;
  std::string event;
  std::string project;  // empty: not told
  std::string job;      // empty: not told
  std::map<std::string, std::string> fields;
  std::string message;
};

const char* to_string(reconcile::severity level);  // "warning"

// Without a line break, and without a character that a terminal would obey.
std::string format_line(const log_entry& entry, log_format format, bool to_journal);

}  // namespace cmlrec::telemetry
