/* SPDX-License-Identifier: Apache-2.0 */
/* A pair that cannot serve is refused before anything is bound, by the name of the file that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <grpc/grpc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "server/rpc/tls.h"
#include "tests/lib/tls_files.h"

static int make_files(void **state)
{
	static struct tls_files files;

	grpc_init();
	tls_files_make(&files, "localhost");
	*state = &files;
	return 0;
}

static int remove_files(void **state)
{
	tls_files_remove(*state);
	grpc_shutdown();
	return 0;
}

static int try(const char *certificate, const char *key, struct error *err)
{
	grpc_server_credentials *credentials = NULL;
	int r;

	error_clear(err);
	r = tls_credentials(certificate, key, &credentials, err);
	if (r == 0)
		grpc_server_credentials_release(credentials);
	return r;
}

static void assert_refused(const char *certificate, const char *key, const char *culprit, const char *says)
{
	struct error err;

	assert_int_equal(try(certificate, key, &err), -STATUS_INTERNAL);
	if (!strstr(err.message, culprit) || !strstr(err.message, says))
		fail_msg("\"%s\" does not say \"%s\" of %s", err.message, says, culprit);
}

static void test_pair(void **state)
{
	const struct tls_files *f = *state;
	struct error err;

	assert_int_equal(try(f->certificate, f->key, &err), 0);
}

static void test_one_of_two(void **state)
{
	const struct tls_files *f = *state;

	assert_refused(f->certificate, NULL, "", "only one");
	assert_refused(NULL, f->key, "", "only one");
}

static void test_unreadable(void **state)
{
	const struct tls_files *f = *state;

	assert_refused("/nonexistent/cert.pem", f->key, "/nonexistent/cert.pem", "No such file");
	assert_refused(f->certificate, "/nonexistent/key.pem", "/nonexistent/key.pem", "No such file");
	assert_refused(f->dir, f->key, f->dir, "Is a directory");
	assert_refused(f->certificate, "/dev/zero", "/dev/zero", "too long");
}

/* A file beside the pair, with the first `len` bytes of another; its path in `path`. */
static void write_part(const struct tls_files *f, const char *from, size_t len, char path[300])
{
	char text[8192];
	FILE *in = fopen(from, "re"), *out;
	size_t had = fread(text, 1, sizeof(text), in);

	fclose(in);
	snprintf(path, 300, "%s/part.pem", f->dir);
	out = fopen(path, "we");
	fwrite(text, 1, len < had ? len : had, out);
	fclose(out);
}

static void test_no_pem(void **state)
{
	const struct tls_files *f = *state;
	char path[300];

	assert_refused(f->key, f->key, f->key, "no certificate chain in PEM");
	assert_refused(f->certificate, f->certificate, f->certificate, "no private key in PEM");
	assert_refused("/dev/null", f->key, "/dev/null", "no certificate chain in PEM");
	assert_refused(f->certificate, "/dev/null", "/dev/null", "no private key in PEM");
	write_part(f, f->certificate, 200, path);
	assert_refused(path, f->key, path, "no certificate chain in PEM");
	write_part(f, f->key, 100, path);
	assert_refused(f->certificate, path, path, "no private key in PEM");
}

/* OpenSSL would ask the terminal for its passphrase, and the start would wait for ever. */
static void test_key_with_a_passphrase(void **state)
{
	const struct tls_files *f = *state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char path[300];
	FILE *out;

	snprintf(path, sizeof(path), "%s/locked.pem", f->dir);
	out = fopen(path, "we");
	assert_true(PEM_write_PrivateKey(out, key, EVP_aes_128_cbc(), (const unsigned char *)"word", 4, NULL,
					 NULL));
	fclose(out);
	EVP_PKEY_free(key);
	assert_refused(f->certificate, path, path, "without a passphrase");
}

static void test_no_pair(void **state)
{
	const struct tls_files *f = *state;
	struct tls_files other;

	tls_files_make(&other, "localhost");
	assert_refused(f->certificate, other.key, other.key, "no key of the certificate");
	tls_files_remove(&other);
}

/* The log may be written by another thread: looks for up to five seconds. */
static bool comes(FILE *file, const char *text)
{
	char out[1024];

	for (int i = 0; i < 500; i++) {
		rewind(file);
		out[fread(out, 1, sizeof(out) - 1, file)] = '\0';
		if (strstr(out, text))
			return true;
		usleep(10000);
	}
	return false;
}

/* It can still be served: to a client that does not look, and until it is exchanged. */
static void test_ended_is_warned_about(void **state)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO), r;
	struct tls_files old;
	struct error err;
	bool warned;

	tls_files_make_until(&old, "localhost", -60);
	dup2(fileno(file), STDERR_FILENO);
	r = try(old.certificate, old.key, &err);
	warned = comes(file, "has ended");
	dup2(saved, STDERR_FILENO);
	close(saved);
	fclose(file);
	tls_files_remove(&old);
	assert_int_equal(r, 0);
	assert_true(warned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_one_of_two),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_no_pem),
		cmocka_unit_test(test_key_with_a_passphrase),
		cmocka_unit_test(test_no_pair),
		cmocka_unit_test(test_ended_is_warned_about),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
