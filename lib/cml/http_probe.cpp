#include "cml/http_probe.hpp"

#include "cml/one_shot.hpp"
#include "cml/server_words.hpp"

#include <utility>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;

std::string shown(const std::string& url) {
  return one_line(scrub(url.substr(0, url.find_first_of("?#")), {}), longest_message);
}

class http_prober final : public prober {
 public:
  http_prober(asio::any_io_executor executor, core::clock& clock, probe_options options)
      : once_(std::move(executor), clock, std::move(options)) {}

  async_result<probe_answer> get(std::string url, core::instant deadline) override {
    http_exchange request;
    request.method = "GET";
    request.headers.emplace_back("Accept", "*/*");
    core::error trouble;
    auto found = co_await once_.send(url, std::move(request), deadline, trouble);
    if (!found) {
      trouble.operation = "GET";
      trouble.object = shown(url);
      co_return std::move(trouble);
    }
    probe_answer answer;
    answer.status = found->status;
    answer.body = std::move(found->body);
    co_return std::move(answer);
  }

 private:
  one_shot once_;
};

}  // namespace

std::unique_ptr<prober> make_prober(asio::any_io_executor executor, core::clock& clock,
                                    probe_options options) {
  return std::make_unique<http_prober>(std::move(executor), clock, std::move(options));
}

}  // namespace cmlrec::cml
