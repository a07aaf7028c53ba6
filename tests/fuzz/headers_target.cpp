#include "cml/answer.hpp"
#include "core/time.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

namespace cmlrec::fuzz {

void headers(std::string_view bytes) {
  if (const auto at = core::parse_http_date(bytes)) {
    const auto shown = core::format_http_date(*at);
    require(core::parse_http_date(shown) == at, "a date is read as it was written: " + shown);
  }
  const core::timestamp now = std::chrono::sys_days{std::chrono::year{2026} / 1 / 2};
  const std::string text(bytes);
  const auto wait = cml::parse_retry_after(text, now);
  if (!wait) return;
  require(*wait >= core::duration::zero(), "no wait is negative");
  require(*wait <= std::chrono::minutes{5}, "no wait is longer than five minutes");
  require(!text.empty(), "an empty header asks for nothing");
}

}  // namespace cmlrec::fuzz
