#include "cml/answer.hpp"
#include "cml/codec.hpp"
#include "cml/server_words.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

#include <array>

namespace cmlrec::fuzz {
namespace {

constexpr std::array<cml::effect, 4> effects = {cml::effect::reads_one, cml::effect::reads_list,
                                                cml::effect::changes_repeatably,
                                                cml::effect::changes_once};

void check(const core::error& e, const cml::http_answer& answer, cml::effect what) {
  const bool writes = what == cml::effect::changes_once || what == cml::effect::changes_repeatably;
  require(!e.message.empty(), "an error says what is wrong");
  require(!has_control_character(e.message), "an error is one line");
  require(e.message.size() < 2 * cml::longest_message, "an error is short");
  require(!contains(e.message, secret_value), "an error shows no secret");
  require(e.http_status == answer.status, "an error has the status of its answer");
  require(writes || !e.may_have_happened, "a read changes nothing");
  require(e.kind != core::error_kind::internal, "an answer of CML is no bug of ours");
  if (e.retry_after)
    require(*e.retry_after >= core::duration::zero() && *e.retry_after <= std::chrono::minutes{5},
            "a wait is between nothing and five minutes");
}

}  // namespace

void errors(std::string_view bytes) {
  pieces in(bytes);
  cml::http_answer answer;
  const auto what = effects[in.byte() % effects.size()];
  const auto form = in.byte();
  answer.status = static_cast<int>((in.byte() << 8U | in.byte()) % 500) + 100;
  answer.content_type = in.line();
  answer.location = in.line();
  answer.retry_after = in.line();
  answer.date = in.line();
  answer.body = std::string(in.rest());
  // The server may repeat the key anywhere.
  if (form & 1U) answer.body.append(secret_value);
  if (form & 2U) answer.body.insert(0, secret_value);
  if (form & 4U) answer.location.append(secret_value);
  const core::timestamp wall = std::chrono::sys_days{std::chrono::year{2026} / 1 / 2};
  const std::vector<std::string> secrets = {std::string(secret_value)};

  const auto said = cml::server_message(answer.body);
  require(said.size() <= cml::longest_message, "what the server says is cut");
  require(!has_control_character(said), "what the server says is one line");
  if (answer.status < 200 || answer.status > 299) {
    const auto e = cml::classify(answer, what, wall, secrets);
    check(e, answer, what);
    if (answer.status >= 500 && what == cml::effect::changes_once)
      require(e.may_have_happened || e.kind == core::error_kind::credentials,
              "a write that ended in a 5xx may have been done");
    if (e.kind == core::error_kind::not_found)
      require(cml::read_server_words(answer.body).is_json, "only CML itself says 'not found'");
  } else {
    const auto e = cml::unreadable(
        answer, what, {core::error_kind::not_json, "CML's answer cannot be read: it is not JSON"});
    check(e, answer, what);
    if (what == cml::effect::changes_once)
      require(e.may_have_happened, "a write with an unreadable answer may have been done");
  }
}

}  // namespace cmlrec::fuzz
