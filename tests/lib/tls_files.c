/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/tls_files.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void certificate_name(X509 *x, const char *dns_name)
{
	X509_NAME *name = X509_get_subject_name(x);
	char alternative[256];

	check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)dns_name, -1, -1,
					 0));
	check(X509_set_issuer_name(x, name));
	snprintf(alternative, sizeof(alternative), "DNS:%s", dns_name);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
	check(extension && X509_add_ext(x, extension, -1));
	X509_EXTENSION_free(extension);
}

static void file_write(const char *path, X509 *x, EVP_PKEY *key)
{
	FILE *out = fopen(path, "w");

	check(out);
	check(x ? PEM_write_X509(out, x) : PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL));
	check(fclose(out) == 0);
}

void tls_files_make(struct tls_files *f, const char *dns_name)
{
	tls_files_make_until(f, dns_name, 86400);
}

void tls_files_make_until(struct tls_files *f, const char *dns_name, long seconds)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	check(key && x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(x), seconds);
	certificate_name(x, dns_name);
	check(X509_set_pubkey(x, key) && X509_sign(x, key, EVP_sha256()));
	temp_dir_make(f->dir);
	snprintf(f->certificate, sizeof(f->certificate), "%s/cert.pem", f->dir);
	snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
	file_write(f->certificate, x, NULL);
	file_write(f->key, NULL, key);
	X509_free(x);
	EVP_PKEY_free(key);
}

void tls_files_remove(struct tls_files *f)
{
	temp_dir_remove(f->dir);
}
