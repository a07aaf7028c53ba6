#include "cml/names.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr auto keep_for = std::chrono::seconds{60};
// A resolver that fails for a while does not take a workspace away that has been found before.
constexpr auto usable_for = std::chrono::minutes{10};

looked_up with_port(const std::vector<asio::ip::address>& addresses, std::uint16_t port) {
  looked_up out;
  for (const auto& a : addresses) out.endpoints.emplace_back(a, port);
  return out;
}

// Takes a timer out of the list whatever ends the wait.
class waiting_guard {
 public:
  waiting_guard(std::list<asio::steady_timer*>& list, asio::steady_timer& timer)
      : list_(list), place_(list.insert(list.end(), &timer)) {}
  ~waiting_guard() { list_.erase(place_); }
  waiting_guard(const waiting_guard&) = delete;
  waiting_guard& operator=(const waiting_guard&) = delete;

 private:
  std::list<asio::steady_timer*>& list_;
  std::list<asio::steady_timer*>::iterator place_;
};

}  // namespace

names::names(asio::any_io_executor executor) : executor_(executor), resolver_(executor) {}

asio::awaitable<looked_up> names::find(std::string host, std::uint16_t port,
                                       steady_clock::time_point until) {
  const auto self = shared_from_this();
  boost::system::error_code not_an_address;
  const auto literal = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) co_return with_port({literal}, port);

  auto& e = entries_[host];
  const auto now = steady_clock::now();
  if (e.fresh && now - e.found_at < keep_for) co_return with_port(e.addresses, port);
  if (!e.under_way) begin(host, e);
  {
    asio::steady_timer timer(executor_, until);
    const waiting_guard guard(e.waiting, timer);
    while (e.under_way) {
      const auto [ec] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      const auto state = co_await asio::this_coro::cancellation_state;
      if (!ec || state.cancelled() != asio::cancellation_type::none) break;
    }
  }
  const bool usable = !e.addresses.empty() && steady_clock::now() - e.found_at < usable_for;
  if (usable) co_return with_port(e.addresses, port);
  looked_up out;
  out.failure = e.under_way ? "no answer from the resolver in time" : e.failure;
  co_return out;
}

void names::begin(const std::string& host, entry& e) {
  e.under_way = true;
  resolver_.async_resolve(
      host, "", asio::ip::tcp::resolver::numeric_service,
      [self = shared_from_this(), host](const boost::system::error_code& ec,
                                        const asio::ip::tcp::resolver::results_type& results) {
        auto& found = self->entries_[host];
        found.under_way = false;
        found.fresh = !ec;
        found.failure = ec.message();
        if (!ec) {
          found.found_at = steady_clock::now();
          found.addresses.clear();
          for (const auto& r : results) {
            const auto address = r.endpoint().address();
            if (std::find(found.addresses.begin(), found.addresses.end(), address) ==
                found.addresses.end())
              found.addresses.push_back(address);
          }
        }
        for (auto* timer : found.waiting) timer->cancel();
      });
}

void names::forget(const std::string& host) {
  const auto found = entries_.find(host);
  if (found != entries_.end()) found->second.fresh = false;
}

void names::stop() { resolver_.cancel(); }

}  // namespace cmlrec::cml
