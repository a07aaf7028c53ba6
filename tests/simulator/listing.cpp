#include "simulator/listing.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>

namespace cmlrec::simulator {
namespace {

constexpr long long default_page_size = 10;

std::uint64_t fnv(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

bool names(const std::vector<std::string_view>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// "creator.username" looks into the sub-object.
const json::value* find(const json::object& item, std::string_view path) {
  const auto dot = path.find('.');
  const auto* value = item.if_contains(path.substr(0, dot));
  if (!value || dot == std::string_view::npos) return value;
  return value->is_object() ? find(value->get_object(), path.substr(dot + 1)) : nullptr;
}

std::string text_of(const json::value* v) {
  if (!v) return {};
  return v->is_string() ? std::string(v->get_string()) : json::serialize(*v);
}

using filter = std::vector<std::pair<std::string, std::string>>;

answer<filter> parse_filter(const list_kind& kind, const std::string& text) {
  boost::system::error_code ec;
  const auto parsed = json::parse(text, ec);
  if (ec || !parsed.is_object()) return invalid("search_filter is not a JSON object");
  filter out;
  for (const auto& item : parsed.get_object()) {
    const std::string key(item.key());
    if (!names(kind.filters, key))
      return invalid("search_filter key '" + key + "' is not supported");
    if (!item.value().is_string() && !item.value().is_bool())
      return invalid("search_filter key '" + key + "' must be a string");
    auto wanted = text_of(&item.value());
    if (kind.runs && key == "status") {
      static const std::vector<std::string_view> words = {
          "scheduling", "running", "stopping", "stopped", "succeeded", "failed", "timedout"};
      if (!names(words, wanted)) return invalid("status '" + wanted + "' is not supported");
      std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      wanted = "ENGINE_" + wanted;
    }
    out.emplace_back(key, std::move(wanted));
  }
  return out;
}

struct sort_key {
  std::string name;
  bool descending = false;
};

answer<std::vector<sort_key>> parse_sort(const list_kind& kind, std::string_view text) {
  std::vector<sort_key> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    sort_key key;
    // A plus sign that was not escaped arrives as a blank.
    if (!item.empty() && (item[0] == '-' || item[0] == '+' || item[0] == ' ')) {
      key.descending = item[0] == '-';
      item.remove_prefix(1);
    }
    key.name = std::string(item);
    if (!names(kind.sorts, key.name))
      return invalid("sort key '" + key.name + "' is not supported");
    out.push_back(std::move(key));
  }
  return out;
}

void sort_items(std::vector<json::object>& items, const std::vector<sort_key>& keys) {
  std::stable_sort(items.begin(), items.end(), [&](const json::object& a, const json::object& b) {
    for (const auto& key : keys) {
      const auto left = text_of(find(a, key.name));
      const auto right = text_of(find(b, key.name));
      if (left != right) return key.descending ? right < left : left < right;
    }
    return false;
  });
}

std::string make_token(std::size_t offset, std::uint64_t hash) {
  char out[48];
  std::snprintf(out, sizeof out, "%zx-%016llx", offset, static_cast<unsigned long long>(hash));
  return out;
}

std::optional<std::size_t> read_token(std::string_view token, std::uint64_t hash) {
  const auto dash = token.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::size_t offset = 0;
  const auto [end, ec] = std::from_chars(token.data(), token.data() + dash, offset, 16);
  if (ec != std::errc{} || end != token.data() + dash) return std::nullopt;
  if (make_token(offset, hash) != token) return std::nullopt;
  return offset;
}

const std::vector<std::string_view> job_filters = {
    "creator.email", "creator.name", "creator.username", "description", "kernel",
    "name",          "paused",       "script",           "type"};
const std::vector<std::string_view> job_sorts = {
    "created_at",  "creator.email", "creator.name", "creator.username",
    "description", "kernel",        "name",         "paused",
    "script",      "type",          "updated_at"};

}  // namespace

const list_kind& project_list() {
  static const list_kind kind{
      "projects",
      {"creator.email", "creator.name", "creator.username", "description", "name", "owner.email",
       "owner.name", "owner.username"},
      {"created_at", "creator.email", "creator.name", "creator.username", "description", "name",
       "owner.email", "owner.name", "owner.username", "updated_at"},
      false};
  return kind;
}

const list_kind& job_list() {
  static const list_kind kind{"jobs", job_filters, job_sorts, false};
  return kind;
}

const list_kind& all_jobs_list() {
  static const list_kind kind{"jobs", job_filters, {}, false};
  return kind;
}

const list_kind& run_list() {
  static const list_kind kind = [] {
    list_kind k{"job_runs", job_filters, job_sorts, true};
    k.filters.push_back("status");
    k.filters.push_back("id");
    return k;
  }();
  return kind;
}

const list_kind& runtime_list() {
  static const std::vector<std::string_view> keys = {
      "image_identifier", "editor", "kernel", "edition", "description", "full_version"};
  static const list_kind kind{"runtimes", keys, keys, false};
  return kind;
}

answer<json::object> list_page(const list_kind& kind, std::string_view path,
                               std::vector<json::object> items, const list_query& query,
                               const json::object& fallback) {
  long long size = 0;
  if (query.page_size && !query.page_size->empty()) {
    const auto& text = *query.page_size;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (ec != std::errc{} || end != text.data() + text.size() || size < 0)
      return invalid("type mismatch, parameter: page_size, error: not a count");
  }
  if (size == 0) size = default_page_size;

  const auto sort_text = query.sort.value_or("");
  if (query.sort && kind.sorts.empty()) return invalid("this list takes no sort");
  const auto sort = parse_sort(kind, sort_text);
  if (!sort) return sort.error();
  const auto filter_text = query.search_filter.value_or("");
  if (!filter_text.empty()) {
    const auto wanted = parse_filter(kind, filter_text);
    if (!wanted) return wanted.error();
    std::erase_if(items, [&](const json::object& item) {
      return !std::all_of(wanted->begin(), wanted->end(), [&](const auto& entry) {
        const auto* held = find(item, entry.first);
        if (!held) held = find(fallback, entry.first);
        return text_of(held).find(entry.second) != std::string::npos;
      });
    });
  }
  if (kind.runs && sort_text != "-created_at") {
    // No promise is made about this order, so it is one that nobody can mistake for a promise.
    std::sort(items.begin(), items.end(), [](const json::object& a, const json::object& b) {
      return fnv(text_of(a.if_contains("id"))) < fnv(text_of(b.if_contains("id")));
    });
  } else {
    // Of two objects of one instant the later one is the newer.
    if (kind.runs) std::reverse(items.begin(), items.end());
    sort_items(items, *sort);
  }

  const auto hash =
      fnv(std::string(path) + "\n" + std::to_string(size) + "\n" + filter_text + "\n" + sort_text);
  std::size_t offset = 0;
  if (query.page_token && !query.page_token->empty()) {
    const auto given = read_token(*query.page_token, hash);
    if (!given)
      return invalid("page_token does not belong to this page_size, search_filter and sort");
    offset = *given;
  }
  json::array page;
  const auto last = std::min(items.size(), offset + static_cast<std::size_t>(size));
  for (auto i = offset; i < last; ++i) page.emplace_back(std::move(items[i]));
  json::object out;
  out[kind.key] = std::move(page);
  out["next_page_token"] = last < items.size() ? make_token(last, hash) : std::string();
  return out;
}

}  // namespace cmlrec::simulator
