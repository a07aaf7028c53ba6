#include "cml/http_probe.hpp"

#include "cml/origin.hpp"
#include "cml/server_words.hpp"
#include "cml/tls.hpp"
#include "cml/transport.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <boost/system/system_error.hpp>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;

constexpr std::size_t most_of_a_body = 64U * 1024;

std::string shown(const std::string& url) {
  return one_line(scrub(url.substr(0, url.find_first_of("?#")), {}), longest_message);
}

class http_prober final : public prober {
 public:
  http_prober(asio::any_io_executor executor, core::clock& clock, probe_options options)
      : executor_(std::move(executor)),
        clock_(clock),
        options_(std::move(options)),
        tls_(make_tls_context(options_.ca_file)) {
    if (options_.proxy.empty()) return;
    std::string why;
    proxy_ = parse_proxy(options_.proxy, why);
    if (!proxy_) throw std::runtime_error("the proxy cannot be used: " + why);
  }

  async_result<probe_answer> get(std::string url, core::instant deadline) override {
    core::error trouble;
    std::optional<probe_answer> out;
    try {
      out = co_await fetch(url, deadline, trouble);
    } catch (const boost::system::system_error& e) {
      trouble = e.code() == asio::error::operation_aborted
                    ? core::error(core::error_kind::cancelled, "stopped while it was under way")
                    : core::error(core::error_kind::internal, e.what());
    }
    if (out) co_return std::move(*out);
    trouble.operation = "GET";
    trouble.object = shown(url);
    co_return std::move(trouble);
  }

 private:
  asio::awaitable<std::optional<probe_answer>> fetch(const std::string& url, core::instant deadline,
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
    http_exchange request;
    request.method = "GET";
    request.target = parsed->target;
    request.headers.emplace_back("User-Agent", options_.user_agent);
    request.headers.emplace_back("Accept", "*/*");
    auto result = co_await over->exchange(std::move(request), deadline - now);
    if (!result) {
      trouble = core::error(result.error().kind, result.error().message);
      co_return std::nullopt;
    }
    probe_answer answer;
    answer.status = result->status;
    answer.body = std::move(result->body);
    co_return std::optional<probe_answer>(std::move(answer));
  }

  asio::any_io_executor executor_;
  core::clock& clock_;
  probe_options options_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::optional<proxy_address> proxy_;
};

}  // namespace

std::unique_ptr<prober> make_prober(asio::any_io_executor executor, core::clock& clock,
                                    probe_options options) {
  return std::make_unique<http_prober>(std::move(executor), clock, std::move(options));
}

}  // namespace cmlrec::cml
