#include "cml/one_shot.hpp"

#include "cml/tls.hpp"

#include <stdexcept>
#include <utility>

#include <boost/system/system_error.hpp>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;

constexpr std::size_t most_of_a_body = 64U * 1024;

}  // namespace

one_shot::one_shot(asio::any_io_executor executor, core::clock& clock, probe_options options)
    : executor_(std::move(executor)),
      clock_(clock),
      options_(std::move(options)),
      tls_(make_tls_context(options_.ca_file)) {
  if (options_.proxy.empty()) return;
  std::string why;
  proxy_ = parse_proxy(options_.proxy, why);
  if (!proxy_) throw std::runtime_error("the proxy cannot be used: " + why);
}

asio::awaitable<std::optional<http_answer>> one_shot::send(std::string url, http_exchange request,
                                                           core::instant deadline,
                                                           core::error& trouble) {
  std::optional<http_answer> out;
  try {
    out = co_await exchange(std::move(url), std::move(request), deadline, trouble);
  } catch (const boost::system::system_error& e) {
    trouble = e.code() == asio::error::operation_aborted
                  ? core::error(core::error_kind::cancelled, "stopped while it was under way")
                  : core::error(core::error_kind::internal, e.what());
  }
  co_return out;
}

asio::awaitable<std::optional<http_answer>> one_shot::exchange(std::string url,
                                                               http_exchange request,
                                                               core::instant deadline,
                                                               core::error& trouble) {
  std::string why;
  const auto parsed = parse_url(url, why);
  if (!parsed) {
    trouble = core::error(core::error_kind::usage, "the URL cannot be used: " + why);
    co_return std::nullopt;
  }
  const auto now = clock_.now();
  if (now >= deadline) {
    trouble = core::error(core::error_kind::timed_out, "not sent: its time was over");
    co_return std::nullopt;
  }
  transport_options to;
  to.to = parsed->at;
  if (!bypasses_proxy(parsed->at, options_.no_proxy)) to.proxy = proxy_;
  to.tls = tls_;
  to.connect_timeout = options_.connect_timeout;
  to.max_body = most_of_a_body;
  to.cut_body = true;
  to.keep_alive = false;
  const auto over = make_transport(executor_, std::move(to));
  request.target = parsed->target;
  request.headers.emplace_back("User-Agent", options_.user_agent);
  auto result = co_await over->exchange(std::move(request), deadline - now);
  if (!result) {
    trouble = core::error(result.error().kind, result.error().message);
    co_return std::nullopt;
  }
  co_return std::optional<http_answer>(std::move(*result));
}

}  // namespace cmlrec::cml
