#include "reconcile/journal.hpp"

#include <utility>

#include "reconcile/turns.hpp"

namespace cmlrec::reconcile {
namespace {

constexpr int pause_per_work = 10;

}  // namespace

journal::journal(core::clock& clock, state_store* store, gather up_to_date,
                 std::function<void(const std::string&)> on_trouble)
    : clock_(clock),
      store_(store),
      up_to_date_(std::move(up_to_date)),
      on_trouble_(std::move(on_trouble)),
      pause_(clock.make_alarm()) {}

bool journal::load() {
  if (store_ == nullptr) return false;
  auto saved = store_->load();
  if (!saved) return false;
  state_ = std::move(*saved);
  return true;
}

void journal::write() { put(nullptr); }

void journal::put(const std::set<std::string>* only) {
  if (store_ == nullptr) return;
  const auto began = clock_.now();
  up_to_date_(state_, only);
  std::string why;
  if (store_->save(state_, why)) {
    failing_ = false;
  } else if (!failing_) {
    failing_ = true;
    on_trouble_(why);
  }
  const auto ended = clock_.now();
  next_ = ended + (ended - began) * pause_per_work;
}

boost::asio::awaitable<void> journal::written(std::string project) {
  if (store_ == nullptr) co_return;
  changed_.insert(std::move(project));
  const auto mine = ++asked_;
  if (due_) {
    const auto alarm = clock_.make_alarm();
    waiting_.push_back(alarm.get());
    while (served_ < mine) {
      const auto until = clock_.now() + std::chrono::hours{1};
      co_await alarm->wait_until(until);
    }
    std::erase(waiting_, alarm.get());
    co_return;
  }
  due_ = true;
  co_await let_others_go_on();
  while (clock_.now() < next_) co_await pause_->wait_until(next_);
  due_ = false;
  served_ = asked_;
  // They go on when this turn of the loop has ended.
  for (auto* alarm : waiting_) alarm->ring();
  const auto only = std::exchange(changed_, {});
  put(&only);
}

saved_project to_saved(const plan::project_memory& m) {
  saved_project out;
  out.create_sent = m.create_sent.has_value();
  out.force_requested = m.force_requested;
  out.force_at = m.force_at;
  out.jobs_to_force = m.jobs_to_force;
  out.retry_requested = m.retry_requested;
  out.jobs_to_retry = m.jobs_to_retry;
  out.suspended = m.suspended;
  for (const auto& [name, job] : m.jobs) {
    const bool anything = job.create_sent || job.start_sent || job.force_at || job.attempts_from ||
                          job.suspended;
    if (anything)
      out.jobs.emplace_hint(out.jobs.end(), name,
                            saved_job{job.create_sent.has_value(), job.start_sent.has_value(),
                                      job.force_at, job.attempts_from, job.suspended});
  }
  return out;
}

plan::project_memory from_saved(const saved_project& saved, core::instant now) {
  plan::project_memory m;
  if (saved.create_sent) m.create_sent = now;
  m.force_requested = saved.force_requested;
  m.force_at = saved.force_at;
  m.jobs_to_force = saved.jobs_to_force;
  m.retry_requested = saved.retry_requested;
  m.jobs_to_retry = saved.jobs_to_retry;
  m.suspended = saved.suspended;
  for (const auto& [name, job] : saved.jobs) {
    auto& j = m.jobs[name];
    if (job.create_sent) j.create_sent = now;
    if (job.start_sent) j.start_sent = now;
    j.force_at = job.force_at;
    j.attempts_from = job.attempts_from;
    j.suspended = job.suspended;
  }
  return m;
}

}  // namespace cmlrec::reconcile
