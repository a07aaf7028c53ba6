// From the command line to the parts: settings, the file, the API. Every mistake is told here, all
// of them at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "cml/http_api.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"
#include "daemon/command_line.hpp"
#include "plan/policy.hpp"

namespace cmlrec::daemon {

config::environment process_environment();

// Nothing: what was wrong has been printed.
std::optional<config::settings> read_settings(const command_line& line);
// The file, with its findings.
config::loaded read_file(const command_line& line, const config::settings& s);
// Prints warnings and errors to stderr. True when there was no error.
bool report_findings(const config::loaded& loaded);

// "127.0.0.1:9464", "[::1]:9464", ":9464"; the brackets are taken off. Throws std::runtime_error.
struct listen_address {
  std::string host;
  std::uint16_t port = 0;
};
listen_address parse_listen(const std::string& listen);

plan::policy policy_of(const config::settings& s);

struct api_setup {
  std::optional<cml::http_options> options;  // nothing: the host is missing or unusable
  int code = 0;  // not 0: what is wrong, in `message`; with options, it is the key that is missing
  std::string message;
};
// Host and key are checked here, before anything is sent.
api_setup http_options_of(const config::settings& s, const std::string& version);

// Of the control endpoints; empty for an empty path. Throws std::runtime_error where the file cannot
// be read or is empty.
core::secret read_token(const std::string& path);

}  // namespace cmlrec::daemon
