#include "simulator/model.hpp"

#include <stdexcept>

#include <boost/throw_exception.hpp>

namespace cmlrec::simulator {

void throw_exception_from_error(const api_error& e, const boost::source_location& loc) {
  boost::throw_exception(std::logic_error("unexpected refusal: " + e.message), loc);
}

api_error invalid(std::string message) { return {400, 3, std::move(message)}; }
api_error precondition_failed(std::string message) { return {400, 9, std::move(message)}; }
api_error not_found(std::string message) { return {404, 5, std::move(message)}; }
api_error already_exists(std::string message) { return {409, 6, std::move(message)}; }
api_error forbidden(std::string message) { return {403, 7, std::move(message)}; }
api_error unauthenticated(std::string message) { return {401, 16, std::move(message)}; }
api_error internal_error(std::string message) { return {500, 13, std::move(message)}; }

namespace {

std::string text_of(const json::object& fields, std::string_view name) {
  const auto* value = fields.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

std::string job::text(std::string_view field) const { return text_of(fields, field); }

run* job::active() { return const_cast<run*>(static_cast<const job*>(this)->active()); }

const run* job::active() const {
  // A skipped run may follow the active one, so the last is not always it.
  for (auto it = runs.rbegin(); it != runs.rend(); ++it) {
    if (it->phase != run_phase::over) return &*it;
    if (it->status != "ENGINE_SKIPPED") return nullptr;
  }
  return nullptr;
}

const run* job::newest_success() const {
  for (auto it = runs.rbegin(); it != runs.rend(); ++it)
    if (it->status == "ENGINE_SUCCEEDED") return &*it;
  return nullptr;
}

std::string project::name() const { return text_of(fields, "name"); }

bool project::uses_runtimes() const {
  return text_of(fields, "default_engine_type") == "ml_runtime";
}

}  // namespace cmlrec::simulator
