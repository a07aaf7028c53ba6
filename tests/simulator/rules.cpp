#include "simulator/rules.hpp"

namespace cmlrec::simulator {
namespace {

void apply(const run_rule& rule, run_plan& plan) {
  if (rule.scheduling) plan.scheduling = *rule.scheduling;
  if (rule.starting) plan.starting = *rule.starting;
  if (rule.running) plan.running = *rule.running;
  if (rule.ends) {
    plan.ends = *rule.ends;
    plan.word = rule.word;
  }
}

void apply(const job_rule& rule, int number, run_plan& plan) {
  apply(rule.every, plan);
  if (rule.fail_first && number <= *rule.fail_first) plan.ends = outcome::failed;
  if (const auto found = rule.by_number.find(number); found != rule.by_number.end())
    apply(found->second, plan);
}

}  // namespace

run_plan plan_run(const rules& r, const std::string& project, const std::string& job, int number) {
  run_plan plan{r.scheduling_time, r.starting_time, r.running_time, outcome::succeeded, {}};
  for (const auto& key : {job, project + "/" + job})
    if (const auto found = r.jobs.find(key); found != r.jobs.end())
      apply(found->second, number, plan);
  return plan;
}

}  // namespace cmlrec::simulator
