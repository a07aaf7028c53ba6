// Taking turns on the one thread: nothing may hold the event loop for longer than 10 ms.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cmlrec::reconcile {

// Of work on jobs that is done without a pause. By measurement the dearest, the planner's, takes
// 1 to 2 ms for so many.
inline constexpr std::size_t jobs_per_turn = 250;

// Whatever else is ready comes first.
inline boost::asio::awaitable<void> let_others_go_on() {
  const auto executor = co_await boost::asio::this_coro::executor;
  co_await boost::asio::post(executor, boost::asio::use_awaitable);
}

// Ten thousand objects are not freed in one turn either.
template <class T>
boost::asio::awaitable<void> discard(std::vector<T> all) {
  while (!all.empty()) {
    all.resize(all.size() - std::min(all.size(), jobs_per_turn));
    if (!all.empty()) co_await let_others_go_on();
  }
}

}  // namespace cmlrec::reconcile
