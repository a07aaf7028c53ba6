// cml-simulator: wires the parts together.
#include "simulator/front.hpp"
#include "simulator/options.hpp"
#include "simulator/service.hpp"
#include "simulator/virtual_clock.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>

namespace {

using namespace cmlrec;

int complain(const std::string& what) {
  std::fprintf(stderr, "cml-simulator: %s\n", what.c_str());
  return 1;
}

int run(simulator::options o) {
  namespace asio = boost::asio;
  const auto steady = [] {
    return std::chrono::duration_cast<core::duration>(
        std::chrono::steady_clock::now().time_since_epoch());
  };
  const auto start = std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
  simulator::virtual_clock clock(start, o.speed, steady);
  simulator::service service(o.how, o.key, clock, std::move(o.faults));

  bool fresh = true;
  if (!o.state_path.empty()) {
    if (const auto problem = service.use_state_file(o.state_path, fresh)) return complain(*problem);
  }
  // What the script puts there is in a saved state already.
  if (fresh)
    if (const auto problem = service.add_initial(o.initial))
      return complain("script file: " + *problem);
  service.schedule(std::move(o.actions));

  boost::system::error_code ec;
  const auto address = asio::ip::make_address(o.address, ec);
  if (ec) return complain("--listen: '" + o.address + "' is not an address; use 127.0.0.1:PORT");
  asio::io_context io(1);
  simulator::front front(io, service, {core::duration{o.latency_ms}, o.verbose});
  asio::ip::tcp::endpoint bound;
  try {
    bound = front.listen({address, o.port});
  } catch (const boost::system::system_error& e) {
    const auto place = o.address + ":" + std::to_string(o.port);
    if (e.code() == asio::error::address_in_use)
      return complain(place + " is in use; choose another port with --listen, or 0 for any");
    return complain("cannot listen on " + place + ": " + e.code().message() +
                    "; choose another with --listen");
  }

  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code&, int) {
    front.close();
    io.stop();
  });
  const auto host = bound.address().is_v6() ? "[" + bound.address().to_string() + "]"
                                            : bound.address().to_string();
  std::printf("cml-simulator: listening on http://%s:%d, key %s, speed %g\n", host.c_str(),
              static_cast<int>(bound.port()), o.key.c_str(), o.speed);
  std::fflush(stdout);
  io.run();
  service.advance();
  if (const auto problem = service.save_state()) return complain(*problem);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  auto parsed = simulator::parse_options(argc, argv);
  if (parsed.exit_code) return *parsed.exit_code;
  try {
    return run(std::move(parsed.given));
  } catch (const std::exception& e) {
    return complain(e.what());
  }
}
