#include "daemon/control.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "config/suggest.hpp"
#include "plan/graph.hpp"

namespace cmlrec::daemon {
namespace {

namespace json = boost::json;
using kind = plan::order::kind;

constexpr core::duration longest_suspension = std::chrono::hours{24 * 365};

struct wish {
  std::string project;
  std::string job;
  std::optional<core::duration> length;
};

// What stands in the way, with the status of its answer.
struct refusal {
  int status = 0;
  std::string why;
};

template <class T>
using checked = std::pair<std::optional<T>, refusal>;

template <class T>
checked<T> refuse(int status, std::string why) {
  return {std::nullopt, {status, std::move(why)}};
}

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

checked<wish> read(const std::string& body, kind what) {
  wish out;
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return {out, {}};
  boost::system::error_code ec;
  const auto value = json::parse(body, ec);
  if (ec) return refuse<wish>(400, "the body is not JSON: " + ec.message());
  if (!value.is_object())
    return refuse<wish>(400, "the body is not a JSON object, such as {\"job\": \"KEY\"}");
  std::vector<std::string> known = {"project", "job"};
  if (what == kind::suspend) known.emplace_back("for");
  for (const auto& [member, text] : value.get_object()) {
    const std::string name(member);
    if (std::find(known.begin(), known.end(), name) == known.end())
      return refuse<wish>(422, "nothing is called " + in_quotes(name) + " here; " +
                                   config::suggestion(name, known));
    if (!text.is_string() || text.get_string().empty())
      return refuse<wish>(422, in_quotes(name) + " is to be a string that is not empty");
    const std::string said(text.get_string());
    if (name == "project") out.project = said;
    if (name == "job") out.job = said;
    if (name != "for") continue;
    out.length = core::parse_duration(said);
    if (!out.length || *out.length <= core::duration{0} || *out.length > longest_suspension)
      return refuse<wish>(422, "'for' is to be a time from 1s to 365d, such as \"2h\" or \"30m\"");
  }
  return {out, {}};
}

class request_for {
 public:
  request_for(control_parts& parts, kind what, const http::request& q)
      : parts_(parts), what_(what), who_(who(q)) {}

  std::optional<refusal> take(const wish& w) {
    const auto all = parts_.loop.projects();
    std::vector<std::string> names;
    for (const auto* p : all) names.push_back(p->name);
    if (w.project.empty()) {
      if (all.size() != 1)
        return refusal{422, "the file has " + std::to_string(all.size()) +
                                " projects: say which with 'project'; " +
                                config::suggestion("", names)};
      project_ = all.front();
    } else {
      const auto found = std::find(names.begin(), names.end(), w.project);
      if (found == names.end())
        return refusal{404, "the file has no project " + in_quotes(w.project) + "; " +
                                config::suggestion(w.project, names)};
      project_ = all[static_cast<std::size_t>(found - names.begin())];
    }
    length_ = w.length;
    if (w.job.empty()) return std::nullopt;
    std::vector<std::string> keys;
    for (const auto& job : project_->jobs) {
      keys.push_back(job.key);
      if (job.key == w.job) job_ = &job;
    }
    if (!job_)
      return refusal{404, "the project " + in_quotes(project_->name) + " has no job " +
                              in_quotes(w.job) + "; " + config::suggestion(w.job, keys)};
    return std::nullopt;
  }

  // What the file, or the state of things, does not allow.
  std::optional<refusal> objection() const {
    const std::string subject =
        job_ ? "the job " + in_quotes(job_->key) : "the project " + in_quotes(project_->name);
    const bool in_file = project_->suspend || (job_ && job_->suspend);
    if (what_ == kind::resume && in_file)
      return refusal{409, subject + " is suspended in the file: take 'suspend' out of it and reload"};
    if (what_ != kind::force && what_ != kind::retry) return std::nullopt;
    const auto* report = report_of_project();
    const bool held = report && report->state == plan::project_state::suspended &&
                      std::any_of(report->reasons.begin(), report->reasons.end(), [](const auto& r) {
                        return r.starts_with("the project is suspended");
                      });
    if (project_->suspend || held)
      return refusal{409,
                     "the project " + in_quotes(project_->name) + " is suspended; resume it first"};
    if (!job_) return std::nullopt;
    if (job_->suspend || state_of(*job_) == plan::job_state::suspended)
      return refusal{409, subject + " is suspended; resume it first"};
    if (job_->run == config::run_policy::never)
      return refusal{409, subject + " is watched only (it has a schedule or 'run: never', or depends "
                                    "on such a job): the daemon does not start it"};
    return std::nullopt;
  }

  http::response carry_out() {
    plan::order o;
    o.what = what_;
    o.project = project_->name;
    o.job = job_;
    const auto keys = affected();
    std::optional<core::timestamp> until;
    if (what_ == kind::suspend) {
      if (length_) until = parts_.cml_now() + *length_;
      o.held = plan::suspension{until, who_};
    }
    const auto sentence = words(keys, until);
    const bool nothing = what_ == kind::retry && keys.empty();
    if (!nothing) parts_.loop.demand(o);
    const bool kept = parts_.loop.journal_works();
    note(sentence);
    json::object body;
    body["project"] = project_->name;
    auto& jobs = body["jobs"].emplace_array();
    for (const auto& key : keys) jobs.emplace_back(key);
    if (until) body["until"] = core::format_timestamp(*until);
    body["outlives_restart"] = kept;
    body["message"] =
        sentence + (nothing || kept || what_ == kind::resume
                        ? ""
                        : "; it ends with this process, which has no --state-dir");
    http::response r;
    r.content_type = "application/json";
    r.body = json::serialize(body) + "\n";
    return r;
  }

 private:
  const plan::project_report* report_of_project() const {
    const auto found = parts_.told.reports().find(project_->name);
    return found == parts_.told.reports().end() ? nullptr : &found->second;
  }

  plan::job_state state_of(const config::job_spec& job) const {
    if (const auto* report = report_of_project())
      for (const auto& j : report->jobs)
        if (j.key == job.key) return j.state;
    return plan::job_state::unknown;
  }

  std::vector<std::string> affected() const {
    std::vector<std::string> out;
    const plan::job_graph graph(project_->jobs);
    const auto below = job_ ? graph.descendants(*job_) : std::vector<const config::job_spec*>{};
    for (const auto* job : graph.in_order()) {
      const bool named = !job_ || job == job_;
      const bool follows = std::find(below.begin(), below.end(), job) != below.end();
      bool takes_part = named;
      if (what_ == kind::force)
        takes_part = (named || follows) && job->run != config::run_policy::never && !job->suspend;
      if (what_ == kind::retry) takes_part = named && has_failed(*job);
      if (takes_part) out.push_back(job->key);
    }
    return out;
  }

  bool has_failed(const config::job_spec& job) const {
    const auto state = state_of(job);
    return state == plan::job_state::failed || state == plan::job_state::stopped ||
           state == plan::job_state::backing_off;
  }

  std::string words(const std::vector<std::string>& keys,
                    const std::optional<core::timestamp>& until) const {
    std::string list;
    for (const auto& key : keys) list += (list.empty() ? "" : ", ") + key;
    const std::string subject =
        job_ ? "the job " + job_->key : "all jobs of the project " + project_->name;
    switch (what_) {
      case kind::force:
        return list + (keys.size() == 1 ? " runs" : " run") +
               " once more, as soon as what is active has ended";
      case kind::retry:
        return keys.empty() ? "nothing of " + (job_ ? subject : "the project " + project_->name) +
                                  " has failed or was stopped: nothing to try again"
                            : "tried again: " + list;
      case kind::suspend:
        return subject + (job_ ? " is" : " are") + " left alone " +
               (until ? "until " + core::format_timestamp(*until) : "until resumed");
      case kind::resume:
        return subject + (job_ ? " is" : " are") + " looked after again";
    }
    return {};
  }

  void note(const std::string& sentence) {
    static constexpr const char* names[] = {"control.force", "control.retry", "control.suspend",
                                            "control.resume"};
    parts_.watcher.on_event({parts_.wall(), reconcile::severity::info,
                          names[static_cast<std::size_t>(what_)], project_->name,
                          job_ ? job_->key : "", sentence + ", asked for by " + who_});
  }

  control_parts& parts_;
  kind what_;
  std::string who_;
  const config::project_spec* project_ = nullptr;
  const config::job_spec* job_ = nullptr;
  std::optional<core::duration> length_;
};

std::optional<kind> kind_of(std::string_view what) {
  if (what == "force") return kind::force;
  if (what == "retry") return kind::retry;
  if (what == "suspend") return kind::suspend;
  if (what == "resume") return kind::resume;
  return std::nullopt;
}

}  // namespace

std::string who(const http::request& q) {
  return q.peer + (q.trusted ? ", by the control socket" : ", with the token");
}

http::response control(control_parts& parts, const std::string& what, const http::request& q) {
  const auto asked = kind_of(what);
  if (!asked) return http::problem(404, "there is nothing at this path");
  const auto [w, wrong] = read(q.body, *asked);
  if (!w) return http::problem(wrong.status, wrong.why);
  request_for r(parts, *asked, q);
  if (const auto why = r.take(*w)) return http::problem(why->status, why->why);
  if (const auto why = r.objection()) return http::problem(why->status, why->why);
  return r.carry_out();
}

}  // namespace cmlrec::daemon
