#include <exception>
#include <iostream>

#include "daemon/command_line.hpp"
#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/generate.hpp"
#include "daemon/setup.hpp"

namespace {

using namespace cmlrec;

int dispatch(const daemon::command_line& line) {
  if (line.command == "version") {
    if (line.json)
      std::cout << "{\"version\":\"" CMLREC_VERSION "\"}\n";
    else
      std::cout << "cml-reconciler " CMLREC_VERSION "\n";
    return daemon::done;
  }
  if (line.schema) {
    std::cout << config::json_schema() << '\n';
    return daemon::done;
  }
  if (line.command == "generate") {
    std::cout << daemon::generate(line.generate, CMLREC_VERSION);
    return daemon::done;
  }
  if (line.command == "health") return daemon::check_health(line);
  for (const char* asks : {"status", "explain", "force", "retry", "suspend", "resume", "reload",
                           "reconcile"})
    if (line.command == asks) return daemon::ask_running_daemon(line);
  auto settings = daemon::read_settings(line);
  if (!settings) return daemon::bad_input;
  if (line.command == "import")
    return daemon::import_live_project(*settings, line.project, CMLREC_VERSION);
  auto loaded = daemon::read_file(line, *settings);
  if (line.command == "validate") return daemon::tell_validity(loaded, settings->config_path, line.json);
  if (!daemon::report_findings(loaded)) return daemon::bad_input;
  auto& desired = *loaded.state;
  if (line.command == "run")
    return daemon::run_daemon(line, std::move(*settings), std::move(desired), CMLREC_VERSION);
  return daemon::apply_once(*settings, desired, line.command == "plan", line.json, CMLREC_VERSION);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto line = cmlrec::daemon::parse_command_line(argc, argv, CMLREC_VERSION);
    return line.exit_code >= 0 ? line.exit_code : dispatch(line);
  } catch (const std::exception& e) {
    std::cerr << "cml-reconciler: " << e.what() << '\n';
    return cmlrec::daemon::failed;
  }
}
