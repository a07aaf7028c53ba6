// Turns the difference between two reports of one project into events: what changed, once.
#pragma once

#include <vector>

#include "plan/report.hpp"
#include "reconcile/observer.hpp"

namespace cmlrec::reconcile {

// `before` may be a default report: everything is new then.
std::vector<event> narrate(const plan::project_report& before, const plan::project_report& after,
                           core::timestamp at);

}  // namespace cmlrec::reconcile
