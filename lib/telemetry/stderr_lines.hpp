// Lines to a file descriptor whose reader may be slow or stuck: the event loop must not wait for
// it.
#pragma once

#include "core/time.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace cmlrec::telemetry {

class descriptor_lines {
 public:
  // `patience`: of one line, for a reader that does not take it. The line is dropped then, and so,
  // without waiting, are those after it until the reader takes some again. A descriptor that was
  // left within a line gets a line break first.
  descriptor_lines(int descriptor, core::duration patience);

  // False: the line was dropped.
  bool write(std::string_view line);
  // Lines lost since the last call.
  std::size_t take_dropped();

 private:
  bool writable(core::duration wait) const;
  bool write_all(std::string_view text);

  int descriptor_;
  core::duration patience_;
  std::size_t dropped_ = 0;
  bool stuck_ = false;
  bool within_line_ = false;
};

}  // namespace cmlrec::telemetry
