// The command line, built from the table of settings.
#pragma once

#include <map>
#include <string>

namespace cmlrec::daemon {

struct command_line {
  std::string command;                       // run, apply, plan, validate, version
  std::map<std::string, std::string> flags;  // by the name of the setting
  std::string settings_file;
  bool schema = false;                       // validate --schema
  int exit_code = -1;                        // >= 0: end now (help was printed, or a flag is wrong)
};

// Prints help to stdout, and what is wrong, with the remedy, to stderr.
command_line parse_command_line(int argc, char** argv, const std::string& version);

}  // namespace cmlrec::daemon
