#include "cml/transport.hpp"

#include "cml/connection.hpp"
#include "cml/names.hpp"

#include <algorithm>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using std::chrono::steady_clock;

using exchange_result = boost::system::result<http_answer, exchange_failure>;

// Shorter than any common server's keep-alive time, so that it is us who close.
constexpr auto longest_rest = std::chrono::seconds{30};
constexpr std::size_t most_kept = 32;

http_request to_beast(http_exchange& request, const transport_options& options) {
  http_request out;
  out.version(11);
  out.method_string(request.method);
  out.target(request.target);
  out.set(http::field::host, options.to.authority());
  for (const auto& [name, value] : request.headers) out.set(name, value);
  out.keep_alive(options.keep_alive);
  out.body() = std::move(request.body);
  if (!out.body().empty() || request.method == "POST" || request.method == "PATCH")
    out.content_length(out.body().size());
  return out;
}

class pooled_transport final : public transport {
 public:
  pooled_transport(asio::any_io_executor executor, transport_options options)
      : executor_(executor),
        options_(std::move(options)),
        names_(std::make_shared<names>(std::move(executor))) {
    if (!options_.to.tls) options_.proxy.reset();
  }
  ~pooled_transport() override { names_->stop(); }

  asio::awaitable<exchange_result> exchange(http_exchange request, core::duration most) override {
    const auto until = steady_clock::now() + most;
    const bool repeatable = request.repeatable;
    const auto message = to_beast(request, options_);
    if (auto kept = take_kept()) {
      auto out = co_await kept->exchange(message, until);
      if (out.answer || !out.silent || !repeatable)
        co_return finish(std::move(kept), std::move(out));
      // The server has closed it meanwhile, and so most likely the others.
      kept_.clear();
    }
    std::optional<exchange_failure> trouble;
    auto fresh = co_await open(until, trouble);
    if (!fresh) co_return *trouble;
    auto out = co_await fresh->exchange(message, until);
    co_return finish(std::move(fresh), std::move(out));
  }

 private:
  struct kept_connection {
    std::unique_ptr<connection> what;
    steady_clock::time_point since;
  };

  std::unique_ptr<connection> take_kept() {
    const auto oldest = steady_clock::now() - longest_rest;
    kept_.erase(std::remove_if(kept_.begin(), kept_.end(),
                               [&](const kept_connection& k) { return k.since < oldest; }),
                kept_.end());
    while (!kept_.empty()) {
      auto last = std::move(kept_.back().what);
      kept_.pop_back();
      if (last->is_quiet()) return last;
    }
    return nullptr;
  }

  asio::awaitable<std::unique_ptr<connection>> open(steady_clock::time_point until,
                                                    std::optional<exchange_failure>& trouble) {
    const auto connect_until = std::min(until, steady_clock::now() + options_.connect_timeout);
    const auto host = options_.proxy ? options_.proxy->host : options_.to.host;
    const auto port = options_.proxy ? options_.proxy->port : options_.to.port;
    auto found = co_await names_->find(host, port, connect_until);
    if (found.endpoints.empty()) {
      trouble.emplace();
      trouble->message = "the name " + host + " cannot be resolved: " + found.failure;
      co_return nullptr;
    }
    auto out = std::make_unique<connection>(executor_, options_);
    trouble = co_await out->open(std::move(found.endpoints), connect_until);
    if (!trouble) co_return out;
    names_->forget(host);
    co_return nullptr;
  }

  exchange_result finish(std::unique_ptr<connection> used, connection::outcome out) {
    if (!out.answer) return std::move(out.failure);
    if (out.reusable && options_.keep_alive && kept_.size() < most_kept) {
      used->rest();
      kept_.push_back({std::move(used), steady_clock::now()});
    }
    return std::move(*out.answer);
  }

  asio::any_io_executor executor_;
  transport_options options_;
  std::shared_ptr<names> names_;
  std::vector<kept_connection> kept_;
};

}  // namespace

std::unique_ptr<transport> make_transport(asio::any_io_executor executor,
                                          transport_options options) {
  return std::make_unique<pooled_transport>(std::move(executor), std::move(options));
}

}  // namespace cmlrec::cml
