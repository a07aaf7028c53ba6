#include "daemon/prober.hpp"

#include <utility>

#include "cml/http_probe.hpp"

namespace cmlrec::daemon {
namespace {

namespace asio = boost::asio;

class http_prober final : public reconcile::prober {
 public:
  explicit http_prober(std::unique_ptr<cml::prober> transport) : transport_(std::move(transport)) {}

  asio::awaitable<core::result<bool>> probe(config::http_check check,
                                            core::instant deadline) override {
    auto answer = co_await transport_->get(check.url, deadline);
    if (!answer) co_return answer.error();
    if (answer->status != check.expected_status)
      co_return core::error{core::error_kind::refused,
                            "expected status " + std::to_string(check.expected_status) + ", got " +
                                std::to_string(answer->status)};
    if (answer->body.find(check.body_contains) == std::string::npos)
      co_return core::error{core::error_kind::refused,
                            "the answer does not contain the text that was expected"};
    co_return true;
  }

 private:
  std::unique_ptr<cml::prober> transport_;
};

}  // namespace

cml::probe_options probe_options_of(const cml::http_options& options) {
  cml::probe_options o;
  o.ca_file = options.ca_file;
  o.proxy = options.proxy;
  o.no_proxy = options.no_proxy;
  o.user_agent = options.user_agent;
  return o;
}

std::unique_ptr<reconcile::prober> make_prober(asio::any_io_executor executor, core::clock& clock,
                                               cml::http_options options) {
  return std::make_unique<http_prober>(
      cml::make_prober(std::move(executor), clock, probe_options_of(options)));
}

}  // namespace cmlrec::daemon
