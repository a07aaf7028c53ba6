#include "config/expand.hpp"
#include "fuzz/support.hpp"
#include "fuzz/targets.hpp"

namespace cmlrec::fuzz {

void expansion(std::string_view bytes) {
  const config::environment env = variable;
  const auto out = config::expand(bytes, env);
  for (const auto& e : out.errors) {
    require(!e.empty(), "an error says what is wrong");
    require(holds_piece_of_secret(bytes) || !contains(e, secret_value), "an error shows no secret");
  }
  if (contains(out.value.value, secret_value) && !holds_piece_of_secret(bytes))
    require(out.value.secret, "what came from the environment is a secret");
  if (!contains(bytes, "$")) {
    require(out.value.value == bytes && out.errors.empty(), "a text without a dollar is itself");
    require(!out.value.secret, "a text without a dollar is no secret");
  }
  if (!contains(bytes, "${")) require(!out.value.secret, "only ${} makes a secret");

  std::string escaped;
  for (const char c : bytes) escaped.append(c == '$' ? 2U : 1U, c);
  const auto again = config::expand(escaped, env);
  require(again.value.value == bytes && again.errors.empty() && !again.value.secret,
          "a text whose dollars are doubled is taken as it was");
}

}  // namespace cmlrec::fuzz
