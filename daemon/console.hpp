// Progress for a person at a terminal, or in the log of a CI job: one line per change, on stderr.
#pragma once

#include <ostream>

#include "reconcile/observer.hpp"

namespace cmlrec::daemon {

class console final : public reconcile::observer {
 public:
  explicit console(std::ostream& out, bool verbose) : out_(out), verbose_(verbose) {}

  void on_event(const reconcile::event& e) override;
  void on_pass(const std::string&, reconcile::pass_result, core::duration) override {}
  void on_write(const reconcile::write_record&) override {}
  void on_report(const plan::project_report&) override {}
  void on_removed(const std::string&) override {}
  void on_reload(bool, const std::string&) override {}

 private:
  std::ostream& out_;
  bool verbose_;
};

}  // namespace cmlrec::daemon
