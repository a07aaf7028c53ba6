#include "cml/server_words.hpp"

#include "cml/codec.hpp"
#include "core/secret.hpp"

#include <boost/json.hpp>

namespace cmlrec::cml {
namespace {

namespace json = boost::json;

// Text without tags, so that a gateway's page shows its words and not its markup.
std::string without_tags(std::string_view html) {
  std::string out;
  bool inside = false;
  for (const char c : html) {
    if (c == '<') inside = true;
    if (!inside) out += c;
    if (c == '>' && inside) {
      inside = false;
      out += ' ';
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// "https://user:password@host" -> "https://********@host"
void mask_url_users(std::string& text) {
  constexpr std::string_view marker = "://";
  for (auto at = text.find(marker); at != std::string::npos; at = text.find(marker, at)) {
    at += marker.size();
    const auto end = text.find_first_of("/?# \t\r\n\"'<>", at);
    const auto authority = std::string_view(text).substr(at, end - at);
    const auto user = authority.rfind('@');
    if (user != std::string_view::npos) text.replace(at, user, core::secret_mask);
  }
}

}  // namespace

server_words read_server_words(std::string_view body) {
  server_words out;
  json::error_code ec;
  const auto document = json::parse(body, ec);
  if (ec || !document.is_object()) {
    // A gateway's page says enough in its beginning.
    out.message = without_tags(body.substr(0, 4096));
    return out;
  }
  out.is_json = true;
  const auto& o = document.get_object();
  if (const auto* code = o.if_contains("code"); code && code->is_int64())
    out.code = static_cast<int>(code->get_int64());
  for (const char* name : {"message", "error"}) {
    const auto* words = o.if_contains(name);
    if (!words || !words->is_string() || words->get_string().empty()) continue;
    out.message.assign(words->get_string().data(), words->get_string().size());
    return out;
  }
  out.message = std::string(body);
  return out;
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (out.size() <= most) return out;
  constexpr std::string_view dots = "...";
  auto cut = most - dots.size();
  while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0U) == 0x80U) --cut;
  out.resize(cut);
  return out.append(dots);
}

std::string scrub(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::size_t shortest = 4;  // less would mask ordinary words, and hides nothing
  for (const auto& s : secrets)
    if (s.size() >= shortest) replace_all(text, s, core::secret_mask);
  mask_url_users(text);
  return text;
}

std::string server_message(std::string_view body) {
  return one_line(scrub(read_server_words(body).message, {}), longest_message);
}

}  // namespace cmlrec::cml
