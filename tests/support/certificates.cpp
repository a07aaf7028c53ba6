#include "support/certificates.hpp"

#include <atomic>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace cmlrec::test {
namespace {

struct freer {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freer>;
using certificate_ptr = std::unique_ptr<X509, freer>;

key_ptr make_key() { return key_ptr(EVP_EC_gen("P-256")); }

template <class Write>
std::string pem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (!extension) throw std::runtime_error("bad extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

certificate_ptr make_certificate(const std::string& name, EVP_PKEY* key, validity v) {
  static long serial = 1000;
  certificate_ptr out(X509_new());
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), v.from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), v.to_seconds);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return out;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  if (X509_sign(certificate, key, EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
}

struct files_of_this_process {
  ~files_of_this_process() {
    for (const auto& path : paths) std::remove(path.c_str());
  }
  std::vector<std::string> paths;
};

}  // namespace

struct authority::impl {
  key_ptr key = make_key();
  certificate_ptr certificate;
};

authority::authority(const std::string& name) : impl_(std::make_unique<impl>()) {
  impl_->certificate = make_certificate(name, impl_->key.get(), {});
  auto* c = impl_->certificate.get();
  extend(c, c, NID_basic_constraints, "critical,CA:TRUE");
  sign(c, c, impl_->key.get());
}

authority::authority(const authority& parent, const std::string& name)
    : impl_(std::make_unique<impl>()) {
  impl_->certificate = make_certificate(name, impl_->key.get(), {});
  auto* c = impl_->certificate.get();
  extend(c, parent.impl_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  sign(c, parent.impl_->certificate.get(), parent.impl_->key.get());
}

authority::~authority() = default;

std::string authority::certificate() const { return pem_of(impl_->certificate.get()); }

std::shared_ptr<boost::asio::ssl::context> authority::server_for(
    const std::vector<std::string>& names, validity v) const {
  const auto key = make_key();
  const auto certificate = make_certificate(names.at(0), key.get(), v);
  std::string alternatives;
  for (const auto& name : names) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(name, ec);
    alternatives += (alternatives.empty() ? "" : ",") + std::string(ec ? "DNS:" : "IP:") + name;
  }
  extend(certificate.get(), impl_->certificate.get(), NID_subject_alt_name, alternatives);
  sign(certificate.get(), impl_->certificate.get(), impl_->key.get());

  auto out = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  const auto chain = pem_of(certificate.get());
  const auto secret = pem([&](BIO* bio) {
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  out->use_certificate_chain(boost::asio::buffer(chain));
  out->use_private_key(boost::asio::buffer(secret), boost::asio::ssl::context::pem);
  return out;
}

std::string temporary_file(const std::string& name, const std::string& text) {
  static std::atomic<int> number{0};
  static files_of_this_process made;
  const auto path = testing::TempDir() + "cmlrec-" + std::to_string(::getpid()) + "-" +
                    std::to_string(++number) + "-" + name;
  std::ofstream(path) << text;
  made.paths.push_back(path);
  return path;
}

}  // namespace cmlrec::test
