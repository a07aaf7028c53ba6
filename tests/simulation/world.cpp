#include "simulation/world.hpp"

#include <algorithm>

namespace cmlrec::simulation {
namespace {

using cml::run_state;
using core::error;
using core::error_kind;
using namespace std::chrono_literals;

constexpr const char* injected_addon = "hadoop-cli-7.1.9";
constexpr const char* service_user = "svc-deploy";

error answer(error_kind kind, int status, std::string message) {
  error e(kind, std::move(message));
  e.http_status = status;
  return e;
}

error absent(const char* what) {
  return answer(error_kind::not_found, 404, std::string(what) + " not found");
}

template <class T>
T value_of(const core::field_set& fields, const char* name, T otherwise) {
  const auto found = fields.find(name);
  if (found == fields.end()) return otherwise;
  const auto* value = std::get_if<T>(&found->second);
  return value == nullptr ? otherwise : *value;
}

struct is_zero {
  bool operator()(bool b) const { return !b; }
  bool operator()(std::int64_t i) const { return i == 0; }
  bool operator()(double d) const { return d == 0; }
  bool operator()(const core::text& t) const { return t.value.empty(); }
  bool operator()(const core::text_list& l) const { return l.empty(); }
  bool operator()(const core::text_map& m) const { return m.empty(); }
  bool operator()(const core::recipient_list& l) const { return l.empty(); }
};

void drop_zeros(core::field_set& fields) {
  std::erase_if(fields, [](const auto& f) { return std::visit(is_zero{}, f.second); });
}

// CML knows nothing of what came through ${}.
core::field_value without_marks(core::field_value v) {
  if (auto* t = std::get_if<core::text>(&v)) t->secret = false;
  if (auto* list = std::get_if<core::text_list>(&v))
    for (auto& t : *list) t.secret = false;
  if (auto* map = std::get_if<core::text_map>(&v))
    for (auto& [key, t] : *map) t.secret = false;
  return v;
}

}  // namespace

const char* word_of(run_state state) {
  switch (state) {
    case run_state::scheduling:
      return "ENGINE_SCHEDULING";
    case run_state::starting:
      return "ENGINE_STARTING";
    case run_state::running:
      return "ENGINE_RUNNING";
    case run_state::stopping:
      return "ENGINE_STOPPING";
    case run_state::succeeded:
      return "ENGINE_SUCCEEDED";
    case run_state::failed:
      return "ENGINE_FAILED";
    case run_state::timed_out:
      return "ENGINE_TIMEDOUT";
    case run_state::stopped:
      return "ENGINE_STOPPED";
    case run_state::skipped:
      return "ENGINE_SKIPPED";
    case run_state::unknown:
      return "ENGINE_UNKNOWN";
  }
  return "";
}

const char* to_string(origin by) {
  switch (by) {
    case origin::daemon:
      return "the daemon";
    case origin::child_start:
      return "CML for the parent";
    case origin::person:
      return "a person";
    case origin::schedule:
      return "the schedule";
    case origin::own_retry:
      return "CML's own retry";
  }
  return "";
}

const sim_run* sim_job::active() const {
  for (const auto& r : runs)
    if (!cml::is_finished(r.run.state)) return &r;
  return nullptr;
}

sim_run* sim_job::run_at(std::size_t number) {
  return number < forgotten ? nullptr : &runs.at(number - forgotten);
}

sim_job* sim_project::find(const std::string& name) {
  for (auto& j : jobs)
    if (j->alive && j->job.name == name) return j.get();
  return nullptr;
}

std::size_t sim_project::count(const std::string& name) const {
  return static_cast<std::size_t>(std::count_if(
      jobs.begin(), jobs.end(), [&](const auto& j) { return j->alive && j->job.name == name; }));
}

void world::tell(const std::function<std::string()>& what) {
  if (witness_ != nullptr && witness_->tracing()) witness_->happened(what());
}

std::string world::new_id() {
  auto number = std::to_string(100'000'000 + ++last_order_);
  return number.substr(1, 4) + "-" + number.substr(5, 4) + "-aaaa-bbbb";
}

sim_project* world::find_project(const std::string& id) {
  for (auto& p : projects_)
    if (p->project.id == id) return p.get();
  return nullptr;
}

sim_job* world::find_job(const std::string& id) {
  const auto found = jobs_by_id_.find(id);
  return found == jobs_by_id_.end() || !found->second->alive ? nullptr : found->second;
}

cml::project world::seen_from_outside(const cml::project& p) const {
  auto out = p;
  if (temper_.omits_zero) drop_zeros(out.fields);
  return out;
}

cml::job world::seen_from_outside(const cml::job& j) const {
  auto out = j;
  if (temper_.omits_zero) drop_zeros(out.fields);
  if (!temper_.says_creator) out.creator.clear();
  return out;
}

cml::run world::seen_from_outside(const cml::run& r) const {
  auto out = r;
  if (!temper_.echoes_environment) out.environment.clear();
  if (!temper_.says_creator) out.creator.clear();
  return out;
}

// Where an item stands in a list, highest first. Cursors are places, so that what is added or
// removed between two pages makes no gap.
std::uint64_t world::place(std::uint64_t order, bool sorted) const {
  return sorted ? order : (order * 0x9e3779b97f4a7c15ULL) >> 8U;
}

template <class T, class Item, class Take>
cml::page<T> world::page_of(std::vector<const Item*> items, bool sorted, const std::string& token,
                            Take take) const {
  const auto at = [&](const Item* i) { return place(i->order, sorted); };
  if (!token.empty()) {
    const auto after = std::stoull(token);
    std::erase_if(items, [&](const Item* i) { return at(i) >= after; });
  }
  std::sort(items.begin(), items.end(),
            [&](const Item* a, const Item* b) { return at(a) > at(b); });
  cml::page<T> out;
  const auto size = static_cast<std::size_t>(temper_.page_size);
  for (const auto* item : items) {
    if (out.items.size() == size) break;
    out.items.push_back(take(*item));
  }
  if (items.size() > size) out.next_token = std::to_string(at(items[size - 1]));
  return out;
}

core::result<cml::page<cml::project>> world::list_projects(const std::string& name_part,
                                                           const std::string& token) {
  std::vector<const sim_project*> found;
  for (const auto& p : projects_)
    if (p->project.name.find(name_part) != std::string::npos) found.push_back(p.get());
  return page_of<cml::project>(std::move(found), temper_.sorts_lists, token,
                               [&](const sim_project& p) { return seen_from_outside(p.project); });
}

core::result<cml::project> world::get_project(const std::string& id) {
  const auto* p = find_project(id);
  if (p == nullptr) return absent("project");
  return seen_from_outside(p->project);
}

sim_project& world::add_project(const std::string& name, const std::string& owner, bool cloned) {
  auto p = std::make_unique<sim_project>();
  p->project.id = new_id();
  p->order = last_order_;
  p->project.name = name;
  p->project.owner = p->project.creator = owner;
  p->project.created_at = p->project.updated_at = in_.wall();
  p->project.fields["name"] = core::text{name};
  p->project.fields["visibility"] = core::text{"private"};
  p->project.fields["environment"] = core::text_map{};
  if (cloned) {
    p->project.creation_status = temper_.cloned_word;
    p->cloned_at = in_.now() - 1h;
  }
  projects_.push_back(std::move(p));
  if (!cloned) let_it_clone(*projects_.back());
  return *projects_.back();
}

void world::let_it_clone(sim_project& project) {
  project.project.creation_status = temper_.cloning_word;
  const bool fails = random_.chance(temper_.clone_fails);
  const auto took = random_.between(temper_.clone_least, temper_.clone_most);
  in_.after(took, [this, &project, fails] {
    project.project.creation_status = fails ? "failure" : temper_.cloned_word;
    if (!fails) project.cloned_at = in_.now();
    tell([&] { return "clone of " + project.project.name + (fails ? " fails" : " ends"); });
  });
}

core::result<cml::project> world::create_project(const cml::project_write& body, bool by_daemon) {
  const auto name = value_of<core::text>(body.fields, "name", {}).value;
  auto& p = add_project(name, service_user, false);
  p.by_daemon = by_daemon;
  for (const auto& [field, value] : body.fields)
    if (field != "git_url" && field != "git_ref" && field != "template" && field != "team_name")
      p.project.fields[field] = without_marks(value);
  tell([&] { return "project " + name + " is made: " + p.project.id; });
  if (witness_ != nullptr && by_daemon) witness_->project_made(p);
  return seen_from_outside(p.project);
}

core::result<cml::project> world::update_project(const std::string& id,
                                                 const cml::project_write& body) {
  auto* p = find_project(id);
  if (p == nullptr) return absent("project");
  for (const auto& [field, value] : body.fields)
    if (!temper_.ignored_project_fields.contains(field))
      p->project.fields[field] = without_marks(value);
  p->project.updated_at = in_.wall();
  return seen_from_outside(p->project);
}

core::result<cml::page<cml::job>> world::list_jobs(const std::string& project_id,
                                                   const std::string& token) {
  const auto* p = find_project(project_id);
  if (p == nullptr) return absent("project");
  std::vector<const sim_job*> found;
  for (const auto& j : p->jobs)
    if (j->alive) found.push_back(j.get());
  return page_of<cml::job>(std::move(found), temper_.sorts_lists, token,
                           [&](const sim_job& j) { return seen_from_outside(j.job); });
}

std::optional<error> world::script_trouble(const sim_project& project) const {
  if (project.cloned_at && in_.now() >= *project.cloned_at + temper_.script_delay)
    return std::nullopt;
  return answer(error_kind::refused, 400, "script 'main.py' not found in project directory");
}

void world::add_addons(sim_job& job) const {
  if (!temper_.injects_addons) return;
  auto addons = value_of<core::text_list>(job.job.fields, "runtime_addon_identifiers", {});
  if (std::find(addons.begin(), addons.end(), core::text{injected_addon}) == addons.end())
    addons.push_back(core::text{injected_addon});
  job.job.fields["runtime_addon_identifiers"] = addons;
}

sim_job& world::add_job(sim_project& project, const cml::job_write& body) {
  auto j = std::make_unique<sim_job>();
  j->job.id = new_id();
  j->order = last_order_;
  j->project = &project;
  j->job.creator = service_user;
  j->job.fields = {{"cpu", 1.0},
                   {"memory", 1.0},
                   {"nvidia_gpu", std::int64_t{0}},
                   {"timezone", core::text{"America/Los_Angeles"}},
                   {"paused", false},
                   {"arguments", core::text{}},
                   {"schedule", core::text{}},
                   {"environment", core::text_map{}}};
  for (const auto& [field, value] : body.fields) j->job.fields[field] = without_marks(value);
  j->job.name = value_of<core::text>(body.fields, "name", {}).value;
  j->job.parent_id = body.parent_id.value_or("");
  j->job.created_at = j->job.updated_at = in_.wall();
  add_addons(*j);
  jobs_by_id_[j->job.id] = j.get();
  project.jobs.push_back(std::move(j));
  return *project.jobs.back();
}

core::result<cml::job> world::create_job(const std::string& project_id, const cml::job_write& body,
                                         bool by_daemon) {
  auto* p = find_project(project_id);
  if (p == nullptr) return absent("project");
  if (const auto trouble = script_trouble(*p)) return *trouble;
  if (body.parent_id && !body.parent_id->empty() && find_job(*body.parent_id) == nullptr)
    return answer(error_kind::refused, 400, "parent job does not exist");
  auto& j = add_job(*p, body);
  j.by_daemon = by_daemon;
  tell([&] { return "job " + j.job.name + " is made: " + j.job.id; });
  if (witness_ != nullptr && by_daemon) witness_->job_made(j);
  return seen_from_outside(j.job);
}

core::result<cml::job> world::update_job(const std::string& project_id, const std::string& job_id,
                                         const cml::job_write& body) {
  auto* j = find_job(job_id);
  if (j == nullptr || j->project->project.id != project_id) return absent("job");
  const bool runtime = body.fields.contains("runtime_identifier");
  const bool addons = body.fields.contains("runtime_addon_identifiers");
  if (addons && !runtime)
    return answer(error_kind::server, 500, "runtime addons without a runtime");
  for (const auto& [field, value] : body.fields)
    if (!temper_.ignored_job_fields.contains(field)) j->job.fields[field] = without_marks(value);
  if (runtime && !addons) j->job.fields["runtime_addon_identifiers"] = core::text_list{};
  if (body.parent_id) j->job.parent_id = *body.parent_id;
  if (body.fields.contains("name"))
    j->job.name = value_of<core::text>(body.fields, "name", {}).value;
  add_addons(*j);
  j->job.updated_at = in_.wall();
  tell([&] { return "job " + j->job.name + " is changed"; });
  return seen_from_outside(j->job);
}

core::result<bool> world::delete_job(const std::string& project_id, const std::string& job_id) {
  auto* j = find_job(job_id);
  if (j == nullptr || j->project->project.id != project_id) return absent("job");
  j->alive = false;
  tell([&] { return "job " + j->job.name + " is deleted"; });
  return true;
}

core::result<cml::page<cml::run>> world::list_runs(const std::string& job_id,
                                                   const std::string& token) {
  const auto* j = find_job(job_id);
  if (j == nullptr) return absent("job");
  struct placed {
    const sim_run* run;
    std::uint64_t order;
  };
  std::vector<placed> all;
  std::vector<const placed*> found;
  std::uint64_t order = 0;
  all.reserve(j->runs.size());
  for (const auto& r : j->runs) all.push_back({&r, ++order});
  for (const auto& p : all) found.push_back(&p);
  return page_of<cml::run>(std::move(found), temper_.sorts_runs, token,
                           [&](const placed& p) { return seen_from_outside(p.run->run); });
}

core::result<cml::run> world::get_run(const std::string& job_id, const std::string& run_id) {
  const auto* j = find_job(job_id);
  if (j == nullptr) return absent("job");
  for (const auto& r : j->runs)
    if (r.run.id == run_id) return seen_from_outside(r.run);
  return absent("run");
}

core::result<cml::run> world::start_run(const std::string& job_id, const cml::run_request& body,
                                        int life,
                                        const std::function<void(sim_job&, const sim_run&)>& made) {
  auto* j = find_job(job_id);
  if (j == nullptr) return absent("job");
  if (j->active() != nullptr) {
    if (temper_.busy != temper::when_busy::refuse) {
      sim_run skipped;
      skipped.run.id = "run" + std::to_string(1'000'000 + ++last_run_);
      skipped.run.job_id = job_id;
      skipped.run.state = run_state::skipped;
      skipped.run.status = word_of(run_state::skipped);
      skipped.run.creator = service_user;
      skipped.run.created_at = skipped.run.finished_at = in_.wall();
      skipped.by = origin::daemon;
      skipped.life = life;
      skipped.began = in_.now();
      skipped.ended = in_.now();
      j->runs.push_back(skipped);
      if (temper_.busy == temper::when_busy::answer_with_skipped)
        return seen_from_outside(skipped.run);
    }
    return answer(error_kind::conflict, 400, "job run for job ID already active");
  }
  auto& run = begin(*j, origin::daemon, life, body.environment);
  made(*j, run);
  return seen_from_outside(run.run);
}

core::result<cml::run> world::stop_run(const std::string& job_id, const std::string& run_id,
                                       origin by) {
  auto* j = find_job(job_id);
  if (j == nullptr) return absent("job");
  for (std::size_t i = 0; i < j->runs.size(); ++i) {
    auto& r = j->runs[i];
    if (r.run.id != run_id) continue;
    if (cml::is_finished(r.run.state))
      return answer(error_kind::refused, 400, "the run is not active");
    r.stopped_by = by;
    r.run.state = run_state::stopping;
    r.run.status = word_of(r.run.state);
    in_.after(random_.between(100ms, 5s),
              [this, j, number = j->forgotten + i] { end(*j, number, run_state::stopped); });
    tell([&] { return "run " + run_id + " is being stopped by " + to_string(by); });
    return seen_from_outside(r.run);
  }
  return absent("run");
}

}  // namespace cmlrec::simulation
