// The command line.
#pragma once

#include "simulator/faults.hpp"
#include "simulator/rules.hpp"
#include "simulator/service.hpp"

#include <optional>
#include <string>

namespace cmlrec::simulator {

struct options {
  rules how;
  std::string address = "127.0.0.1";
  unsigned short port = 0;
  std::string key;
  double speed = 1;
  int latency_ms = 0;
  bool verbose = false;
  std::string state_path;
  fault_source faults;
  json::object initial;
  std::vector<timed_action> actions;
};

// Either the options, or the code to exit with after --help or a mistake has been printed.
struct parsed_options {
  options given;
  std::optional<int> exit_code;
};

parsed_options parse_options(int argc, const char* const* argv);

}  // namespace cmlrec::simulator
