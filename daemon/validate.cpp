// `validate`: without asking CML.
#include <iostream>

#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/plan_text.hpp"
#include "daemon/setup.hpp"

namespace cmlrec::daemon {

int tell_validity(const config::loaded& loaded, const std::string& file, bool json) {
  const bool good = loaded.errors.empty();
  if (json) {
    std::cout << validity_json(loaded, file);
  } else if (report_findings(loaded)) {
    std::size_t jobs = 0;
    for (const auto& project : loaded.state->projects) jobs += project.jobs.size();
    std::cout << file << ": good, " << loaded.state->projects.size() << " project(s), " << jobs
              << " job(s)\n";
  }
  return good ? done : bad_input;
}

}  // namespace cmlrec::daemon
