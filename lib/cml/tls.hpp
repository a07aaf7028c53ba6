// TLS as the client wants it, and its failures in words that say what to do.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <openssl/x509_vfy.h>

namespace cmlrec::cml {

// At least TLS 1.2, the system's authorities and those of `ca_file` (PEM; may be empty). Throws
// std::runtime_error with a message for people where that file is unusable.
std::shared_ptr<boost::asio::ssl::context> make_tls_context(const std::string& ca_file);

// Why a certificate was not accepted, noted while it is at hand.
struct certificate_trouble {
  int code = 0;  // X509_V_ERR_...; 0: none
  std::string names;
  std::string issuer;
  std::string valid_from;
  std::string valid_until;
};
void note_trouble(certificate_trouble& into, X509_STORE_CTX* context);
std::string explain(const certificate_trouble& trouble, const std::string& host);

// What is to be done where a handshake failed before there was a certificate to look at: "; ...", or
// nothing where that cannot be told from the error.
std::string advice(const boost::system::error_code& failed);

// Server name indication, and the name or address that the certificate must hold. False: the host
// cannot be used for TLS.
bool expect_host(SSL* ssl, const std::string& host);

}  // namespace cmlrec::cml
