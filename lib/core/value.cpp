#include "core/value.hpp"

#include <array>
#include <charconv>

#include "core/secret.hpp"

namespace cmlrec::core {
namespace {

enum class masking { on, off };

void append_quoted(std::string& out, const text& t, masking mask) {
  if (t.secret && mask == masking::on) {
    out += secret_mask;
    return;
  }
  out += '"';
  for (const char c : t.value) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
  out += '"';
}

std::string number(double d) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d).ptr;
  return {buffer.data(), end};
}

std::string render(const field_value& v, masking mask) {
  struct visitor {
    masking mask;
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::int64_t i) const { return std::to_string(i); }
    std::string operator()(double d) const { return number(d); }
    std::string operator()(const text& t) const {
      std::string out;
      append_quoted(out, t, mask);
      return out;
    }
    std::string operator()(const text_list& list) const {
      std::string out = "[";
      for (const auto& t : list) {
        if (out.size() > 1) out += ", ";
        append_quoted(out, t, mask);
      }
      return out + "]";
    }
    std::string operator()(const text_map& map) const {
      std::string out = "{";
      for (const auto& [key, t] : map) {
        if (out.size() > 1) out += ", ";
        append_quoted(out, key, masking::off);
        out += ": ";
        append_quoted(out, t, mask);
      }
      return out + "}";
    }
    std::string operator()(const recipient_list& list) const {
      std::string out = "[";
      for (const auto& r : list) {
        if (out.size() > 1) out += ", ";
        append_quoted(out, r.email, mask);
        out += " on";
        if (r.on_success) out += " success";
        if (r.on_failure) out += " failure";
        if (r.on_timeout) out += " timeout";
        if (r.on_stop) out += " stop";
      }
      return out + "]";
    }
  };
  return std::visit(visitor{mask}, v);
}

}  // namespace

std::string display(const field_value& v) { return render(v, masking::on); }
std::string canonical(const field_value& v) { return render(v, masking::off); }

bool has_secret(const field_value& v) {
  struct visitor {
    bool operator()(bool) const { return false; }
    bool operator()(std::int64_t) const { return false; }
    bool operator()(double) const { return false; }
    bool operator()(const text& t) const { return t.secret; }
    bool operator()(const text_list& list) const {
      for (const auto& t : list)
        if (t.secret) return true;
      return false;
    }
    bool operator()(const text_map& map) const {
      for (const auto& [key, t] : map)
        if (t.secret) return true;
      return false;
    }
    bool operator()(const recipient_list& list) const {
      for (const auto& r : list)
        if (r.email.secret) return true;
      return false;
    }
  };
  return std::visit(visitor{}, v);
}

}  // namespace cmlrec::core
