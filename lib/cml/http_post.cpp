#include "cml/http_post.hpp"

#include "cml/answer.hpp"
#include "cml/one_shot.hpp"

#include <utility>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;

class http_poster final : public poster {
 public:
  http_poster(asio::any_io_executor executor, core::clock& clock, probe_options options)
      : clock_(clock), once_(std::move(executor), clock, std::move(options)) {}

  async_result<post_answer> post(core::secret url, std::string body,
                                 core::instant deadline) override {
    http_exchange request;
    request.method = "POST";
    request.repeatable = false;
    request.body = std::move(body);
    request.headers.emplace_back("Accept", "*/*");
    request.headers.emplace_back("Content-Type", "application/json");
    core::error trouble;
    auto found = co_await once_.send(url.reveal(), std::move(request), deadline, trouble);
    if (!found) {
      trouble.operation = "POST";
      trouble.object = "the webhook";
      co_return std::move(trouble);
    }
    post_answer answer;
    answer.status = found->status;
    const auto date = core::parse_http_date(found->date).value_or(clock_.wall());
    answer.retry_after = parse_retry_after(found->retry_after, date);
    co_return std::move(answer);
  }

 private:
  core::clock& clock_;
  one_shot once_;
};

}  // namespace

std::unique_ptr<poster> make_poster(asio::any_io_executor executor, core::clock& clock,
                                    probe_options options) {
  return std::make_unique<http_poster>(std::move(executor), clock, std::move(options));
}

}  // namespace cmlrec::cml
