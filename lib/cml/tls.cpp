#include "cml/tls.hpp"

#include "cml/origin.hpp"
#include "cml/server_words.hpp"

#include <array>
#include <stdexcept>
#include <string_view>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/verify_mode.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace cmlrec::cml {
namespace {

namespace asio = boost::asio;

constexpr std::size_t longest_name = 100;

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

std::string time_text(const ASN1_TIME* at) {
  auto* bio = BIO_new(BIO_s_mem());
  ASN1_TIME_print(bio, at);
  return bio_text(bio);
}

std::string common_name(const X509_NAME* name) {
  std::array<char, 256> buffer{};
  const auto size = X509_NAME_get_text_by_NID(name, NID_commonName, buffer.data(), buffer.size());
  if (size > 0) return one_line({buffer.data(), static_cast<std::size_t>(size)}, longest_name);
  auto* bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE);
  return one_line(bio_text(bio), longest_name);
}

std::string address_text(const ASN1_OCTET_STRING* ip) {
  const auto* bytes = ASN1_STRING_get0_data(ip);
  if (ASN1_STRING_length(ip) == 4) {
    asio::ip::address_v4::bytes_type v4{};
    std::copy_n(bytes, v4.size(), v4.begin());
    return asio::ip::address_v4(v4).to_string();
  }
  if (ASN1_STRING_length(ip) == 16) {
    asio::ip::address_v6::bytes_type v6{};
    std::copy_n(bytes, v6.size(), v6.begin());
    return asio::ip::address_v6(v6).to_string();
  }
  return {};
}

std::string names_of(X509* certificate) {
  constexpr int most = 5;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (!names) return common_name(X509_get_subject_name(certificate));
  std::string out;
  int shown = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    std::string text;
    if (name->type == GEN_DNS)
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    else if (name->type == GEN_IPADD)
      text = address_text(name->d.iPAddress);
    if (text.empty()) continue;
    if (shown++ == most) {
      out += ", ...";
      break;
    }
    if (!out.empty()) out += ", ";
    out += one_line(text, longest_name);
  }
  GENERAL_NAMES_free(names);
  return out;
}

}  // namespace

std::shared_ptr<asio::ssl::context> make_tls_context(const std::string& ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  auto* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  boost::system::error_code ec;
  // Without a system store the CA file may still be enough: an unknown authority says so later.
  context->set_default_verify_paths(ec);
  if (!ca_file.empty()) {
    context->load_verify_file(ca_file, ec);
    if (ec)
      throw std::runtime_error("the CA file " + ca_file + " cannot be used (" + ec.message() +
                               "): expected a readable file of PEM certificates");
  }
  context->set_verify_mode(asio::ssl::verify_peer);
  // Who names an intermediate, or the server's own certificate, in the CA file trusts it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(native), X509_V_FLAG_PARTIAL_CHAIN);
  constexpr std::array<unsigned char, 9> http_1_1 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(native, http_1_1.data(), http_1_1.size());
  return context;
}

void note_trouble(certificate_trouble& into, X509_STORE_CTX* context) {
  into.code = X509_STORE_CTX_get_error(context);
  auto* current = X509_STORE_CTX_get_current_cert(context);
  if (!current) current = X509_STORE_CTX_get0_cert(context);
  if (!current) return;
  into.names = names_of(current);
  into.issuer = common_name(X509_get_issuer_name(current));
  into.valid_from = time_text(X509_get0_notBefore(current));
  into.valid_until = time_text(X509_get0_notAfter(current));
}

std::string explain(const certificate_trouble& t, const std::string& host) {
  const std::string whose = "the certificate of " + host;
  switch (t.code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return whose + " is made out for " + (t.names.empty() ? "no name at all" : t.names) +
             ": use a host name that it holds";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose + " has expired: that for " + t.names + " was valid until " + t.valid_until +
             ", renew it";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose + " is not valid yet: that for " + t.names + " begins at " + t.valid_from +
             "; is the clock of this machine right?";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return whose + " comes from an authority that is not known here (" + t.issuer +
             "): give its certificates, the intermediate ones included, with --ca-file";
    default:
      return whose + " was not accepted: " + X509_verify_cert_error_string(t.code) +
             "; where an authority of your own has signed it, give its certificates with --ca-file";
  }
}

std::string advice(const boost::system::error_code& ec) {
  if (ec.category() != asio::error::get_ssl_category()) return {};
  switch (ERR_GET_REASON(static_cast<unsigned long>(ec.value()))) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_WRONG_SSL_VERSION:
      return "; TLS 1.2 or newer is needed: enable it on the server";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return "; what answers does not speak TLS: is it http:// or another port?";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "; the server refused the handshake: it may want a client certificate, or has no cipher "
             "in common with this client";
    default:
      return {};
  }
}

bool expect_host(SSL* ssl, const std::string& host) {
  if (is_ip_address(host))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

}  // namespace cmlrec::cml
