#!/usr/bin/env python3
"""Makes a C++ source of the page's files: embed.py OUTPUT FILE...; each as it is, compressed, and with a
tag of its content."""
import gzip
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def literal(data):
    lines = [data[i:i + 20] for i in range(0, len(data), 20)]
    return "\n".join("    " + "".join(f"{byte}," for byte in line) for line in lines)


def main():
    output, files = pathlib.Path(sys.argv[1]), [pathlib.Path(f) for f in sys.argv[2:]]
    arrays, rows = [], []
    for n, file in enumerate(sorted(files)):
        plain = file.read_bytes()
        packed = gzip.compress(plain, 9, mtime=0)
        arrays.append(f"constexpr unsigned char plain_{n}[] = {{\n{literal(plain)}\n}};\n"
                      f"constexpr unsigned char packed_{n}[] = {{\n{literal(packed)}\n}};\n")
        path = "/" if file.name == "index.html" else f"/assets/{file.name}"
        rows.append(f'    {{"{path}", "{TYPES[file.suffix]}", "{hashlib.sha256(plain).hexdigest()[:20]}",\n'
                    f"     view(plain_{n}), view(packed_{n})}},\n")
    output.write_text("""#include "daemon/page.hpp"

namespace cmlrec::daemon {
namespace {

""" + "\n".join(arrays) + """
template <std::size_t N>
std::string_view view(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::vector<page_asset> page_assets() {
  return {
""" + "".join(rows) + """  };
}

}  // namespace cmlrec::daemon
""")


main()
