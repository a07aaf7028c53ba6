// The journal of this life: what the projects' memories hold that must outlive the process, put into
// the store before a write that cannot be repeated is sent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/clock.hpp"
#include "plan/memory.hpp"
#include "reconcile/state_store.hpp"

namespace cmlrec::reconcile {

class journal {
 public:
  // Brings the state up to date before it is written; `only` these projects, or all where it is null.
  using gather = std::function<void(saved_state&, const std::set<std::string>* only)>;

  // All references must outlive it. `store` may be null: nothing is kept then. `on_trouble` is told
  // why the store has failed, once until it works again.
  journal(core::clock& clock, state_store* store, gather up_to_date,
          std::function<void(const std::string& why)> on_trouble);
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  saved_state& state() { return state_; }
  // What a former life has left. False: nothing.
  bool load();
  bool works() const { return store_ != nullptr && !failing_; }

  // Puts all of it into the store, at once.
  void write();
  // What has changed of `project`, with what others ask for meanwhile: returns when a write has ended
  // that was begun after the call. Who calls while one is due shares it, and all of them take no more
  // than a tenth of the loop's time.
  boost::asio::awaitable<void> written(std::string project);

 private:
  void put(const std::set<std::string>* only);

  core::clock& clock_;
  state_store* store_;
  gather up_to_date_;
  std::function<void(const std::string&)> on_trouble_;
  saved_state state_;
  std::unique_ptr<core::alarm> pause_;
  std::vector<core::alarm*> waiting_;
  core::instant next_{};
  std::uint64_t asked_ = 0;
  std::uint64_t served_ = 0;
  std::set<std::string> changed_;  // projects
  bool due_ = false;
  bool failing_ = false;
};

saved_project to_saved(const plan::project_memory& memory);
// The steady clock of a former life says nothing: what was under way then is taken as sent `now`.
plan::project_memory from_saved(const saved_project& saved, core::instant now);

}  // namespace cmlrec::reconcile
