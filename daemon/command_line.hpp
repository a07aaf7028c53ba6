// The command line, built from the table of settings.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace cmlrec::daemon {

struct command_line {
  std::string command;                       // run, apply, plan, validate, status, force, ...
  std::map<std::string, std::string> flags;  // by the name of the setting
  std::string settings_file;
  bool schema = false;                       // validate --schema
  bool ready = false;                        // health --ready
  std::string generate;                      // generate WHAT
  std::string job;                           // of force, retry, suspend, resume and explain
  std::string project;                       // import PROJECT
  std::string length;                        // suspend --for
  bool json = false;                         // --output json
  int exit_code = -1;                        // >= 0: end now (help was printed, or a flag is wrong)
};

// Prints help to stdout, and what is wrong, with the remedy, to stderr.
command_line parse_command_line(int argc, char** argv, const std::string& version);

// The same as an object that can be asked what it takes. `out` must outlive it.
std::unique_ptr<CLI::App> make_app(command_line& out, const std::string& version);

}  // namespace cmlrec::daemon
