#include "cml/caller.hpp"

#include "cml/server_words.hpp"

#include <algorithm>
#include <utility>

#include <boost/system/system_error.hpp>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;
using core::error;
using core::error_kind;

// An answer that is not CML's may come from a restart, which passes, or from a wrong address, which
// does not: a few attempts tell enough.
constexpr int most_tries_without_json = 3;
// An attempt that had less time than this says nothing about the workspace when it runs out.
constexpr core::duration fair_attempt = std::chrono::seconds{5};

bool fits_a_header(const std::string& key) {
  return std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

error stopped() { return {error_kind::cancelled, "stopped while it was under way"}; }

asio::awaitable<bool> is_cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

struct caller::progress {
  std::uint64_t number = 0;
  int tries = 0;
  core::secret key;  // of the newest attempt
  bool new_key_tried = false;
  bool permanent = false;  // the newest failure would come again at once
  bool fair = true;        // the newest attempt had time enough
  bool on_the_wire = false;
  bool may_have_happened = false;
  std::optional<error> last;  // of the newest attempt that was made
};

// Makes sure that whoever has asked the circuit also tells it what came of it.
class caller::asked_circuit {
 public:
  asked_circuit(circuit& of, core::instant now) : of_(of), verdict_(of.ask(now)) {}
  ~asked_circuit() {
    if (!settled_) of_.abandoned(verdict_);
  }
  asked_circuit(const asked_circuit&) = delete;
  asked_circuit& operator=(const asked_circuit&) = delete;

  circuit::verdict verdict() const { return verdict_; }
  void settle() { settled_ = true; }

 private:
  circuit& of_;
  circuit::verdict verdict_;
  bool settled_ = false;
};

caller::caller(asio::any_io_executor executor, core::clock& clock, http_options options,
               std::unique_ptr<transport> over, call_observer* observer)
    : clock_(clock),
      options_(std::move(options)),
      transport_(std::move(over)),
      observer_(observer),
      places_(std::make_shared<places>(std::move(executor), std::max(1, options_.max_in_flight))),
      rate_(options_.requests_per_second),
      random_(std::random_device{}()) {}

asio::awaitable<std::optional<error>> caller::run(call what, body_reader& into,
                                                  core::instant deadline) {
  const auto self = shared_from_this();
  progress at;
  at.number = ++calls_;
  std::optional<error> out;
  try {
    out = co_await attempts(what, at, into, deadline);
  } catch (const boost::system::system_error& e) {
    out = e.code() == asio::error::operation_aborted ? stopped()
                                                     : error(error_kind::internal, e.what());
  } catch (const std::exception& e) {
    out = error(error_kind::internal, e.what());
  }
  if (!out) co_return out;
  out->operation = what.operation;
  out->object = what.object;
  out->may_have_happened =
      is_write(what.what) && (at.may_have_happened || at.on_the_wire || out->may_have_happened);
  out->message = scrub(std::move(out->message), secrets_of(what, at));
  co_return out;
}

asio::awaitable<std::optional<error>> caller::attempts(const call& c, progress& at,
                                                       body_reader& into, core::instant deadline) {
  backoff pauses;
  for (;;) {
    auto trouble = co_await attempt(c, at, into, deadline);
    if (!trouble) co_return std::nullopt;
    const bool tried = trouble->kind != error_kind::circuit_open;
    if (!tried) {
      // What went wrong before says more than that the circuit is open since.
      if (!at.last) co_return trouble;
      trouble = at.last;
    }
    if (trouble->kind == error_kind::credentials && take_new_key(at)) continue;
    const bool passes =
        core::is_transient(trouble->kind) && !at.permanent &&
        (trouble->kind != error_kind::not_json || at.tries < most_tries_without_json);
    if (c.what == effect::changes_once || !passes) co_return trouble;

    const auto now = clock_.now();
    auto go_at = now;
    if (tried) {
      const auto jitter = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
      go_at += pauses.next(jitter, trouble->retry_after);
    }
    if (circuit_.stops(go_at)) go_at = std::max(go_at, circuit_.reopens_at(now));
    if (go_at >= deadline) co_return trouble;
    if (observer_ && tried) observer_->on_retry(c.operation, go_at - now, *trouble);
    at.last = std::move(trouble);
    if (!co_await wait_until(go_at)) co_return stopped();
  }
}

asio::awaitable<bool> caller::wait_until(core::instant until) {
  const auto alarm = clock_.make_alarm();
  while (!co_await alarm->wait_until(until))
    if (co_await is_cancelled()) co_return false;
  co_return true;
}

asio::awaitable<std::optional<error>> caller::keep_to_the_rate(core::instant deadline) {
  const auto now = clock_.now();
  const auto go_at = rate_.reserve(now, deadline);
  if (!go_at)
    co_return error(error_kind::timed_out, "not sent: the rate limit leaves no room in time");
  if (*go_at > now) {
    if (!co_await wait_until(*go_at)) co_return stopped();
    if (observer_) observer_->on_rate_limited(*go_at - now);
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<error>> caller::attempt(const call& c, progress& at,
                                                      body_reader& into, core::instant deadline) {
  at.permanent = false;
  if (circuit_.stops(clock_.now())) co_return held_back(clock_.now());
  const auto until =
      std::chrono::steady_clock::now() + std::max(deadline - clock_.now(), core::duration::zero());
  const auto place = co_await places_->take(until);
  if (!place) {
    if (co_await is_cancelled()) co_return stopped();
    co_return error(error_kind::timed_out,
                    "not sent: other requests were in flight for all of its time");
  }
  if (auto trouble = co_await keep_to_the_rate(deadline)) co_return trouble;

  const auto started = clock_.now();
  if (started >= deadline) co_return error(error_kind::timed_out, "not sent: its time was over");
  if (!fits_a_header(options_.api_key.reveal()))
    co_return error(error_kind::credentials,
                    "the API key holds characters that no key has: is it the right file?");
  asked_circuit asked(circuit_, started);
  if (asked.verdict() == circuit::verdict::stop) co_return held_back(started);

  at.key = options_.api_key;
  ++at.tries;
  const auto most = std::min(options_.attempt_timeout, deadline - started);
  at.fair = most >= std::min(fair_attempt, options_.attempt_timeout);
  at.on_the_wire = true;
  auto request = to_exchange(c);
  auto result = co_await transport_->exchange(std::move(request), most);
  at.on_the_wire = false;

  if (observer_)
    observer_->on_attempt(c.operation, result ? result->status : 0, clock_.now() - started);
  std::optional<error> out;
  if (result) {
    if (const auto date = core::parse_http_date(result->date)) {
      server_date_ = *date;
      server_date_at_ = clock_.now();
    }
    out = judge(c, at, into, *result);
  } else {
    const auto& failure = result.error();
    out.emplace(failure.kind, failure.message);
    out->may_have_happened = failure.sent;
    at.permanent = out->permanent = failure.permanent;
  }
  if (out) at.may_have_happened = at.may_have_happened || out->may_have_happened;
  tell_circuit(asked, at, out);
  co_return out;
}

std::optional<error> caller::judge(const call& c, const progress& at, body_reader& into,
                                   const http_answer& answer) const {
  if (answer.status < 200 || answer.status >= 300)
    return classify(answer, c.what, clock_.wall(), secrets_of(c, at));
  if (const auto why = into.read(answer.body)) return unreadable(answer, c.what, *why);
  return std::nullopt;
}

void caller::tell_circuit(asked_circuit& asked, const progress& at, const std::optional<error>& e) {
  const bool silence =
      e && (e->kind == error_kind::unreachable || e->kind == error_kind::timed_out);
  if ((e && e->kind == error_kind::cancelled) || (silence && !at.fair)) return;
  asked.settle();
  if (silence || (e && e->kind == error_kind::server)) {
    auto why = scrub(core::describe(*e), {at.key.reveal()});
    const bool opened = circuit_.failed(clock_.now(), at.number, asked.verdict(), std::move(why));
    if (opened && observer_) observer_->on_circuit(true, circuit_.why());
  } else if (circuit_.succeeded() && observer_) {
    observer_->on_circuit(false, "CML answers again");
  }
}

http_exchange caller::to_exchange(const call& c) const {
  http_exchange out;
  out.method = c.method;
  out.target = c.target;
  out.body = c.body;
  out.repeatable = c.what != effect::changes_once;
  out.headers.emplace_back("User-Agent", options_.user_agent);
  out.headers.emplace_back("Accept", "application/json");
  if (!options_.api_key.empty())
    out.headers.emplace_back("Authorization", "Bearer " + options_.api_key.reveal());
  if (!c.body.empty()) out.headers.emplace_back("Content-Type", "application/json");
  return out;
}

std::vector<std::string> caller::secrets_of(const call& c, const progress& at) const {
  auto out = c.secrets;
  out.push_back(options_.api_key.reveal());
  out.push_back(at.key.reveal());
  // The longest first: a secret that holds another one must go as a whole.
  std::sort(out.begin(), out.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return out;
}

// True: there is another key than the one that was refused, and this call has not had its second
// chance yet.
bool caller::take_new_key(progress& at) {
  if (at.new_key_tried) return false;
  if (options_.api_key == at.key && options_.reread_key) {
    auto key = options_.reread_key();
    if (!key.empty()) options_.api_key = std::move(key);
  }
  at.new_key_tried = true;
  return options_.api_key != at.key;
}

error caller::held_back(core::instant now) const {
  error out(
      error_kind::circuit_open,
      "not sent: CML has failed repeatedly and is left alone for a while; the newest failure: " +
          circuit_.why());
  out.retry_after = circuit_.reopens_at(now) - now;
  return out;
}

core::timestamp caller::server_time() const {
  if (!server_date_) return clock_.wall();
  return *server_date_ + (clock_.now() - server_date_at_);
}

}  // namespace cmlrec::cml
