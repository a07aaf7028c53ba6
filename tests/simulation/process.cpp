#include "simulation/process.hpp"

#include <boost/asio/co_spawn.hpp>

namespace cmlrec::simulation {

boost::asio::awaitable<core::result<bool>> process::checks::probe(config::http_check,
                                                                  core::instant deadline) {
  const auto f = faults_.draw(false, false, 0, deadline - in_.now());
  co_await of_.sleep_until(in_.now() + f.answered_after);
  if (f.error) co_return *f.error;
  if (!pass_) {
    core::error e(core::error_kind::refused, "expected 200, got 502");
    co_return e;
  }
  co_return true;
}

process::process(kernel& in, world& cml, weather& faults, checker& rules, const scenario& of,
                 disk* journal, int number, bool force, random_source random)
    : life_(in, number, random.fork()),
      clock_(in, life_, of.wall_offset),
      api_(in, life_, cml, faults, rules, clock_),
      checks_(life_, in, faults, of.checks_pass),
      jitter_(random.fork()) {
  reconcile::options o;
  o.how = of.apply ? reconcile::mode::once : reconcile::mode::keep;
  o.rules = of.rules;
  o.once_timeout = std::chrono::hours{1};
  o.force = force;
  o.most_at_once = of.calls_at_once;
  o.random = [this] { return jitter_.unit(); };
  loop_ = std::make_unique<reconcile::reconciler>(life_.get_executor(), clock_, api_, checks_,
                                                  rules, journal, std::move(o));
  loop_->set_desired(rules.file());
  boost::asio::co_spawn(life_.get_executor(), loop_->run(),
                        [this, &rules](const std::exception_ptr& e, reconcile::outcome how) {
                          if (e) rules.violated("no exception reaches the loop", "run()");
                          ended_ = how;
                        });
}

process::~process() {
  // The frames go before what they refer to.
  life_.kill();
}

}  // namespace cmlrec::simulation
