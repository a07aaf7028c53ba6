#include "daemon/console.hpp"

namespace cmlrec::daemon {

console::console(std::ostream& out, const std::string& levels, const std::string& audit)
    : out_(out) {
  std::string unused;  // it was checked when it was read
  levels_ = config::parse_log_levels(levels, unused).value_or(config::log_levels{});
  tell_audit(audit_.open(audit));
}

bool console::shows_debug(const std::string& event) const {
  const auto found = levels_.parts.find(config::part_of(event));
  const auto& level = found == levels_.parts.end() ? levels_.general : found->second;
  return level == "debug" || level == "trace";
}

void console::tell_audit(const std::optional<std::string>& trouble) {
  if (trouble && *trouble != audit_trouble_) out_ << "WARNING " << *trouble << std::endl;
  audit_trouble_ = trouble.value_or("");
}

void console::on_write(const reconcile::write_record& w) {
  if (audit_.is_wanted() && !w.operation.empty()) tell_audit(audit_.write(telemetry::audit_line(w)));
}

void console::on_event(const reconcile::event& e) {
  if (e.level == reconcile::severity::debug && !shows_debug(e.name)) return;
  out_ << core::format_timestamp(e.at).substr(11, 8) << ' ';
  if (e.level == reconcile::severity::error) out_ << "ERROR ";
  if (e.level == reconcile::severity::warning) out_ << "WARNING ";
  if (!e.project.empty() && e.job.empty() && e.name != "status") out_ << e.project << ": ";
  if (!e.job.empty()) out_ << e.job << ": ";
  out_ << e.message << std::endl;
}

}  // namespace cmlrec::daemon
