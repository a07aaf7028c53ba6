#include "config/project_reader.hpp"
#include "config/suggest.hpp"

#include <algorithm>
#include <array>

#include <boost/url/parse.hpp>

namespace cmlrec::config {
namespace {

using type = core::field_type;

const std::array<check_key, 7> known_keys = {
    {{{"job"}, type::job_key, "Key of a job whose own run is the check."},
     {{"http", "url"}, type::string, "URL that is asked."},
     {{"status", "expected_status"}, type::integer, "Status that is expected; 200 by default."},
     {{"body", "body_contains"}, type::string, "Text that the answer has to contain."},
     {{"timeout"}, type::time_span, "How long one request may take; 10s by default."},
     {{"retries"}, type::integer, "How often it is tried again; 3 by default."},
     {{"name"}, type::string, "What the check is called."}}};

class check_reader {
 public:
  check_reader(const reading& r, const std::vector<job_draft>& jobs) : r_(r) {
    for (const auto& job : jobs) keys_.emplace_back(job.spec.key);
  }

  std::optional<check_spec> read(const node& n, std::size_t number) {
    if (n.is_scalar()) {
      const auto key = job(n);
      if (!key) return std::nullopt;
      return check_spec{*key, *key};
    }
    if (!n.is_map()) {
      wrong_type(r_, n, "verify", "the key of a job, or a map with 'job' or 'http'");
      return std::nullopt;
    }
    std::vector<std::string_view> known;
    for (const auto& k : known_keys) known.insert(known.end(), k.names.begin(), k.names.end());
    check_keys(r_, n, "in a check of 'verify'", known);
    refuse_two_spellings(n);
    const entry* job_entry = find(n, 0);
    const entry* url_entry = find(n, 1);
    if ((job_entry == nullptr) == (url_entry == nullptr)) {
      r_.out.error(n.at, std::string("verify: the check has ") +
                             (job_entry == nullptr ? "no job and no URL" : "a job and a URL") +
                             "; expected either 'job' or 'http'");
      return std::nullopt;
    }
    check_spec check;
    if (job_entry != nullptr) {
      refuse_request_keys(n);
      const auto key = job(job_entry->value);
      if (!key) return std::nullopt;
      check.what = *key;
      check.name = *key;
    } else {
      auto request = read_request(n, *url_entry, check.name, number);
      if (!request) return std::nullopt;
      check.what = std::move(*request);
    }
    if (const entry* e = find(n, 6))
      if (const auto name = read_text(r_, e->value, "name", "a text"); name && !name->value.empty())
        check.name = name->secret ? "check " + std::to_string(number) : name->value;
    return check;
  }

 private:
  // By the place in the table, under any of its names; null where it is not given.
  static const entry* find(const node& n, std::size_t row) {
    for (const auto name : known_keys[row].names) {
      const entry* e = n.find(name);
      if (e != nullptr && !e->value.is_null()) return e;
    }
    return nullptr;
  }

  std::optional<std::string> job(const node& n) {
    const auto key = read_text(r_, n, "verify", "the key of a job");
    if (!key) return std::nullopt;
    if (std::find(keys_.begin(), keys_.end(), key->value) != keys_.end()) return key->value;
    r_.out.error(n.at, "verify: unknown job '" + n.text + "'; " + suggestion(n.text, keys_));
    return std::nullopt;
  }

  void refuse_two_spellings(const node& n) {
    for (const auto& k : known_keys) {
      const entry* first = nullptr;
      for (const auto& e : n.entries) {
        if (std::find(k.names.begin(), k.names.end(), e.key) == k.names.end()) continue;
        if (first != nullptr)
          r_.out.error(e.at, "verify: '" + e.key + "' and '" + first->key +
                                 "' are two names of one thing; expected one of them");
        first = &e;
      }
    }
  }

  void refuse_request_keys(const node& n) {
    for (std::size_t row = 2; row < 6; ++row)
      if (const entry* e = find(n, row))
        r_.out.error(e->at, "verify: '" + e->key +
                                "' is of an HTTP request, but the check is a job; "
                                "expected 'job' alone");
  }

  std::optional<http_check> read_request(const node& n, const entry& url, std::string& name,
                                         std::size_t number) {
    http_check check;
    const auto text = read_text(r_, url.value, url.key, "a URL");
    if (!text) return std::nullopt;
    const auto parsed = boost::urls::parse_uri(text->value);
    if (!parsed || (parsed->scheme() != "http" && parsed->scheme() != "https") ||
        parsed->host().empty()) {
      wrong_type(r_, url.value, url.key, "a URL such as https://host/path");
      return std::nullopt;
    }
    check.url = text->value;
    // The name is shown wherever the check is: without what may be secret in the URL.
    const bool hidden = text->secret || parsed->has_userinfo() || parsed->has_query();
    name = hidden ? "check " + std::to_string(number) : text->value;
    if (const entry* e = find(n, 2))
      if (const auto i = read_integer(r_, e->value, e->key, "an HTTP status", 100, 599))
        check.expected_status = static_cast<int>(*i);
    if (const entry* e = find(n, 3))
      if (const auto body = read_text(r_, e->value, e->key, "a text"))
        check.body_contains = body->value;
    if (const entry* e = find(n, 4))
      if (const auto d = read_duration(r_, e->value, e->key)) {
        if (*d <= core::duration{0})
          r_.out.error(e->value.at, "timeout: it is zero; expected a duration such as 10s");
        check.timeout = *d;
      }
    if (const entry* e = find(n, 5))
      if (const auto i = read_integer(r_, e->value, e->key, "a whole number", 0, 100))
        check.retries = static_cast<int>(*i);
    return check;
  }

  const reading& r_;
  std::vector<std::string_view> keys_;
};

}  // namespace

std::vector<check_spec> read_verify(const reading& r, const node& n,
                                    const std::vector<job_draft>& jobs) {
  std::vector<check_spec> checks;
  if (!n.is_list()) {
    wrong_type(r, n, "verify", "a list of checks");
    return checks;
  }
  check_reader reader(r, jobs);
  for (const auto& item : n.items)
    if (auto check = reader.read(item, checks.size() + 1)) checks.push_back(std::move(*check));
  return checks;
}

std::span<const check_key> check_keys_table() { return known_keys; }

}  // namespace cmlrec::config
