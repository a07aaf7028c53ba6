#include "config/settings.hpp"
#include "config/support.hpp"

#include <gtest/gtest.h>

namespace cmlrec::config {
namespace {

std::string host(std::string_view text) {
  std::string why;
  const auto result = normalise_host(text, why);
  EXPECT_EQ(result.has_value(), why.empty()) << text;
  return result.value_or("refused");
}

TEST(ConfigHost, HttpsIsTakenWithAndWithoutTheScheme) {
  EXPECT_EQ(host("ml.example.com"), "https://ml.example.com");
  EXPECT_EQ(host("https://ml.example.com"), "https://ml.example.com");
  EXPECT_EQ(host("https://ml.example.com/"), "https://ml.example.com");
  EXPECT_EQ(host(" HTTPS://ML.Example.com//\n"), "https://ml.example.com");
}

TEST(ConfigHost, PortIsKept) {
  EXPECT_EQ(host("ml.example.com:8443"), "https://ml.example.com:8443");
  EXPECT_EQ(host("http://localhost:8080/"), "http://localhost:8080");
}

TEST(ConfigHost, PlainHttpIsForLoopbackAlone) {
  EXPECT_EQ(host("http://127.0.0.1:80"), "http://127.0.0.1:80");
  EXPECT_EQ(host("http://127.9.9.9"), "http://127.9.9.9");
  EXPECT_EQ(host("http://[::1]:9000"), "http://[::1]:9000");
  for (const char* far :
       {"http://ml.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com",
        "http://localhost.example.com", "http://[::2]", "http://0.0.0.0"})
    EXPECT_EQ(host(far), "refused") << far;
}

TEST(ConfigHost, AnythingBesideTheHostIsRefused) {
  for (const char* bad : {"",
                          "  ",
                          "https://",
                          "https:///x",
                          "https://h/api",
                          "https://h?x=1",
                          "https://h#x",
                          "https://user@h",
                          "https://user:secret@h",
                          "ftp://h",
                          "https://h:0",
                          "https://h:99999",
                          "https://h:x",
                          "https://h:65536",
                          "https://h:",
                          "two words",
                          "https://-h",
                          "https://h%41",
                          "https://[::1",
                          "h/path"})
    EXPECT_EQ(host(bad), "refused") << bad;
}

TEST(ConfigHost, ReasonDoesNotShowAPassword) {
  std::string why;
  normalise_host("https://user:hunter2@h", why);
  EXPECT_EQ(why.find("hunter2"), std::string::npos);
}

struct key_result {
  std::string key, file, why;
};

key_result key_of(variables values) {
  key_result r;
  r.key = read_api_key(env_of(std::move(values)), r.file, r.why).reveal();
  return r;
}

TEST(ConfigKey, VariableComesFirst) {
  const temporary_directory dir;
  const auto r =
      key_of({{"CML_API_KEY", " abc.def \n"}, {"CML_API_KEY_FILE", dir.write("k", "x")}});
  EXPECT_EQ(r.key, "abc.def");
  EXPECT_EQ(r.file, "");
  EXPECT_EQ(r.why, "");
}

TEST(ConfigKey, FileComesBeforeTheCredential) {
  const temporary_directory dir;
  dir.write("cml_api_key", "credential");
  const auto file = dir.write("k", "from-file\n");
  const auto r = key_of({{"CML_API_KEY_FILE", file}, {"CREDENTIALS_DIRECTORY", dir.path()}});
  EXPECT_EQ(r.key, "from-file");
  EXPECT_EQ(r.file, file);
}

TEST(ConfigKey, CredentialOfSystemdIsTheLast) {
  const temporary_directory dir;
  const auto file = dir.write("cml_api_key", "credential\n");
  const auto r = key_of({{"CREDENTIALS_DIRECTORY", dir.path()}});
  EXPECT_EQ(r.key, "credential");
  EXPECT_EQ(r.file, file);
}

TEST(ConfigKey, MissingKeySaysWhereItCanBe) {
  const temporary_directory dir;
  const auto r = key_of({{"CML_API_KEY", "  "}, {"CREDENTIALS_DIRECTORY", dir.path()}});
  EXPECT_EQ(r.key, "");
  EXPECT_NE(r.why.find("CML_API_KEY_FILE"), std::string::npos);
}

TEST(ConfigKey, UnreadableOrEmptyFileSaysWhich) {
  const temporary_directory dir;
  EXPECT_NE(key_of({{"CML_API_KEY_FILE", dir.path() + "/none"}}).why.find("/none"),
            std::string::npos);
  const auto empty = key_of({{"CML_API_KEY_FILE", dir.write("e", " \n")}});
  EXPECT_EQ(empty.key, "");
  EXPECT_NE(empty.why.find("is empty"), std::string::npos);
}

TEST(ConfigKey, KeyThatCouldAddAHeaderIsRefusedUnseen) {
  const temporary_directory dir;
  const auto r = key_of({{"CML_API_KEY_FILE", dir.write("k", "hunter2\r\nX-Evil: 1")}});
  EXPECT_EQ(r.key, "");
  EXPECT_EQ(r.why.find("hunter2"), std::string::npos);
  EXPECT_NE(r.why, "");
}

}  // namespace
}  // namespace cmlrec::config
