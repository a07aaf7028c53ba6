// Leaves a workspace alone that has failed repeatedly. Pure: the time comes in, and who asks is
// told by the number of the call, so that one call's retries do not count as many failures.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cmlrec::cml {

struct circuit_rule {
  std::size_t failures = 5;  // of different calls, with no answer in between
  core::duration first_pause = std::chrono::seconds{5};
  core::duration longest_pause = std::chrono::seconds{60};
};

class circuit {
 public:
  explicit circuit(circuit_rule rule = {}) : rule_(rule), pause_(rule.first_pause) {}

  enum class verdict {
    go,
    probe,  // go, as the one attempt that decides whether the circuit closes
    stop,
  };
  // Every go and probe must be followed by one of succeeded, failed or abandoned.
  verdict ask(core::instant now);

  // The workspace has answered, whatever it said. True: this has closed the circuit.
  bool succeeded();
  // No answer, or a 5xx. True: this has opened the circuit, or kept it open after a probe.
  bool failed(core::instant now, std::uint64_t call, verdict asked, std::string why);
  // Nothing was learnt: the attempt was cancelled, or ended before anything was sent.
  void abandoned(verdict asked);

  bool is_open() const { return state_ != state::closed; }
  // What ask() would say, without asking.
  bool stops(core::instant now) const {
    return state_ == state::probing || (state_ == state::open && now < until_);
  }
  // While open: when to ask again.
  core::instant reopens_at(core::instant now) const;
  const std::string& why() const { return why_; }

 private:
  enum class state { closed, open, probing };

  void open(core::instant now);

  circuit_rule rule_;
  state state_ = state::closed;
  core::duration pause_;
  core::instant until_{};
  std::vector<std::uint64_t> failed_calls_;
  std::string why_;
};

}  // namespace cmlrec::cml
