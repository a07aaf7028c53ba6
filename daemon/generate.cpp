#include "daemon/generate.hpp"

#include "config/settings.hpp"
#include "daemon/api_document.hpp"
#include "daemon/command_line.hpp"
#include "telemetry/metric_table.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace cmlrec::daemon {
namespace {

struct flag {
  std::string name;   // "--runs-refresh"
  std::string value;  // "DURATION"; empty: takes none
  std::string help;
  std::vector<std::string> choices;
};

struct command {
  std::string name;
  std::string help;
  std::vector<flag> flags;  // its own
};

struct surface {
  std::vector<command> commands;
  std::vector<flag> flags;  // of every command
};

std::vector<flag> flags_of(const CLI::App& app) {
  std::vector<flag> out;
  for (const auto* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    flag f;
    f.name = "--" + option->get_lnames().front();
    if (option->get_items_expected_max() > 0) f.value = option->get_type_name();
    f.help = option->get_description();
    std::string key = option->get_lnames().front();
    std::replace(key.begin(), key.end(), '-', '_');
    for (const auto& row : config::setting_table())
      if (row.name == key) f.choices = row.choices;
    out.push_back(std::move(f));
  }
  return out;
}

// What the command line takes, as the parser itself knows it.
surface survey(const std::string& version) {
  command_line unused;
  const auto app = make_app(unused, version);
  surface out;
  out.flags = flags_of(*app);
  for (const auto* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_group().empty()) continue;
    command c{sub->get_name(), sub->get_description(), {}};
    for (auto& f : flags_of(*sub))
      if (f.name != "--help") c.flags.push_back(std::move(f));
    out.commands.push_back(std::move(c));
  }
  return out;
}

// troff takes a dash for a hyphen, a backslash for an escape, and a leading dot for a request.
std::string troff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else if ((c == '.' || c == '\'') && out.empty())
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

std::string man_flag(const flag& f) {
  std::string out = ".TP\n.B " + troff(f.name);
  if (!f.value.empty()) out += " \\fI" + troff(f.value) + "\\fR";
  return out + "\n" + troff(f.help) + "\n";
}

std::string manual(const surface& s, const std::string& version) {
  std::ostringstream out;
  out << ".TH CML-RECONCILER 8 \"\" \"cml-reconciler " << version
      << "\" \"System administration\"\n"
      << ".SH NAME\ncml-reconciler \\- makes a Cloudera Machine Learning workspace look like a "
         "file\n"
      << ".SH SYNOPSIS\n.B cml\\-reconciler\n.I COMMAND\n.RI [ OPTION ]...\n"
      << ".SH DESCRIPTION\n"
         "A file says which projects and jobs a workspace should have and which of them should "
         "have "
         "run.\ncml\\-reconciler compares it with the workspace through the REST API v2, and "
         "creates, updates and starts until both agree.\n"
      << ".SH COMMANDS\n";
  for (const auto& c : s.commands) {
    out << ".TP\n.B " << troff(c.name) << "\n" << troff(c.help) << "\n";
    for (const auto& f : c.flags) out << ".RS\n" << man_flag(f) << ".RE\n";
  }
  out << ".SH OPTIONS\nThey may stand before or after the command. Each setting is also a key of "
         "the "
         "settings file, with underscores for dashes, and the variable in brackets. A flag wins "
         "over a variable, a variable over the file.\n";
  for (const auto& f : s.flags) out << man_flag(f);
  out << ".SH ENVIRONMENT\n"
         ".TP\n.B CML_HOST\nThe workspace.\n"
         ".TP\n.BR CML_API_KEY \", \" CML_API_KEY_FILE\nIts API v2 key, or a file that holds it. "
         "Under systemd the credential\n.I cml_api_key\nserves as well.\n"
         ".TP\n.BR GITHUB_REPOSITORY \", \" GH_PAT \", \" RUNTIME_IDENTIFIER\n"
         "The project's repository, a token for a private one, and the jobs' default runtime.\n"
      << ".SH SIGNALS\n"
         ".TP\n.B SIGHUP\nReread the file and the settings; what is bad is refused whole.\n"
         ".TP\n.B SIGUSR1\nReconcile now.\n"
         ".TP\n.BR SIGTERM \", \" SIGINT\nStop after the requests in flight; once more: at once.\n"
      << ".SH EXIT STATUS\n"
         ".TP\n.B 0\nDone.\n.TP\n.B 1\nFailed: a job, a clone, a check.\n"
         ".TP\n.B 2\nplan: something would change.\n"
         ".TP\n.B 3\nThe file, a flag or a setting is wrong.\n"
         ".TP\n.B 4\nRefused by CML: the API key.\n.TP\n.B 5\nUnreachable, or out of time.\n"
      << ".SH FILES\n"
         ".TP\n.I /etc/cml\\-reconciler/jobs_config.yaml\nWhat should be.\n"
         ".TP\n.I /etc/cml\\-reconciler/reconciler.yaml\nThe settings of the service.\n"
         ".TP\n.I /etc/cml\\-reconciler/api_key\nThe API key of the service, readable by root "
         "alone.\n"
      << ".SH SEE ALSO\n.BR systemctl (1),\n.BR journalctl (1)\n";
  return out.str();
}

bool names_a_file(const flag& f) { return f.value == "PATH"; }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

std::string bash(const surface& s) {
  std::vector<std::string> commands;
  std::vector<std::string> shared;
  std::vector<std::string> files;
  std::string valued;
  std::string choices;
  std::string own;
  for (const auto& f : s.flags) {
    shared.push_back(f.name);
    if (names_a_file(f)) files.push_back(f.name);
    if (!f.value.empty()) valued += (valued.empty() ? "" : "|") + f.name;
    if (!f.choices.empty())
      choices += "    " + f.name + ") COMPREPLY=($(compgen -W '" + joined(f.choices) +
                 "' -- \"$current\")); return ;;\n";
  }
  std::string file_pattern;
  for (const auto& f : files) file_pattern += (file_pattern.empty() ? "" : "|") + f;
  for (const auto& c : s.commands) {
    commands.push_back(c.name);
    std::vector<std::string> names;
    for (const auto& f : c.flags) names.push_back(f.name);
    if (!names.empty()) own += "    " + c.name + ") flags=\"$flags " + joined(names) + "\" ;;\n";
  }
  return "# bash completion for cml-reconciler; generated, see `cml-reconciler generate bash`\n"
         "_cml_reconciler() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= skip= word i\n"
         "  COMPREPLY=()\n"
         "  case $previous in\n"
         "    " +
         file_pattern + ") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n" + choices +
         "    " + valued +
         ") return ;;\n"
         "  esac\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    if [[ $skip ]]; then skip=; continue; fi\n"
         "    case $word in\n"
         "      " +
         valued +
         ") skip=1 ;;\n"
         "      -*) ;;\n"
         "      *) command=$word; break ;;\n"
         "    esac\n"
         "  done\n"
         "  local flags=\"" +
         joined(shared) +
         "\"\n"
         "  case $command in\n" +
         own +
         "  esac\n"
         "  if [[ $current == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
         "  elif [[ -z $command ]]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         joined(commands) +
         "' -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _cml_reconciler cml-reconciler\n";
}

// Within single quotes of a shell; brackets and colons have a meaning to zsh.
std::string quoted(const std::string& text, bool for_zsh) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += for_zsh ? "'\\''" : "\\'";
    else if (c == '\\' || (for_zsh && (c == '[' || c == ']' || c == ':')))
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string zsh_flag(const flag& f) {
  std::string out = "'" + f.name + "[" + quoted(f.help, true) + "]";
  if (!f.value.empty()) {
    out += ":" + quoted(f.value, true) + ":";
    if (names_a_file(f)) out += "_files";
    if (!f.choices.empty()) out += "(" + joined(f.choices) + ")";
  }
  return out + "'";
}

std::string zsh(const surface& s) {
  std::string out =
      "#compdef cml-reconciler\n"
      "# generated, see `cml-reconciler generate zsh`\n"
      "_cml_reconciler() {\n  local -a commands flags\n  commands=(\n";
  for (const auto& c : s.commands) out += "    '" + c.name + ":" + quoted(c.help, true) + "'\n";
  out += "  )\n  flags=(\n";
  for (const auto& f : s.flags) out += "    " + zsh_flag(f) + "\n";
  out += "  )\n  case ${words[(r)";
  std::string names;
  std::string own;
  for (const auto& c : s.commands) {
    names += (names.empty() ? "" : "|") + c.name;
    if (c.flags.empty()) continue;
    own += "    " + c.name + ") flags+=(";
    for (const auto& f : c.flags) own += " " + zsh_flag(f);
    own += " ) ;;\n";
  }
  out += "(" + names + ")]} in\n" + own +
         "  esac\n"
         "  _arguments $flags '1:command:{_describe command commands}'\n}\n"
         "_cml_reconciler \"$@\"\n";
  return out;
}

std::string fish_flag(const flag& f, const std::string& condition) {
  std::string out = "complete -c cml-reconciler" + condition + " -l " + f.name.substr(2);
  if (!f.value.empty()) out += names_a_file(f) ? " -r -F" : " -x";
  if (!f.choices.empty()) out += " -a '" + joined(f.choices) + "'";
  return out + " -d '" + quoted(f.help, false) + "'\n";
}

std::string fish(const surface& s) {
  std::string names;
  for (const auto& c : s.commands) names += (names.empty() ? "" : " ") + c.name;
  std::string out =
      "# generated, see `cml-reconciler generate fish`\n"
      "complete -c cml-reconciler -f\n";
  for (const auto& c : s.commands) {
    out += "complete -c cml-reconciler -n 'not __fish_seen_subcommand_from " + names + "' -a " +
           c.name + " -d '" + quoted(c.help, false) + "'\n";
    for (const auto& f : c.flags)
      out += fish_flag(f, " -n '__fish_seen_subcommand_from " + c.name + "'");
  }
  for (const auto& f : s.flags) out += fish_flag(f, "");
  return out;
}

std::string metrics() {
  std::string out =
      "# Metrics\n\n"
      "Served by the daemon as `/metrics`, in Prometheus' text format. This page is generated:\n"
      "`cml-reconciler generate metrics > docs/metrics.md`.\n\n"
      "The labels `project` and `job` are bounded: what comes after the first 2000 of them shares "
      "the\nvalue `_other`. `deploy/prometheus/` has rules for these metrics, `deploy/grafana/` a "
      "dashboard.\nScrape it with `honor_labels: true`: `job` is the job of the file.\n\n"
      "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& row : telemetry::metric_table()) {
    std::string labels;
    for (const auto label : row.labels)
      labels += (labels.empty() ? "`" : ", `") + std::string(label) + "`";
    out += "| `" + std::string(row.name) + "` | " + telemetry::to_string(row.type) + " | " +
           labels + " | " + std::string(row.help) + " |\n";
  }
  return out;
}

}  // namespace

std::string generate(const std::string& what, const std::string& version) {
  if (what == "metrics") return metrics();
  if (what == "openapi") return openapi_document(version);
  if (what == "api") return api_page(version);
  const auto s = survey(version);
  if (what == "man") return manual(s, version);
  if (what == "bash") return bash(s);
  if (what == "zsh") return zsh(s);
  if (what == "fish") return fish(s);
  throw std::invalid_argument("nothing is generated that is called '" + what + "'");
}

}  // namespace cmlrec::daemon
