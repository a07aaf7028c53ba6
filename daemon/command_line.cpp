#include "daemon/command_line.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "config/settings.hpp"
#include "daemon/exit_code.hpp"

namespace cmlrec::daemon {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 15> commands = {{
    {"run", "Keep the workspace in step with the file, for ever"},
    {"apply", "Bring the workspace in step once; ends when it has converged or failed"},
    {"plan", "Say what would be changed, and change nothing (exit 2: something would be)"},
    {"validate", "Check the file and the settings without asking CML"},
    {"import", "Print a live project as a file: the way to begin with jobs that exist"},
    {"status", "Say how the projects of the running daemon stand"},
    {"explain", "Say all that the running daemon knows about one job, and why it is as it is"},
    {"force", "Let the running daemon run a job and all below it, or all jobs, once more"},
    {"retry", "Let the running daemon try again what has failed or was stopped"},
    {"suspend", "Let the running daemon leave a job, or the project, alone"},
    {"resume", "End that"},
    {"reload", "Let the running daemon reread its file now; says what is wrong with it"},
    {"reconcile", "Let the running daemon compare and act now, rather than at its next pass"},
    {"health", "Ask the daemon that runs on this machine how it is (exit 0: well, 1: not)"},
    {"version", "Print the version"},
}};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_operands(CLI::App& sub, std::string_view name, command_line& out) {
  if (is_one_of(name, {"force", "retry", "suspend", "resume"}))
    sub.add_option("job", out.job, "Key of the job; all of the project where it is left out")
        ->type_name("JOB");
  if (name == "explain")
    sub.add_option("job", out.job, "Key of the job")->type_name("JOB")->required();
  if (name == "import")
    sub.add_option("project", out.project, "Name or id of the project in CML")
        ->type_name("PROJECT")
        ->required();
  if (name == "suspend")
    sub.add_option("--for", out.length, "How long (30m, 2h, 3d); until resumed where it is left out")
        ->type_name("TIME");
  if (is_one_of(name, {"apply", "plan", "validate", "status", "explain", "force", "retry", "suspend",
                       "resume", "reload", "reconcile", "version"}))
    sub.add_option_function<std::string>(
           "--output", [&out](const std::string& form) { out.json = form == "json"; },
           "Form of what is printed: text or json")
        ->type_name("FORM")
        ->check(CLI::IsMember({"text", "json"}));
}

// Flags are taken before and after the command alike.
void add_settings(CLI::App& app, command_line& out) {
  for (const auto& row : config::setting_table()) {
    const std::string name(row.name);
    std::string flag = "--" + name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::string help(row.help);
    if (!row.variable.empty()) help += " [" + std::string(row.variable) + "]";
    if (!row.default_text.empty()) help += " (default " + row.default_text + ")";
    if (row.value.empty()) {
      app.add_flag_callback(flag, [&out, name] { out.flags[name] = "true"; }, help);
    } else {
      app.add_option_function<std::string>(
             flag, [&out, name](const std::string& v) { out.flags[name] = v; }, help)
          ->type_name(std::string(row.value));
    }
  }
  app.add_option("--settings", out.settings_file,
                 "File with the daemon's own settings [CML_RECONCILER_SETTINGS]")
      ->type_name("PATH");
}

}  // namespace

std::unique_ptr<CLI::App> make_app(command_line& out, const std::string& version) {
  auto made = std::make_unique<CLI::App>(
      "Makes a Cloudera Machine Learning workspace look like a file.", "cml-reconciler");
  auto& app = *made;
  app.set_version_flag("--version", "cml-reconciler " + version);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "CML_HOST names the workspace and CML_API_KEY (or CML_API_KEY_FILE) is its API v2 key.\n"
      "Exit codes: 0 done, 1 failed, 2 plan has changes, 3 bad file or usage, 4 refused by CML,\n"
      "5 unreachable or out of time.");
  add_settings(app, out);
  for (const auto& [name, help] : commands) {
    auto* sub = app.add_subcommand(name, help);
    sub->fallthrough();
    sub->callback([&out, command = std::string(name)] { out.command = command; });
    add_operands(*sub, name, out);
    if (std::string(name) == "validate")
      sub->add_flag("--schema", out.schema, "Print the JSON Schema of the file instead");
    if (std::string(name) == "health")
      sub->add_flag("--ready", out.ready,
                    "Ask whether the first pass is done and CML can be reached, too");
  }
  // For whoever packages the program; an empty group keeps it out of the help.
  auto* generate = app.add_subcommand("generate", "Print what is made from the tables of the code");
  generate->group("");
  generate->callback([&out] { out.command = "generate"; });
  generate->add_option("what", out.generate)
      ->required()
      ->check(CLI::IsMember({"man", "bash", "zsh", "fish", "metrics", "openapi", "api"}));
  return made;
}

command_line parse_command_line(int argc, char** argv, const std::string& version) {
  command_line out;
  if (const char* file = std::getenv("CML_RECONCILER_SETTINGS")) out.settings_file = file;
  const auto made = make_app(out, version);
  auto& app = *made;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    out.exit_code = app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::cerr << "cml-reconciler: " << e.what() << "; see cml-reconciler --help\n";
    out.exit_code = bad_input;
  }
  return out;
}

}  // namespace cmlrec::daemon
