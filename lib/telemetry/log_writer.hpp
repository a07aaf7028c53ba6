// The log: which levels are written, in which form, and where to.
#pragma once

#include "config/log_levels.hpp"
#include "telemetry/log_line.hpp"
#include "telemetry/telemetry.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace cmlrec::telemetry {

// Takes one line, without a line break; must not block for long.
using line_sink = std::function<void(std::string_view line)>;

// To stderr, dropping lines (and saying so later) where nobody reads them.
line_sink stderr_sink(log_format format, bool to_journal);

class log_writer {
 public:
  virtual ~log_writer() = default;
  virtual void write(const log_entry& entry) = 0;
  virtual void set_levels(config::log_levels levels) = 0;
  // Whether such an event is written: for what would be costly to say in vain.
  virtual bool wants(reconcile::severity level, std::string_view event) const = 0;
};

// Throws std::runtime_error for an unknown level.
std::unique_ptr<log_writer> make_log_writer(const options& o, line_sink sink);

}  // namespace cmlrec::telemetry
