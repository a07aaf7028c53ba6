// `apply` and `plan`: once, with progress for a person.
#include <exception>
#include <iostream>
#include <random>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "cml/asio_clock.hpp"
#include "daemon/commands.hpp"
#include "daemon/console.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/plan_text.hpp"
#include "daemon/prober.hpp"
#include "daemon/setup.hpp"

namespace cmlrec::daemon {
namespace {

namespace asio = boost::asio;

const char* word_of(reconcile::outcome o) {
  switch (o) {
    case reconcile::outcome::done: return "converged";
    case reconcile::outcome::failed: return "failed";
    case reconcile::outcome::refused: return "refused";
    case reconcile::outcome::unreachable: return "unreachable";
    case reconcile::outcome::stopped: return "stopped";
  }
  return "failed";
}

int code_of(reconcile::outcome o) {
  switch (o) {
    case reconcile::outcome::done: return done;
    case reconcile::outcome::failed: return failed;
    case reconcile::outcome::refused: return refused;
    case reconcile::outcome::unreachable: return unreachable;
    case reconcile::outcome::stopped: return failed;
  }
  return failed;
}

}  // namespace

int apply_once(const config::settings& s, const config::desired_state& desired, bool dry,
               bool json, const std::string& version) {
  auto setup = http_options_of(s, version);
  if (setup.code != 0) {
    std::cerr << "error: " << setup.message << '\n';
    return setup.code;
  }
  asio::io_context io(1);
  const auto clock = cml::make_asio_clock(io.get_executor());
  const auto api = cml::make_http_api(io.get_executor(), *clock, *setup.options, nullptr);
  const auto checks = make_prober(io.get_executor(), *clock, *setup.options);
  console progress(std::cerr, s.log_level, s.audit_file);
  std::unique_ptr<reconcile::state_store> store;
  if (!s.state_dir.empty() && !dry) store = reconcile::open_state_directory(s.state_dir);

  reconcile::options o;
  o.how = dry ? reconcile::mode::dry_run : reconcile::mode::once;
  o.rules = policy_of(s);
  o.call_timeout = s.call_timeout;
  o.most_at_once = static_cast<std::size_t>(s.max_in_flight);
  o.once_timeout = s.apply_timeout;
  o.force = s.force_rebuild;
  std::mt19937_64 generator{std::random_device{}()};
  o.random = [&] { return std::uniform_real_distribution<double>(0.0, 1.0)(generator); };
  reconcile::reconciler loop(io.get_executor(), *clock, *api, *checks, progress, store.get(), o);
  loop.set_desired(desired);

  asio::signal_set signals(io, SIGINT, SIGTERM);
  bool interrupted = false;
  signals.async_wait([&](const boost::system::error_code& ec, int) {
    if (ec) return;
    interrupted = true;
    std::cerr << "stopping after the requests in flight; runs that CML has started go on\n";
    loop.stop();
    signals.async_wait([](const boost::system::error_code& again, int) {
      if (!again) std::_Exit(failed);
    });
  });
  auto outcome = reconcile::outcome::failed;
  asio::co_spawn(io, loop.run(), [&](std::exception_ptr e, reconcile::outcome result) {
    outcome = result;
    signals.cancel();
    io.stop();
    if (e) std::rethrow_exception(e);
  });
  io.run();

  if (dry && outcome != reconcile::outcome::refused && outcome != reconcile::outcome::unreachable) {
    const auto preview = preview_of(desired, loop.plans());
    std::cout << (json ? plan_json(preview) : plan_text(preview));
    return preview.changes() ? would_change : code_of(outcome);
  }
  std::cout << (json ? summary_json(loop.plans(), word_of(outcome)) : summary_text(loop.plans()));
  if (outcome == reconcile::outcome::unreachable)
    std::cerr << "error: CML could not be reached, or it took longer than apply-timeout ("
              << core::format_duration(s.apply_timeout) << ")\n";
  return code_of(outcome);
}

}  // namespace cmlrec::daemon
