// Turns the difference between two reports of one project into events: what changed, once.
#pragma once

#include <cstddef>
#include <vector>

#include "plan/report.hpp"
#include "reconcile/observer.hpp"

namespace cmlrec::reconcile {

class narrator {
 public:
  // `before` may be a default report: everything is new then.
  narrator(plan::project_report before, plan::project_report after, core::timestamp at);
  narrator(const narrator&) = delete;
  narrator& operator=(const narrator&) = delete;

  // The events of as many jobs more; those of the project come with its first and last.
  std::vector<event> go_on(std::size_t jobs);
  bool is_done() const { return done_; }

 private:
  void add(severity level, std::string name, std::string job, std::string message);
  void tell_of_project_differences();
  void tell_of_job(const plan::job_report& job);
  void tell_of_project_state();

  const plan::project_report before_;
  const plan::project_report after_;
  const core::timestamp at_;
  plan::job_finder former_;
  std::vector<event> out_;
  std::size_t next_ = 0;
  bool done_ = false;
};

std::vector<event> narrate(const plan::project_report& before, const plan::project_report& after,
                           core::timestamp at);

}  // namespace cmlrec::reconcile
