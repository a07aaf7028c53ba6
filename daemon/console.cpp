#include "daemon/console.hpp"

namespace cmlrec::daemon {

void console::on_event(const reconcile::event& e) {
  if (e.level == reconcile::severity::debug && !verbose_) return;
  out_ << core::format_timestamp(e.at).substr(11, 8) << ' ';
  if (e.level == reconcile::severity::error) out_ << "ERROR ";
  if (e.level == reconcile::severity::warning) out_ << "WARNING ";
  if (!e.project.empty() && e.job.empty() && e.name != "status") out_ << e.project << ": ";
  if (!e.job.empty()) out_ << e.job << ": ";
  out_ << e.message << std::endl;
}

}  // namespace cmlrec::daemon
