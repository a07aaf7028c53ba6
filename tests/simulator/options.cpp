#include "simulator/options.hpp"

#include "simulator/script.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include <CLI/CLI.hpp>

namespace cmlrec::simulator {
namespace {

constexpr const char* default_key = "demo-key-demo-key-demo-key";

duration seconds(double s) { return duration{std::llround(s * 1000)}; }

// "job=90"; the name may hold equals signs itself.
std::optional<std::pair<std::string, double>> name_and_number(const std::string& text) {
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const auto number = text.substr(equals + 1);
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !(value >= 0 && value <= 1e9)) return std::nullopt;
  return std::pair{text.substr(0, equals), value};
}

// Its range is told by the error, not in --help.
CLI::Validator between(double low, double high) {
  auto range = CLI::Range(low, high);
  range.description("");
  return range;
}

std::optional<std::string> add_run_time(const std::string& text, rules& how) {
  const auto given = name_and_number(text);
  if (!given) return "--run-time " + text + ": JOB=SECONDS is due, such as git_sync=60";
  how.jobs[given->first].every.running = seconds(given->second);
  return std::nullopt;
}

std::optional<std::string> add_failure(const std::string& text, rules& how) {
  if (const auto given = name_and_number(text)) {
    if (given->second < 1 || given->second != std::floor(given->second))
      return "--fail " + text + ": JOB or JOB=N is due, such as git_sync=2";
    how.jobs[given->first].fail_first = static_cast<int>(given->second);
    return std::nullopt;
  }
  if (text.find('=') != std::string::npos)
    return "--fail " + text + ": JOB or JOB=N is due, such as git_sync=2";
  how.jobs[text].every.ends = outcome::failed;
  return std::nullopt;
}

std::optional<std::string> read_listen(const std::string& text, options& out) {
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? text : text.substr(colon + 1);
  char* end = nullptr;
  const long number = std::strtol(port.c_str(), &end, 10);
  if (port.empty() || *end != '\0' || number < 0 || number > 65535)
    return "--listen " + text + ": ADDRESS:PORT is due, such as 127.0.0.1:8080";
  out.port = static_cast<unsigned short>(number);
  if (colon != std::string::npos) out.address = text.substr(0, colon);
  if (out.address == "localhost") out.address = "127.0.0.1";
  return std::nullopt;
}

std::optional<std::string> read_script_file(const std::string& path, options& out) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return "cannot read the script file " + path;
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  script s;
  if (const auto problem = read_script(text, out.how, s)) return path + ": " + *problem;
  out.initial = std::move(s.initial);
  out.actions = std::move(s.actions);
  return std::nullopt;
}

constexpr const char* about =
    "A Cloudera Machine Learning workspace to try things on: projects, jobs, runs and runtimes of\n"
    "the REST API v2, in memory, on a virtual clock. Nothing is run and nothing costs anything.";

constexpr const char* examples = R"(
Try a file on it, a minute in a second:
  cml-simulator --listen 127.0.0.1:8080 --speed 60
  CML_HOST=http://127.0.0.1:8080 CML_API_KEY=demo-key-demo-key-demo-key \
    cml-reconciler apply --config jobs_config.yaml

With trouble, the same each time:
  cml-simulator --speed 60 --fail setup_environment=1 --busy reject-and-skip \
    --faults lost_after=3,late_commit=3,unavailable=2 --seed 7

The simulator's own paths need no key:
  GET  /-/ledger        what was called, created and run; POST /-/ledger/reset forgets it
  GET  /-/time          the virtual time;  POST {"advance_seconds": 600} moves it
  POST /-/faults        {"operation": "CreateJob", "fault": "late_commit", "count": 1,
                        "delay_seconds": 30}; GET lists what waits, DELETE clears
  POST /-/edit          {"project", "job", "fields"}: a person edits a job
  POST /-/run, /-/stop, /-/delete-job   {"project", "job"}: a person does it
  GET  /-/health

Exit codes: 0 stopped by a signal, 1 cannot listen or save, 2 wrong usage.)";

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  parsed_options result;
  options& o = result.given;
  CLI::App app{about};
  app.name("cml-simulator");
  app.footer(std::string("\nFaults: ") + fault_names() + ".\n" + examples);
  app.get_formatter()->column_width(34);

  std::string listen = "127.0.0.1:0";
  o.key = default_key;
  double clone = 20, script_delay = 10, scheduling = 5, starting = 3, running = 40;
  std::string busy = "reject", faults, script_path;
  std::vector<std::string> run_times, failures, missing;
  bool no_auto_start = false, parent_stays = false;

  app.add_option("--listen", listen, "port 0 takes any free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  app.add_option("--api-key", o.key, "the key that is accepted")
      ->type_name("KEY")
      ->capture_default_str();
  app.add_option("--speed", o.speed,
                 "virtual seconds per second; at 60 a minute passes in a\nsecond, at 0 time moves "
                 "by POST /-/time alone")
      ->check(between(0, 1e6))
      ->type_name("FACTOR")
      ->capture_default_str();
  app.add_option("--latency", o.latency_ms, "real milliseconds before each answer")
      ->check(between(0, 600'000))
      ->type_name("MS")
      ->capture_default_str();
  app.add_option("--state", o.state_path,
                 "keeps the workspace: loaded at start, saved after each\nwrite and at the end")
      ->type_name("FILE");
  app.add_option("--script", script_path,
                 "JSON: outcomes of runs and clones, objects at the\nstart, what people do when")
      ->type_name("FILE");
  app.add_option("--seed", o.how.seed, "of the ids and of random faults")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--verbose,-v", o.verbose, "a line on stderr for each call");

  const auto time_option = [&](const char* name, double& value, const char* help) {
    app.add_option(name, value, help)
        ->check(between(0, 1e9))
        ->type_name("SECONDS")
        ->capture_default_str();
  };
  time_option("--clone-time", clone, "virtual seconds until a new project is cloned");
  time_option("--script-delay", script_delay,
              "virtual seconds after that until its scripts are found");
  time_option("--scheduling-time", scheduling, "virtual seconds that a run is SCHEDULING");
  time_option("--starting-time", starting, "virtual seconds that a run is STARTING");
  time_option("--default-run-time", running, "virtual seconds that a run is RUNNING");
  app.add_option("--run-time", run_times, "the same for one job (repeatable)")
      ->type_name("JOB=SECONDS")
      ->allow_extra_args(false);
  app.add_option("--fail", failures, "all runs of the job fail, or the first N (repeatable)")
      ->type_name("JOB[=N]")
      ->allow_extra_args(false);
  app.add_option("--missing-script", missing, "a script that no project has (repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--busy", busy,
                 "a second run of a busy job: reject, reject-and-skip\n(leaves a skipped run) or "
                 "skip (200 with a skipped run)")
      ->check(CLI::IsMember({"reject", "reject-and-skip", "skip"}).description(""))
      ->type_name("HOW")
      ->capture_default_str();
  app.add_flag("--no-auto-start", no_auto_start,
               "dependent jobs do not start after their parent's success");
  app.add_flag("--unique-names", o.how.unique_names, "refuse a second project of one name");
  app.add_flag("--timeout-in-minutes", o.how.timeout_in_minutes,
               "a job's timeout counts minutes, not seconds");
  app.add_flag("--keep-parent", parent_stays, "a PATCH cannot clear a parent");
  app.add_option("--first-calls-lost", o.how.calls_lost_after_creation,
                 "so many calls to a new project end without an answer")
      ->check(between(0, 1000))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--faults", faults,
                 "[OPERATION:]FAULT=PERCENT,...: what goes wrong at\nrandom; OPERATION as in the "
                 "ledger, or reads, or writes")
      ->type_name("SPEC");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {
      result.exit_code = app.exit(e);
    } else {
      std::fprintf(stderr, "cml-simulator: %s; --help lists the options\n", e.what());
      result.exit_code = 2;
    }
    return result;
  }

  o.how.clone_time = seconds(clone);
  o.how.script_delay = seconds(script_delay);
  o.how.scheduling_time = seconds(scheduling);
  o.how.starting_time = seconds(starting);
  o.how.running_time = seconds(running);
  o.how.auto_start = !no_auto_start;
  o.how.parent_can_be_cleared = !parent_stays;
  o.how.busy = busy == "skip"              ? busy_policy::skip
               : busy == "reject-and-skip" ? busy_policy::reject_and_skip
                                           : busy_policy::reject;
  o.how.missing_scripts.insert(missing.begin(), missing.end());
  o.faults = fault_source(o.how.seed);
  const auto problem = [&]() -> std::optional<std::string> {
    if (auto p = read_listen(listen, o)) return p;
    if (!is_well_formed_key(o.key))
      return "--api-key: at least 20 characters of A-Z a-z 0-9 . _ - are due";
    if (auto p = o.faults.set_rates(faults)) return "--faults: " + *p;
    if (!script_path.empty())
      if (auto p = read_script_file(script_path, o)) return p;
    // After the script, so that a flag has the last word.
    for (const auto& text : run_times)
      if (auto p = add_run_time(text, o.how)) return p;
    for (const auto& text : failures)
      if (auto p = add_failure(text, o.how)) return p;
    return std::nullopt;
  }();
  if (problem) {
    std::fprintf(stderr, "cml-simulator: %s\n", problem->c_str());
    result.exit_code = 2;
  }
  return result;
}

}  // namespace cmlrec::simulator
