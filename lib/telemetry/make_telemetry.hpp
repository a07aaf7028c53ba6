// make_telemetry() with the two things that it takes from the machine, for tests.
#pragma once

#include "telemetry/log_writer.hpp"
#include "telemetry/telemetry.hpp"

#include <functional>
#include <memory>

namespace cmlrec::telemetry {

using wall_clock = std::function<core::timestamp()>;

std::unique_ptr<telemetry> make_telemetry(options o, line_sink sink, wall_clock now);

}  // namespace cmlrec::telemetry
