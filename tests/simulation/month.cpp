// simulate_month: thirty days of one process, with faults and people all along. What it holds in
// memory must not grow after the first day.
#include "simulation/process.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <malloc.h>

#include <CLI/CLI.hpp>

namespace {

using namespace cmlrec;
using namespace cmlrec::simulation;
using namespace std::chrono_literals;

constexpr std::size_t runs_kept = 12;  // by CML, of each job
// In a day: more than this, in the median of the last ten days over that of days 2 to 11, is
// growth.
constexpr double most_growth = 1.02;

config::project_spec project_of(const std::string& name, int jobs) {
  config::project_spec p;
  p.name = name;
  p.fields["name"] = core::text{name};
  p.fields["git_url"] = core::text{"https://example.com/o/r"};
  for (int i = 0; i < jobs; ++i) {
    config::job_spec j;
    j.key = j.name = "job" + std::to_string(i);
    j.fields["name"] = core::text{j.name};
    j.fields["script"] = core::text{j.name + ".py"};
    j.fields["cpu"] = 2.0;
    j.fields["timeout"] = std::int64_t{1800};
    j.fields["environment"] = core::text_map{{"TOKEN", core::text{secret_text, true}}};
    j.retry.max_attempts = 3;
    if (i % 4 == 3) {
      j.fields["schedule"] = core::text{"*/10 * * * *"};
      j.run = config::run_policy::never;
    } else if (i % 4 != 0) {
      j.parent_key = "job" + std::to_string(i - 1);
      j.owns_parent = true;
    }
    p.jobs.push_back(std::move(j));
  }
  return p;
}

class month {
 public:
  explicit month(std::uint64_t seed)
      : random_(seed),
        cml_(in_, temper_of(), random_.fork()),
        faults_(random_.fork()),
        rules_(in_, cml_, plan_.rules, false) {
    for (const char* name : {"ray", "ray-2", "etl"})
      plan_.file.projects.push_back(project_of(name, 8));
    cml_.set_witness(&rules_);
    faults_.rate = 0.03;
    rules_.file_is(plan_.file);
    rules_.life_begins(false, false, true);
    process_.emplace(in_, cml_, faults_, rules_, plan_, &disk_, 1, false, random_.fork());
    in_.after(1h, [this] { live_on(); });
  }

  // False: a rule is broken.
  bool pass_a_day() {
    const auto end = in_.now() + 24h;
    for (;;) {
      if (rules_.broken()) return false;
      if (process_->has_ready())
        process_->run_one();
      else if (!in_.step(end))
        break;
    }
    cml_.forget_old_runs(runs_kept);
    rules_.forget_what_is_over();
    return true;
  }

  const checker& rules() const { return rules_; }
  const weather& faults() const { return faults_; }

 private:
  static temper temper_of() {
    temper t;
    t.run_fails = 0.15;
    t.injects_addons = true;
    t.ignored_job_fields = {"timezone"};
    return t;
  }

  // People and schedules, hour by hour.
  void live_on() {
    for (auto& p : cml_.projects())
      for (auto& j : p->jobs) {
        if (j->job.fields.contains("schedule") && !scheduled_.contains(j->job.id) &&
            std::get<core::text>(j->job.fields["schedule"]).value != "") {
          scheduled_.insert(j->job.id);
          cml_.keep_schedule(*j, 10min);
        }
        if (random_.chance(0.5)) cml_.begin_by(*j, origin::person);
        if (random_.chance(0.03)) j->job.fields["cpu"] = static_cast<double>(random_.between(3, 9));
      }
    in_.after(1h, [this] { live_on(); });
  }

  kernel in_;
  random_source random_;
  scenario plan_;
  world cml_;
  weather faults_;
  checker rules_;
  disk disk_;
  std::set<std::string> scheduled_;
  std::optional<process> process_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  int days = 30;
  CLI::App app("A month of one process in virtual time");
  app.add_option("--seed", seed, "");
  app.add_option("--days", days, "at least 22")->check(CLI::Range(22, 1000));
  CLI11_PARSE(app, argc, argv);

  month m(seed);
  std::vector<double> in_use;
  for (int day = 1; day <= days; ++day) {
    if (!m.pass_a_day()) {
      std::cout << "broken on day " << day << ": " << m.rules().broken()->rule << ": "
                << m.rules().broken()->what << "\n";
      return 1;
    }
    in_use.push_back(static_cast<double>(mallinfo2().uordblks) / 1024);
    std::printf("day %2d: %.0f KiB in use\n", day, in_use.back());
  }
  const double early = median({in_use.begin() + 1, in_use.begin() + 11});
  const double late = median({in_use.end() - 10, in_use.end()});
  std::size_t faults = 0;
  for (std::size_t i = 1; i < fault_kinds; ++i) faults += m.faults().counts[i];
  const auto& c = m.rules().counted();
  std::cout << "figure: month: " << days << " days, " << c.passes << " passes, " << c.runs_by_daemon
            << " runs started, " << faults << " faults; memory " << static_cast<long>(early)
            << " KiB in days 2 to 11, " << static_cast<long>(late) << " KiB in the last ten\n";
  if (late > early * most_growth) {
    std::cout << "memory grows\n";
    return 1;
  }
  return 0;
}
