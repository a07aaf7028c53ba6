// One life of the daemon: all that vanishes with kill -9.
#pragma once

#include "reconcile/reconciler.hpp"
#include "simulation/checker.hpp"
#include "simulation/scenario.hpp"
#include "simulation/wire.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace cmlrec::simulation {

// A state directory: it outlives the process.
class disk final : public reconcile::state_store {
 public:
  std::optional<reconcile::saved_state> load() override { return state_; }
  bool save(const reconcile::saved_state& state, std::string&) override {
    state_ = state;
    return true;
  }

 private:
  std::optional<reconcile::saved_state> state_;
};

class process {
 public:
  process(kernel& in, world& cml, weather& faults, checker& rules, const scenario& of,
          disk* journal, int number, bool force, random_source random);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  bool has_ready() const { return life_.has_ready(); }
  void run_one() { life_.run_one(); }
  void reload(const config::desired_state& file) { loop_->set_desired(file); }
  void stop() { loop_->stop(); }
  bool demand(const plan::order& o) { return loop_->demand(o); }
  // When run() has returned.
  const std::optional<reconcile::outcome>& ended() const { return ended_; }
  core::duration longest_wait() { return clock_.longest_wait(); }

 private:
  class checks final : public reconcile::prober {
   public:
    checks(life& of, kernel& in, weather& faults, bool pass)
        : of_(of), in_(in), faults_(faults), pass_(pass) {}
    boost::asio::awaitable<core::result<bool>> probe(config::http_check check,
                                                     core::instant deadline) override;

   private:
    life& of_;
    kernel& in_;
    weather& faults_;
    bool pass_;
  };

  life life_;
  life_clock clock_;
  wire api_;
  checks checks_;
  random_source jitter_;
  std::unique_ptr<reconcile::reconciler> loop_;
  std::optional<reconcile::outcome> ended_;
};

}  // namespace cmlrec::simulation
