/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"

enum { PEM_MAX = 1024 * 1024 };

static void text_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

static void context_free(SSL_CTX **context)
{
	SSL_CTX_free(*context);
}

#define _cleanup_text_ __attribute__((cleanup(text_free)))
#define _cleanup_context_ __attribute__((cleanup(context_free)))

static int file_read(FILE *file, const char *path, char *text, struct error *err)
{
	size_t len = fread(text, 1, PEM_MAX, file);

	if (ferror(file)) /* of a directory, which opens */
		return error_internal(err, "cannot read %s: %s", path, strerror(errno));
	if (len == PEM_MAX)
		return error_internal(err, "%s is too long for a PEM file", path);
	text[len] = '\0';
	return 0;
}

static int pem_read(const char *path, char **ret, struct error *err)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return error_internal(err, "cannot read %s: %s", path, strerror(errno));
	*ret = calloc(1, PEM_MAX);
	int r = *ret ? file_read(file, path, *ret, err) : error_internal(err, "no memory for %s", path);
	fclose(file);
	return r;
}

/* What OpenSSL says of the last failure; the oldest of its errors is the cause. */
static int refuse(const char *path, const char *what, struct error *err)
{
	const char *why = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return error_internal(err, "%s is no %s: %s", path, what, why ? why : "unknown");
}

static void warn_of_its_time(const char *path, const X509 *certificate)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		log_warning("the certificate %s has ended; clients refuse it", path);
	else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		log_warning("the certificate %s is not valid yet; clients refuse it", path);
}

/* Takes both as core does when it binds. */
static int pair_check(const char *certificate_path, const char *key_path, struct error *err)
{
	_cleanup_context_ SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context)
		return error_internal(err, "no memory to check %s", certificate_path);
	/* The empty passphrase keeps OpenSSL from asking a terminal for one. */
	SSL_CTX_set_default_passwd_cb_userdata(context, (void *)"");
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
		return refuse(certificate_path, "certificate chain in PEM", err);
	if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1) {
		if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH)
			return refuse(key_path, "key of the certificate", err);
		return refuse(key_path, "private key in PEM without a passphrase", err);
	}
	warn_of_its_time(certificate_path, SSL_CTX_get0_certificate(context));
	return 0;
}

int tls_credentials(const char *certificate_path, const char *key_path, grpc_server_credentials **ret,
		    struct error *err)
{
	_cleanup_text_ char *chain = NULL, *key = NULL;

	if (!certificate_path || !key_path)
		return error_internal(err, "TLS needs a certificate and a key; only one of them is given");
	int r = pem_read(certificate_path, &chain, err);
	if (r == 0)
		r = pem_read(key_path, &key, err);
	if (r == 0)
		r = pair_check(certificate_path, key_path, err);
	if (r < 0)
		return r;
	grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = chain};
	*ret = grpc_ssl_server_credentials_create_ex(NULL, &pair, 1, GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
						     NULL);
	return *ret ? 0 : error_internal(err, "core refuses %s with %s", certificate_path, key_path);
}
