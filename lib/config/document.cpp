#include "config/document.hpp"

#include "config/scalars.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace cmlrec::config {
namespace {

// Aliases let a small text stand for an endless tree: both bounds are far above any real file.
constexpr int deepest = 40;
constexpr int most_nodes = 200'000;

place place_of(const YAML::Mark& mark) {
  if (mark.line < 0) return {};
  return {mark.line + 1, mark.column + 1};
}

bool is_known_tag(const std::string& tag) {
  static constexpr std::array<std::string_view, 9> known = {"",
                                                            "?",
                                                            "!",
                                                            "tag:yaml.org,2002:str",
                                                            "tag:yaml.org,2002:int",
                                                            "tag:yaml.org,2002:float",
                                                            "tag:yaml.org,2002:bool",
                                                            "tag:yaml.org,2002:map",
                                                            "tag:yaml.org,2002:seq"};
  return std::find(known.begin(), known.end(), tag) != known.end();
}

place end_of(std::string_view text) {
  const auto breaks = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  return {breaks + 1, static_cast<int>(text.size() - (text.rfind('\n') + 1)) + 1};
}

// What stands behind the text was put there by with_end_marker: its end is meant.
place within(place end, place at) { return at.line <= end.line ? at : end; }

class converter {
 public:
  // `end`: of the text.
  converter(report& out, place end) : out_(out), end_(end) {}

  node convert(const YAML::Node& source, place fallback, int depth) {
    node result;
    result.at = within(end_, place_of(source.Mark()));
    if (result.at.line == 0) result.at = fallback;
    if (depth > deepest || ++count_ > most_nodes) {
      if (!overflow_)
        out_.error(result.at, "nested too deeply, or too large; is an alias endless?");
      overflow_ = true;
      return result;
    }
    if (!source.IsNull() && !is_known_tag(source.Tag()))
      out_.error(result.at, "the YAML tag '" + source.Tag() +
                                "' is not known; expected a value without a tag");
    switch (source.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        // The mark of a value that is not there is that of whatever comes next.
        if (result.at.line != fallback.line) result.at = fallback;
        break;
      case YAML::NodeType::Scalar:
        result.type = node::kind::scalar;
        result.text = source.Scalar();
        result.plain = source.Tag() == "?";
        break;
      case YAML::NodeType::Sequence:
        result.type = node::kind::list;
        for (const auto& item : source) {
          if (overflow_) break;
          result.items.push_back(convert(item, result.at, depth + 1));
        }
        break;
      case YAML::NodeType::Map:
        convert_map(source, result, depth);
        break;
    }
    return result;
  }

 private:
  void convert_map(const YAML::Node& source, node& result, int depth) {
    result.type = node::kind::map;
    std::vector<entry> merged;
    for (const auto& pair : source) {
      if (overflow_) return;
      const place at = within(end_, place_of(pair.first.Mark()));
      if (!pair.first.IsScalar()) {
        out_.error(at, std::string("a key is ") + (pair.first.IsNull() ? "null" : "not a text") +
                           "; expected a text (put it in quotes if it is one)");
        continue;
      }
      entry e{pair.first.Scalar(), at, convert(pair.second, at, depth + 1)};
      if (e.key == "<<" && pair.first.Tag() == "?") {
        collect_merge(e, merged);
      } else if (const entry* first = result.find(e.key)) {
        out_.error(at, "duplicate key '" + e.key + "'; it stands already in line " +
                           std::to_string(first->at.line));
      } else {
        result.entries.push_back(std::move(e));
      }
    }
    for (auto& e : merged)
      if (result.find(e.key) == nullptr) result.entries.push_back(std::move(e));
  }

  void collect_merge(entry& merge, std::vector<entry>& merged) {
    const auto take = [&](node& from) {
      if (!from.is_map()) {
        out_.error(merge.at, "the merge key '<<' expected a map, or a list of maps, found " +
                                 describe_found(from));
        return;
      }
      std::move(from.entries.begin(), from.entries.end(), std::back_inserter(merged));
    };
    if (merge.value.is_list()) {
      for (auto& item : merge.value.items) take(item);
    } else {
      take(merge.value);
    }
  }

  report& out_;
  place end_;
  int count_ = 0;
  bool overflow_ = false;
};

// Length of the UTF-8 sequence that starts at `i`; 0 where there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned lead = byte(i);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t code = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code = lead & 0x07U;
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  for (std::size_t n = 1; n < length; ++n) {
    if ((byte(i + n) & 0xC0U) != 0x80) return 0;
    code = (code << 6U) | (byte(i + n) & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  return surrogate || overlong || code > 0x10FFFF ? 0 : length;
}

// The YAML library takes some control characters for the end of the text, and lets broken UTF-8
// through to where JSON would be written from it.
bool check_characters(std::string_view text, report& out) {
  place at{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      out.error(at, "a byte is not UTF-8; expected a text in UTF-8");
      return false;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F) {
      out.error(at, "a control character (code " + std::to_string(c) +
                        "); expected a text in YAML without it");
      return false;
    }
    i += length;
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return true;
}

std::string_view text_from(std::string_view text, place at) {
  for (int n = 1; n < at.line; ++n) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(std::min(text.size(), static_cast<std::size_t>(at.column - 1)));
}

bool is_indented_with_tab(std::string_view text, int line) {
  text = text_from(text, {line, 1});
  const auto first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '\t';
}

// The YAML library takes the end of the text for the end of a quoted scalar, and so would swallow
// the rest of a file after a forgotten quote. It does see a document marker in such a scalar.
std::string with_end_marker(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out + "...\n";
}

// Only looks where documents begin.
class document_starts : public YAML::EventHandler {
 public:
  std::vector<place> found;

  void OnDocumentStart(const YAML::Mark& mark) override { found.push_back(place_of(mark)); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// At most two, because a stray comma makes the library find empty documents without end.
std::vector<place> find_documents(const std::string& text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  document_starts starts;
  while (starts.found.size() < 2 && parser.HandleNextDocument(starts)) {
  }
  return starts.found;
}

bool ends_in_quotes(std::string_view text) {
  try {
    find_documents(with_end_marker(text));
  } catch (const YAML::Exception& e) {
    return e.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
  }
  return false;
}

// Where the quote is that is never closed: the first line with which the text ends inside quotes.
place open_quote(std::string_view text) {
  std::vector<std::size_t> starts = {0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') starts.push_back(i + 1);
  starts.push_back(text.size());
  std::size_t good = 0;
  std::size_t bad = starts.size() - 1;
  while (bad - good > 1) {
    const std::size_t middle = (good + bad) / 2;
    (ends_in_quotes(text.substr(0, starts[middle])) ? bad : good) = middle;
  }
  std::string_view line = text.substr(starts[good], starts[bad] - starts[good]);
  std::size_t column = line.find_last_of("\"'");
  for (std::size_t i = line.size(); i-- > 0;)
    if ((line[i] == '"' || line[i] == '\'') &&
        (i == 0 || std::string_view(" \t[{,:").find(line[i - 1]) != std::string_view::npos)) {
      column = i;
      break;
    }
  return {static_cast<int>(bad),
          column == std::string_view::npos ? 1 : static_cast<int>(column) + 1};
}

std::string said_by_library(const YAML::Exception& e) {
  // Of a text (rather than a file) it says this where it has gone as deep as it will.
  return e.msg == YAML::ErrorMsg::BAD_FILE ? "nested too deeply" : e.msg;
}

// Keys and names may hold line breaks, but a finding is one line wherever it is shown.
std::string on_one_line(std::string message) {
  std::replace_if(
      message.begin(), message.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return message;
}

}  // namespace

const entry* node::find(std::string_view key) const {
  for (const auto& e : entries)
    if (e.key == key) return &e;
  return nullptr;
}

std::string describe_found(const node& n) {
  switch (n.type) {
    case node::kind::null:
      return "nothing";
    case node::kind::list:
      return "a list";
    case node::kind::map:
      return "a map";
    case node::kind::scalar:
      break;
  }
  if (n.text.empty()) return "an empty text";
  std::string shown = n.text.substr(0, n.text.find('\n'));
  // A piece of a character is no text: cut before it.
  std::size_t cut = std::min<std::size_t>(shown.size(), 60);
  while (cut < shown.size() && (static_cast<unsigned char>(shown[cut]) & 0xC0U) == 0x80) --cut;
  shown.resize(cut);
  if (shown.size() < n.text.size()) shown += "...";
  if (n.text.find("${") != std::string::npos) return "the value of '" + shown + "'";
  if (n.plain && parse_number(n.text)) return "the number " + shown;
  return "the text '" + shown + "'";
}

void report::error(place at, std::string message) {
  errors_.push_back({file_, at.line, at.column, on_one_line(std::move(message))});
}

void report::warning(place at, std::string message) {
  warnings_.push_back({file_, at.line, at.column, on_one_line(std::move(message))});
}

std::vector<finding> report::sorted(std::vector<finding> list) {
  const auto position = [](const finding& f) { return std::tuple(f.line, f.column); };
  std::stable_sort(list.begin(), list.end(),
                   [&](const finding& a, const finding& b) { return position(a) < position(b); });
  const auto same = [&](const finding& a, const finding& b) {
    return position(a) == position(b) && a.message == b.message;
  };
  list.erase(std::unique(list.begin(), list.end(), same), list.end());
  return list;
}

std::optional<node> parse_document(std::string_view text, report& out) {
  if (!check_characters(text, out)) return std::nullopt;
  try {
    const std::string marked = with_end_marker(text);
    const auto documents = find_documents(marked);
    if (documents.empty()) return node{};
    if (documents.size() > 1) {
      const place at = documents[1].line == 0 ? place{1, 1} : within(end_of(text), documents[1]);
      const std::string_view rest = text_from(text, at);
      if (rest.starts_with("---"))
        out.error(at, "a second YAML document begins; expected one document in a file");
      else
        out.error(at,
                  "not valid YAML: a file neither begins nor goes on like this; expected one "
                  "map in the file");
      return std::nullopt;
    }
    return converter(out, end_of(text)).convert(YAML::Load(marked), {1, 1}, 0);
  } catch (const YAML::Exception& e) {
    if (e.msg == YAML::ErrorMsg::DOC_IN_SCALAR && ends_in_quotes(text)) {
      out.error(open_quote(text),
                "not valid YAML: a quote is not closed; expected another at its end");
      return std::nullopt;
    }
    const place at = within(end_of(text), place_of(e.mark));
    std::string message = "not valid YAML: " + said_by_library(e);
    if (is_indented_with_tab(text, at.line))
      message += "; indent with spaces, not with tabs";
    else if (e.msg == YAML::ErrorMsg::END_OF_MAP || e.msg == YAML::ErrorMsg::END_OF_SEQ)
      message += "; is the line indented as those around it?";
    out.error(at, message);
    return std::nullopt;
  }
}

std::optional<std::string> read_file(const std::string& path, std::size_t most, std::string& why) {
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  if (!std::filesystem::exists(status)) {
    why = ec && ec != std::errc::no_such_file_or_directory ? ec.message() : "there is no such file";
    return std::nullopt;
  }
  if (!std::filesystem::is_regular_file(status)) {
    why = "it is not a regular file";
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    why = std::strerror(errno);
    return std::nullopt;
  }
  std::string content;
  std::array<char, 65536> buffer{};
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
    content.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (content.size() > most) {
      why = "it is larger than " + std::to_string(most / 1024) + " KiB";
      return std::nullopt;
    }
  }
  if (in.bad()) {
    why = "it cannot be read";
    return std::nullopt;
  }
  return content;
}

}  // namespace cmlrec::config
