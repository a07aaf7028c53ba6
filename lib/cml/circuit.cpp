#include "cml/circuit.hpp"

#include <algorithm>
#include <utility>

namespace cmlrec::cml {

circuit::verdict circuit::ask(core::instant now) {
  if (state_ == state::closed) return verdict::go;
  if (stops(now)) return verdict::stop;
  state_ = state::probing;
  return verdict::probe;
}

bool circuit::succeeded() {
  const bool closes = is_open();
  state_ = state::closed;
  pause_ = rule_.first_pause;
  failed_calls_.clear();
  why_.clear();
  return closes;
}

bool circuit::failed(core::instant now, std::uint64_t call, verdict asked, std::string why) {
  why_ = std::move(why);
  if (state_ != state::closed) {
    // A straggler that was sent before the circuit opened says nothing new.
    if (asked != verdict::probe) return false;
    pause_ = std::min(pause_ * 2, rule_.longest_pause);
    open(now);
    return true;
  }
  if (std::find(failed_calls_.begin(), failed_calls_.end(), call) == failed_calls_.end())
    failed_calls_.push_back(call);
  if (failed_calls_.size() < rule_.failures) return false;
  open(now);
  return true;
}

void circuit::abandoned(verdict asked) {
  // The next one to ask is the probe instead.
  if (asked == verdict::probe && state_ == state::probing) state_ = state::open;
}

core::instant circuit::reopens_at(core::instant now) const {
  constexpr core::duration poll_of_a_probe = std::chrono::milliseconds{250};
  if (state_ == state::probing) return now + poll_of_a_probe;
  return std::max(until_, now);
}

void circuit::open(core::instant now) {
  state_ = state::open;
  until_ = now + pause_;
  failed_calls_.clear();
}

}  // namespace cmlrec::cml
