// Progress for a person at a terminal, or in the log of a CI job: one line per change, on stderr.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "config/log_levels.hpp"
#include "reconcile/observer.hpp"
#include "telemetry/audit.hpp"

namespace cmlrec::daemon {

class console final : public reconcile::observer {
 public:
  // `levels`: as the setting log_level has it. `audit`: path of the audit file; empty: none.
  console(std::ostream& out, const std::string& levels, const std::string& audit);

  void on_event(const reconcile::event& e) override;
  void on_pass(const std::string&, reconcile::pass_result, core::duration) override {}
  void on_write(const reconcile::write_record& w) override;
  void on_report(const plan::project_report&) override {}
  void on_removed(const std::string&) override {}
  void on_reload(bool, const std::string&) override {}

 private:
  bool shows_debug(const std::string& event) const;
  void tell_audit(const std::optional<std::string>& trouble);

  std::ostream& out_;
  config::log_levels levels_;
  telemetry::audit_file audit_;
  std::string audit_trouble_;  // told last
};

}  // namespace cmlrec::daemon
