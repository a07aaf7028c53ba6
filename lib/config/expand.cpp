#include "config/expand.hpp"

namespace cmlrec::config {
namespace {

bool is_name_start(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

class expander {
 public:
  expander(std::string_view text, const environment& env) : rest_(text), env_(env) {}

  expanded run() {
    expanded result;
    result.value = until_end(false, true);
    result.errors = std::move(errors_);
    return result;
  }

 private:
  // Up to the end of the text or, inside a default, up to the brace that closes it. `used`: whether
  // the result is wanted, so that variables missing in a default that is not taken are no error.
  core::text until_end(bool inside, bool used) {
    core::text out;
    while (!rest_.empty()) {
      if (inside && rest_.front() == '}') {
        rest_.remove_prefix(1);
        return out;
      }
      if (rest_.starts_with("$$")) {
        out.value += '$';
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("${")) {
        const core::text value = variable(used);
        out.value += value.value;
        out.secret = out.secret || value.secret;
      } else {
        out.value += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    if (inside) unterminated();
    return out;
  }

  core::text variable(bool used) {
    rest_.remove_prefix(2);
    std::size_t length = 0;
    if (!rest_.empty() && is_name_start(rest_.front()))
      while (length < rest_.size() && is_name_part(rest_[length])) ++length;
    const std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    if (rest_.empty()) {
      unterminated();
      return {};
    }
    const bool has_default = rest_.starts_with(":-");
    if (has_default && ++depth_ > deepest) {
      errors_.push_back("defaults are nested too deeply; expected at most " +
                        std::to_string(deepest));
      rest_ = {};
      unterminated_ = true;
      return {};
    }
    if (name.empty() || (!has_default && rest_.front() != '}')) {
      errors_.push_back("'${" + name + std::string(rest_.substr(0, rest_.find('}'))) +
                        "}' is not understood; expected ${NAME} or ${NAME:-default}, and $$ for a "
                        "dollar");
      const auto end = rest_.find('}');
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      return {};
    }
    rest_.remove_prefix(has_default ? 2 : 1);
    const auto found = env_ ? env_(name) : std::nullopt;
    const bool take_default = has_default && (!found || found->empty());
    core::text fallback;
    if (has_default) {
      fallback = until_end(true, used && take_default);
      --depth_;
    }
    if (take_default) return fallback;
    if (found) return {*found, true};
    if (used)
      errors_.push_back("the environment variable " + name + " is not set; set it, or write ${" +
                        name + ":-default}");
    return {};
  }

  void unterminated() {
    if (!unterminated_) errors_.push_back("'${' is not closed; expected a '}' after it");
    unterminated_ = true;
  }

  std::string_view rest_;
  const environment& env_;
  std::vector<std::string> errors_;
  static constexpr int deepest = 20;
  int depth_ = 0;
  bool unterminated_ = false;
};

}  // namespace

expanded expand(std::string_view raw, const environment& env) { return expander(raw, env).run(); }

}  // namespace cmlrec::config
