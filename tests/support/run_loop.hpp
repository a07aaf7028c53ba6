// Runs one coroutine to its end on an event loop, and fails rather than hang.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace cmlrec::test {

inline constexpr std::chrono::seconds patience{10};

// Runs the loop until `done`, at most for `patience`. False: in vain.
inline bool run_until(boost::asio::io_context& loop, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!done() && std::chrono::steady_clock::now() < until) {
    if (loop.stopped()) loop.restart();
    loop.run_one_until(until);
  }
  return done();
}

template <class T>
T run(boost::asio::io_context& loop, boost::asio::awaitable<T> what) {
  std::optional<T> out;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, std::move(what), [&](std::exception_ptr e, T value) {
    thrown = e;
    out.emplace(std::move(value));
  });
  if (!run_until(loop, [&] { return out.has_value(); }))
    throw std::runtime_error("the coroutine did not end");
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*out);
}

}  // namespace cmlrec::test
