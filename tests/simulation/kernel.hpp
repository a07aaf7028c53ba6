// Virtual time. The kernel holds what will happen in the world; a life is one process of the
// daemon: its ready tasks and its waits, all of which vanish when it is killed.
#pragma once

#include "core/clock.hpp"
#include "simulation/random.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

namespace cmlrec::simulation {

class kernel {
 public:
  core::instant now() const { return now_; }
  // The calendar of CML's machines: true time.
  core::timestamp wall() const { return start_ + (now_ - core::instant{}); }
  core::timestamp wall_at(core::instant at) const { return start_ + (at - core::instant{}); }

  void at(core::instant when, std::function<void()> what);
  void after(core::duration wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }
  // Goes on to the next thing and does it. False: there is none until `end`; it is `end` then.
  bool step(core::instant end);

 private:
  struct happening {
    core::instant when;
    std::uint64_t order;
    std::size_t place;  // of what is to be done: a heap moves its entries
    bool operator<(const happening& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  core::instant now_{core::duration{1'000'000}};
  core::timestamp start_ = *core::parse_timestamp("2026-03-01T12:00:00Z");
  std::uint64_t order_ = 0;
  std::vector<happening> heap_;
  std::vector<std::function<void()>> to_be_done_;
  std::vector<std::size_t> free_places_;
};

class life final : public boost::asio::execution_context {
 public:
  class executor_type {
   public:
    explicit executor_type(life& of) : of_(&of) {}
    boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept {
      return *of_;
    }
    static constexpr boost::asio::execution::blocking_t::never_t query(
        boost::asio::execution::blocking_t) noexcept {
      return {};
    }
    template <class Function>
    void execute(Function f) const {
      of_->ready_.push_back(std::make_unique<task_of<Function>>(std::move(f)));
    }
    friend bool operator==(const executor_type& a, const executor_type& b) noexcept {
      return a.of_ == b.of_;
    }
    friend bool operator!=(const executor_type& a, const executor_type& b) noexcept {
      return a.of_ != b.of_;
    }

   private:
    life* of_;
  };

  // `number`: the how-manieth process this is.
  life(kernel& in, int number, random_source order) : in_(in), number_(number), order_(order) {}
  ~life() { kill(); }

  executor_type get_executor() { return executor_type(*this); }
  int number() const { return number_; }
  bool has_ready() const { return !ready_.empty(); }
  // One task that is ready, any of them.
  void run_one();
  // Every frame is destroyed where it waits; nothing runs any more.
  void kill();

  using handler = boost::asio::any_completion_handler<void()>;
  std::uint64_t begin_wait(core::instant until, handler resume);
  // Ends it early; nothing where it has ended.
  void end_wait(std::uint64_t wait);
  boost::asio::awaitable<void> sleep_until(core::instant until);

 private:
  struct task {
    virtual ~task() = default;
    virtual void run() = 0;
  };
  template <class Function>
  struct task_of final : task {
    explicit task_of(Function f) : function(std::move(f)) {}
    void run() override { std::move(function)(); }
    Function function;
  };

  kernel& in_;
  int number_;
  random_source order_;
  std::vector<std::unique_ptr<task>> ready_;
  std::map<std::uint64_t, handler> waits_;
  std::uint64_t last_wait_ = 0;
  // Happenings of the kernel outlive the process that asked for them.
  std::shared_ptr<life*> self_ = std::make_shared<life*>(this);
};

// The daemon's clock. `wall_offset`: how wrong this machine's calendar is.
class life_clock final : public core::clock {
 public:
  life_clock(kernel& in, life& of, core::duration wall_offset)
      : in_(in), of_(of), wall_offset_(wall_offset) {}
  core::instant now() const override { return in_.now(); }
  core::timestamp wall() const override { return in_.wall() + wall_offset_; }
  std::unique_ptr<core::alarm> make_alarm() override;
  // The longest that anything has waited for, since the last question.
  core::duration longest_wait() { return std::exchange(longest_wait_, core::duration{0}); }

 private:
  friend class life_alarm;
  kernel& in_;
  life& of_;
  core::duration wall_offset_;
  core::duration longest_wait_{0};
};

}  // namespace cmlrec::simulation
