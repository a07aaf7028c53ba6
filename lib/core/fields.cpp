#include "core/fields.hpp"

#include <algorithm>

namespace cmlrec::core {
namespace {

// A field that CML holds under one name everywhere.
field api(std::string_view name, field_type type, std::string_view help) {
  field f;
  f.name = name;
  f.type = type;
  f.create_name = f.patch_name = f.read_name = name;
  f.help = help;
  return f;
}

// A field that never leaves the daemon.
field own(std::string_view name, field_type type, std::string_view default_value,
          std::string_view help) {
  field f;
  f.name = name;
  f.type = type;
  f.default_value = default_value;
  f.on_create = f.on_patch = wire::none;
  f.change = changes::daemon_only;
  f.help = help;
  return f;
}

field with(field f, auto&& change) {
  change(f);
  return f;
}

std::vector<field> make_job_fields() {
  using t = field_type;
  const auto sized = [](field f, std::string_view unit, std::string_view def, double low,
                        double high) {
    f.unit = unit;
    f.default_value = def;
    f.minimum = low;
    f.maximum = high;
    return f;
  };
  const auto ignored = [](field f) {
    f.change = changes::maybe_ignored;
    return f;
  };
  const auto spelt = [](field f, std::vector<std::string_view> aliases) {
    f.aliases = std::move(aliases);
    return f;
  };
  return {
      api("name", t::string, "The job's name in CML: what the daemon finds it by."),
      api("script", t::script, "Path of the script, relative to the project's root."),
      with(api("arguments", t::arguments,
               "Arguments of the script: a string, or a list that is joined with shell quoting. "
               "The script sees them in JOB_ARGUMENTS."),
           [](field& f) { f.default_value = ""; }),
      sized(api("cpu", t::number, "CPU cores of a run."), "cores", "1", 0.001, 10'000),
      sized(api("memory", t::number, "Memory of a run."), "GB", "1", 0.001, 100'000),
      spelt(sized(api("nvidia_gpu", t::integer, "GPUs of a run."), "GPUs", "0", 0, 10'000), {"gpu"}),
      with(own("parent_job_key", t::job_key, "",
               "Key of the job whose success starts this one. CML starts it itself."),
           [](field& f) {
             f.aliases = {"parent_job_id"};
             f.create_name = "parent_job_id";
             f.patch_name = f.read_name = "parent_id";
             f.change = changes::in_place;
             f.on_create = f.on_patch = wire::plain;
           }),
      with(api("schedule", t::cron, "Cron expression of five fields. Excludes a parent."),
           [](field& f) { f.default_value = ""; }),
      with(ignored(api("timezone", t::string, "Time zone of the schedule, such as Europe/Berlin.")),
           [](field& f) { f.default_value = "America/Los_Angeles"; }),
      with(ignored(api("paused", t::boolean, "Whether the schedule is paused.")),
           [](field& f) { f.default_value = "false"; }),
      with(sized(api("timeout", t::integer, "How long a run may take."), "seconds", "", 0,
                 2'147'483'647),
           [](field& f) { f.on_patch = wire::integer_as_text; }),
      api("kill_on_timeout", t::boolean, "Whether CML kills a run that exceeds its timeout."),
      with(api("environment", t::string_map, "Environment variables of every run of the job."),
           [](field& f) {
             f.on_patch = wire::object_as_text;
             f.compare = comparison::environment;
           }),
      with(own("environment_policy", t::environment_policy, "replace",
               "replace: the whole environment is the file's. merge: only the keys that the file "
               "names are."),
           [](field&) {}),
      spelt(api("runtime_identifier", t::string,
                "Image of the ML runtime, such as docker.repository.cloudera.com/...:TAG."),
            {"runtime_id"}),
      with(api("runtime_addon_identifiers", t::string_list,
               "Runtime addons. CML adds some of its own, which are left alone."),
           [](field& f) { f.compare = comparison::superset; }),
      api("kernel", t::string,
          "Kernel of a legacy engine. With a runtime it is refused by CML, so it is not sent."),
      ignored(api("recipients", t::recipients, "Who gets a mail about the runs.")),
      ignored(api("success_recipients", t::string, "Who gets a mail when a run succeeds.")),
      ignored(api("failure_recipients", t::string, "Who gets a mail when a run fails.")),
      ignored(api("timeout_recipients", t::string, "Who gets a mail when a run times out.")),
      ignored(api("stopped_recipients", t::string, "Who gets a mail when a run is stopped.")),
      api("attachments", t::string_list, "Files of the project that are attached to the mails."),
      sized(api("run_as", t::integer, "User id of the service account that runs the job."), "",
            "", 0, 2'147'483'647),
      with(sized(api("accelerator_label_id", t::integer, "Label that selects the GPU nodes."), "",
                 "", 0, 9e15),
           [](field& f) { f.on_create = f.on_patch = wire::integer_as_text; }),
      with(api("retry_enabled", t::boolean, "Whether CML itself retries a run."),
           [](field& f) { f.default_value = "false"; }),
      sized(api("max_retry", t::integer, "How often CML itself retries."), "", "0", 0, 1000),
      sized(api("retry_delay", t::integer, "How long CML waits before it retries."), "seconds",
            "0", 0, 2'147'483'647),
      api("retry_for_script_failure", t::boolean, "Whether CML retries a script that failed."),
      api("retry_for_system_failure", t::boolean, "Whether CML retries after a system failure."),
      api("retry_for_timedout_runs", t::boolean, "Whether CML retries a run that timed out."),
      api("retry_for_skipped_runs", t::boolean, "Whether CML retries a run that was skipped."),
      sized(api("resource_group_id", t::integer, "Resource group of the job."), "", "", 0,
            2'147'483'647),
      sized(api("resource_profile_id", t::integer, "Resource profile of the job."), "", "", 0,
            2'147'483'647),
      own("description", t::string, "",
          "What the job is for. Shown by the daemon; CML has no such field."),
      own("run", t::run_policy, "once",
          "once: has succeeded once. on_change: has succeeded with the present definition. never: "
          "the daemon only watches it (the default of a job with a schedule)."),
      own("retry", t::retry_policy, "", "How the daemon retries failed runs."),
      own("suspend", t::boolean, "false", "Leave the job alone: no change and no run."),
      own("rerun_after", t::time_point, "", "A success that began before this no longer counts."),
  };
}

std::vector<field> make_project_fields() {
  using t = field_type;
  const auto created = [](field f, std::string_view create_name) {
    f.create_name = create_name;
    f.patch_name = f.read_name = {};
    f.change = changes::at_creation;
    return f;
  };
  return {
      api("name", t::string, "The project's name in CML."),
      own("id", t::string, "", "The project's id: names it directly, whatever its name."),
      own("owner", t::string, "", "User or team that owns it, where names are not unique."),
      created(api("git_url", t::string, "Repository that is cloned at creation."), "git_url"),
      created(api("git_ref", t::string, "Branch, tag or commit that is cloned."), "git_ref"),
      created(api("template", t::string, "Template at creation: Python, R, git, local, ..."),
              "template"),
      created(api("team_name", t::string, "Team that will own the project."), "team_name"),
      with(api("visibility", t::string, "public, organization or private."),
           [](field& f) { f.default_value = "private"; }),
      api("description", t::string, "What the project is for."),
      with(api("shared_memory_limit", t::integer, "Additional shared memory of a run."),
           [](field& f) {
             f.unit = "MB";
             f.default_value = "64";
             f.maximum = 2'147'483'647;
           }),
      with(api("environment", t::string_map, "Environment variables of everything in the project."),
           [](field& f) {
             f.on_patch = wire::object_as_text;
             f.compare = comparison::environment;
           }),
      own("environment_policy", t::environment_policy, "replace",
          "replace: the whole environment is the file's. merge: only the keys that the file names "
          "are."),
      [] {
        auto f = own("runtime_identifier", t::string, "", "The jobs' default runtime.");
        f.aliases = {"runtime_id"};
        return f;
      }(),
      own("suspend", t::boolean, "false", "Leave the whole project alone."),
      own("prune", t::boolean, "false",
          "Delete jobs that the file no longer has, if the daemon has made them."),
      [] {
        auto f = own("prune_limit", t::integer, "3", "Most deletions in one pass.");
        f.minimum = 1;
        f.maximum = 10'000;
        return f;
      }(),
      own("clone_timeout", t::time_span, "15m", "How long the clone of the repository may take."),
      own("rerun_after", t::time_point, "",
          "Successes of any of its jobs that began before this no longer count."),
  };
}

}  // namespace

std::span<const field> job_fields() {
  static const std::vector<field> table = make_job_fields();
  return table;
}

std::span<const field> project_fields() {
  static const std::vector<field> table = make_project_fields();
  return table;
}

const field* find_field(std::span<const field> table, std::string_view name) {
  // Names first: what plans compare comes by them, aliases only from files.
  for (const auto& f : table)
    if (f.name == name) return &f;
  for (const auto& f : table)
    if (std::find(f.aliases.begin(), f.aliases.end(), name) != f.aliases.end()) return &f;
  return nullptr;
}

}  // namespace cmlrec::core
