// Saving the workspace to JSON and loading it again, whole.
#include "simulator/workspace.hpp"

#include <stdexcept>

namespace cmlrec::simulator {
namespace {

constexpr int format_version = 1;

std::string stamp_of(timestamp at) { return core::format_timestamp(at); }

timestamp stamp(const json::value& v) {
  const auto at = core::parse_timestamp(v.as_string());
  if (!at) throw std::invalid_argument("a time is malformed");
  return *at;
}

void put(json::object& out, const char* name, const std::optional<timestamp>& at) {
  if (at) out[name] = stamp_of(*at);
}

std::optional<timestamp> take(const json::object& in, const char* name) {
  const auto* value = in.if_contains(name);
  if (!value) return std::nullopt;
  return stamp(*value);
}

json::object save_run(const run& r) {
  json::object out{{"id", r.id},
                   {"status", r.status},
                   {"cause", r.cause},
                   {"phase", static_cast<int>(r.phase)},
                   {"number", r.number},
                   {"attempt", r.attempt},
                   {"scheduling_ms", r.plan.scheduling.count()},
                   {"starting_ms", r.plan.starting.count()},
                   {"running_ms", r.plan.running.count()},
                   {"ends", static_cast<int>(r.plan.ends)},
                   {"word", r.plan.word},
                   {"created_at", stamp_of(r.created_at)},
                   {"fields", r.fields}};
  put(out, "starting_at", r.starting_at);
  put(out, "running_at", r.running_at);
  put(out, "finished_at", r.finished_at);
  put(out, "next_at", r.next_at);
  return out;
}

run load_run(const json::object& in) {
  run r;
  r.id = in.at("id").as_string();
  r.status = in.at("status").as_string();
  r.cause = in.at("cause").as_string();
  r.phase = static_cast<run_phase>(in.at("phase").as_int64());
  r.number = static_cast<int>(in.at("number").as_int64());
  r.attempt = static_cast<int>(in.at("attempt").as_int64());
  r.plan = {duration{in.at("scheduling_ms").as_int64()}, duration{in.at("starting_ms").as_int64()},
            duration{in.at("running_ms").as_int64()},
            static_cast<outcome>(in.at("ends").as_int64()), std::string(in.at("word").as_string())};
  r.created_at = stamp(in.at("created_at"));
  r.fields = in.at("fields").as_object();
  r.starting_at = take(in, "starting_at");
  r.running_at = take(in, "running_at");
  r.finished_at = take(in, "finished_at");
  r.next_at = take(in, "next_at");
  return r;
}

json::object save_job(const job& j) {
  json::array pending;
  for (const auto& s : j.pending)
    pending.push_back(
        json::object{{"at", stamp_of(s.at)}, {"cause", s.cause}, {"attempt", s.attempt}});
  json::array runs;
  for (const auto& r : j.runs) runs.push_back(save_run(r));
  json::object out{{"id", j.id},
                   {"created_at", stamp_of(j.created_at)},
                   {"updated_at", stamp_of(j.updated_at)},
                   {"fields", j.fields},
                   {"runs_started", j.runs_started},
                   {"pending", std::move(pending)},
                   {"runs", std::move(runs)}};
  put(out, "next_scheduled", j.next_scheduled);
  return out;
}

job load_job(const json::object& in) {
  job j;
  j.id = in.at("id").as_string();
  j.created_at = stamp(in.at("created_at"));
  j.updated_at = stamp(in.at("updated_at"));
  j.fields = in.at("fields").as_object();
  // Written as 1E0, but a whole number is a whole number again if another tool rewrote the file.
  for (const auto* size : {"cpu", "memory"}) j.fields[size] = j.fields.at(size).to_number<double>();
  j.runs_started = static_cast<int>(in.at("runs_started").as_int64());
  j.next_scheduled = take(in, "next_scheduled");
  for (const auto& s : in.at("pending").as_array())
    j.pending.push_back({stamp(s.at("at")), std::string(s.at("cause").as_string()),
                         static_cast<int>(s.at("attempt").as_int64())});
  for (const auto& r : in.at("runs").as_array()) j.runs.push_back(load_run(r.as_object()));
  return j;
}

}  // namespace

json::object workspace::save() const {
  json::array projects;
  for (const auto& p : projects_) {
    json::array jobs;
    for (const auto& j : p.jobs) jobs.push_back(save_job(j));
    json::object out{{"id", p.id},
                     {"created_at", stamp_of(p.created_at)},
                     {"updated_at", stamp_of(p.updated_at)},
                     {"fields", p.fields},
                     {"creation_status", p.creation_status},
                     {"calls_to_lose", p.calls_to_lose},
                     {"jobs", std::move(jobs)}};
    put(out, "clone_ends", p.clone_ends);
    put(out, "scripts_from", p.scripts_from);
    projects.push_back(std::move(out));
  }
  return {{"format", format_version},
          {"now", stamp_of(now_)},
          {"counter", counter_},
          {"seed", rules_.seed},
          {"projects", std::move(projects)}};
}

std::optional<std::string> workspace::load(const json::object& saved) try {
  if (saved.at("format").as_int64() != format_version)
    return "it was written by another version of the simulator";
  now_ = stamp(saved.at("now"));
  counter_ = saved.at("counter").to_number<std::uint64_t>();
  // The ids continue the sequence of the saved seed, whatever seed is given now.
  rules_.seed = saved.at("seed").to_number<std::uint64_t>();
  projects_.clear();
  for (const auto& item : saved.at("projects").as_array()) {
    const auto& in = item.as_object();
    project& p = projects_.emplace_back();
    p.id = in.at("id").as_string();
    p.created_at = stamp(in.at("created_at"));
    p.updated_at = stamp(in.at("updated_at"));
    p.fields = in.at("fields").as_object();
    p.creation_status = in.at("creation_status").as_string();
    p.calls_to_lose = static_cast<int>(in.at("calls_to_lose").as_int64());
    p.clone_ends = take(in, "clone_ends");
    p.scripts_from = take(in, "scripts_from");
    for (const auto& j : in.at("jobs").as_array()) p.jobs.push_back(load_job(j.as_object()));
  }
  return std::nullopt;
} catch (const std::exception&) {
  return "it does not have the form of a saved workspace";
}

}  // namespace cmlrec::simulator
