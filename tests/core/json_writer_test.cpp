#include "core/json_writer.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace cmlrec::core {
namespace {

TEST(JsonWriter, CommasAndColonsComeByThemselves) {
  std::string out;
  json_writer w(out);
  w.begin_object();
  w.key("a");
  w.number(-1);
  w.key("b");
  w.begin_array();
  w.boolean(true);
  w.null();
  w.begin_object();
  w.end_object();
  w.begin_array();
  w.end_array();
  w.text("x");
  w.end_array();
  w.key("c");
  w.text("");
  w.end_object();
  EXPECT_EQ(out, R"({"a":-1,"b":[true,null,{},[],"x"],"c":""})");
}

TEST(JsonWriter, WhatMustBeEscapedIs) {
  std::string out;
  json_writer w(out);
  w.text("a\"b\\c\n\x01\x7fü");
  EXPECT_EQ(boost::json::parse(out).as_string(), "a\"b\\c\n\x01\x7fü");
}

TEST(JsonWriter, WhatIsTakenBackLeavesNoTrace) {
  std::string out;
  json_writer w(out);
  w.begin_object();
  w.key("a");
  w.number(1);
  const auto before = w.here();
  w.key("b");
  w.begin_object();
  w.rewind(before);
  w.key("c");
  w.number(2);
  w.end_object();
  EXPECT_EQ(out, R"({"a":1,"c":2})");
}

}  // namespace
}  // namespace cmlrec::core
