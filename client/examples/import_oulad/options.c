/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examples/import_oulad/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "proto/runtime/array.h"

enum { WORKERS = 16, IN_FLIGHT = 256 };

static const char help[] =
	"Usage: import_oulad DIR --presentation MODULE/PRESENTATION --subject NAME --user NAME\n"
	"                    --password-file FILE --learner-secret-file FILE [flags]\n"
	"\n"
	"Imports one presentation of the Open University Learning Analytics Dataset (OULAD) into\n"
	"EduService, over its API alone. DIR holds courses.csv, vle.csv, studentInfo.csv,\n"
	"studentRegistration.csv, studentVle.csv.\n"
	"\n"
	"  the presentation              a course, external_id oulad-AAA-2013J, published at --price\n"
	"  a material of vle.csv         a lesson, external_id its id_site; EXERCISE for quiz, LIVE for\n"
	"                                ouelluminate and oucollaborate, TEXT for the rest\n"
	"  a student                     an account, user_name oulad-aaa-2013j-28400\n"
	"  a registration                a purchase by that account; its wallet is topped up with the\n"
	"                                price before (provider oulad-import). Who left later had\n"
	"                                bought, too\n"
	"  a student's clicks on a       a session of learning; the day's clicks, summed over its rows,\n"
	"  material on a day             are its interactions. Its time is that of the import\n"
	"\n"
	"Clicks on a material that is not in vle.csv, and those of a student without a registration,\n"
	"are skipped and counted.\n"
	"\n"
	"Run again, it finds what is there, makes what is missing, and changes nothing else: names and\n"
	"request ids follow from the data. So an import that failed is continued by the same command.\n"
	"What the server refuses because it is too much at once is sent again when the server says;\n"
	"each new learner takes a registration and a sign-in, of which a server takes so many a second\n"
	"from one address (edu-server --rate-login).\n"
	"\n"
	"Flags:\n"
	"  --presentation NAME           such as AAA/2013J\n"
	"  --subject NAME                what the course is of: the name, in English or Chinese, of a\n"
	"                                subject that the server has (edu list-subjects). An\n"
	"                                administrator makes new ones (edu create-subject)\n"
	"  --target ADDRESS              the server (EDU_TARGET, or localhost:50051)\n"
	"  --tls                         speak TLS\n"
	"  --ca FILE                     PEM certificates to trust instead of the system's; means --tls\n"
	"  --authority NAME              name the server's certificate must have, when it is not the\n"
	"                                target's\n"
	"  --user NAME                   account that imports. It needs the roles INSTRUCTOR (it creates\n"
	"                                the course), PAYMENTS (it credits wallets) and SUPPORT (it\n"
	"                                looks up learners)\n"
	"  --password-file FILE          its password is the first line; \"-\" reads standard input\n"
	"  --approver NAME               another account, with the role ADMIN, that approves the course:\n"
	"                                nobody approves the own. Without it the import waits until\n"
	"                                somebody has\n"
	"  --approver-password-file FILE that account's password\n"
	"  --learner-secret-file FILE    its first line, of 16 characters or more, is the secret the\n"
	"                                learners' passwords are made of. Keep it: a later run needs\n"
	"                                the same. A password is\n"
	"                                printf %s USER_NAME | openssl dgst -sha256 -hmac SECRET\n"
	"  --price AMOUNT                what the course costs (49.00 EUR)\n"
	"  --workers N                   learners imported at once, 1 to 256 (16)\n"
	"  --in-flight N                 reports of progress under way at once, 1 to 10000 (256)\n"
	"  --version                     print the version\n"
	"  --help                        this text\n"
	"\n"
	"Progress goes to standard error, the summary to standard output.\n"
	"Exit status: 0 imported; 1 failed, with the reason on standard error; 2 the command line is\n"
	"wrong.\n";

void options_help(FILE *out)
{
	fputs(help, out);
}

static int wrong(struct error *err, const char *flag, const char *text)
{
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "--%s \"%s\" is wrong; --help says what it takes",
			   flag, text);
}

static int number_read(const char *flag, const char *text, unsigned max, unsigned *ret, struct error *err)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || n < 1 || n > max)
		return wrong(err, flag, text);
	*ret = (unsigned)n;
	return 0;
}

/* Digits, and a point with at most `exponent` digits, as minor units. False when it is none, or too much. */
static bool amount_read(const char *text, const char *end, int exponent, int64_t *ret)
{
	int64_t value = 0;
	int decimals = -1; /* digits behind the point; -1 before it */

	for (; text < end; text++) {
		if (*text == '.' && decimals < 0 && exponent > 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || (decimals >= 0 && ++decimals > exponent) ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *text - '0', &value))
			return false;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < exponent; i++) {
		if (__builtin_mul_overflow(value, 10, &value))
			return false;
	}
	*ret = value;
	return true;
}

int options_price(const char *text, int64_t *ret, char currency[CURRENCY_MAX], struct error *err)
{
	const char *space = strchr(text, ' ');

	if (!space || space == text || !currency_valid(space + 1) || text[0] == '.' || space[-1] == '.' ||
	    !amount_read(text, space, currency_exponent(space + 1), ret) || *ret == 0)
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "--price \"%s\" is no amount above zero, such as \"49.00 EUR\"", text);
	snprintf(currency, CURRENCY_MAX, "%s", space + 1);
	return 0;
}

enum flag {
	FLAG_PRESENTATION = 1,
	FLAG_SUBJECT,
	FLAG_TARGET,
	FLAG_TLS,
	FLAG_CA,
	FLAG_AUTHORITY,
	FLAG_USER,
	FLAG_PASSWORD_FILE,
	FLAG_LEARNER_SECRET_FILE,
	FLAG_APPROVER,
	FLAG_APPROVER_PASSWORD_FILE,
	FLAG_PRICE,
	FLAG_WORKERS,
	FLAG_IN_FLIGHT,
	FLAG_VERSION,
	FLAG_HELP,
};

static const struct option flags[] = {
	{"presentation", required_argument, NULL, FLAG_PRESENTATION},
	{"subject", required_argument, NULL, FLAG_SUBJECT},
	{"target", required_argument, NULL, FLAG_TARGET},
	{"tls", no_argument, NULL, FLAG_TLS},
	{"ca", required_argument, NULL, FLAG_CA},
	{"authority", required_argument, NULL, FLAG_AUTHORITY},
	{"user", required_argument, NULL, FLAG_USER},
	{"password-file", required_argument, NULL, FLAG_PASSWORD_FILE},
	{"learner-secret-file", required_argument, NULL, FLAG_LEARNER_SECRET_FILE},
	{"approver", required_argument, NULL, FLAG_APPROVER},
	{"approver-password-file", required_argument, NULL, FLAG_APPROVER_PASSWORD_FILE},
	{"price", required_argument, NULL, FLAG_PRICE},
	{"workers", required_argument, NULL, FLAG_WORKERS},
	{"in-flight", required_argument, NULL, FLAG_IN_FLIGHT},
	{"version", no_argument, NULL, FLAG_VERSION},
	{"help", no_argument, NULL, FLAG_HELP},
	{NULL, 0, NULL, 0},
};

static int flag_set(struct options *o, int flag, const char *value, struct error *err)
{
	switch ((enum flag)flag) {
	case FLAG_PRESENTATION:
		o->presentation = value;
		return 0;
	case FLAG_SUBJECT:
		o->subject = value;
		return 0;
	case FLAG_TARGET:
		o->target = value;
		return 0;
	case FLAG_CA:
		o->ca_file = value;
		o->tls = true;
		return 0;
	case FLAG_TLS:
		o->tls = true;
		return 0;
	case FLAG_AUTHORITY:
		o->authority = value;
		return 0;
	case FLAG_USER:
		o->user = value;
		return 0;
	case FLAG_PASSWORD_FILE:
		o->password_file = value;
		return 0;
	case FLAG_LEARNER_SECRET_FILE:
		o->learner_secret_file = value;
		return 0;
	case FLAG_APPROVER:
		o->approver = value;
		return 0;
	case FLAG_APPROVER_PASSWORD_FILE:
		o->approver_password_file = value;
		return 0;
	case FLAG_PRICE:
		return options_price(value, &o->price, o->currency, err);
	case FLAG_WORKERS:
		return number_read("workers", value, OPTION_WORKERS_MAX, &o->workers, err);
	case FLAG_IN_FLIGHT:
		return number_read("in-flight", value, OPTION_IN_FLIGHT_MAX, &o->in_flight, err);
	case FLAG_VERSION:
		o->version = true;
		return 0;
	case FLAG_HELP:
		o->help = true;
		return 0;
	}
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "--help lists the flags");
}

/* What there is no default for. */
static int options_check(const struct options *o, struct error *err)
{
	const struct {
		const char *value, *what;
	} needed[] = {
		{o->dir, "DIR, the directory with the CSV files,"},
		{o->presentation, "--presentation"},
		{o->subject, "--subject"},
		{o->user, "--user"},
		{o->password_file, "--password-file"},
		{o->learner_secret_file, "--learner-secret-file"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!needed[i].value)
			return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s is missing; see --help",
					   needed[i].what);
	}
	if (!o->approver != !o->approver_password_file)
		return error_raise(err, &RPC_REASON_FIELD_INVALID,
				   "--approver and --approver-password-file go together; see --help");
	return 0;
}

/* getopt_long() takes any beginning of a name, whose meaning a flag added later would change. */
static int flag_whole(char *const *argv, int flag, struct error *err)
{
	const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];

	for (size_t i = 0; flags[i].name; i++) {
		if (flags[i].val == flag && strcspn(word + 2, "=") != strlen(flags[i].name))
			return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s is no flag; --help lists them",
					   word);
	}
	return 0;
}

int options_read(int argc, char **argv, struct options *ret, struct error *err)
{
	const char *target = getenv("EDU_TARGET");
	int flag, r = 0;

	*ret = (struct options){.target = target && *target ? target : "localhost:50051",
				.currency = "EUR",
				.price = 4900,
				.workers = WORKERS,
				.in_flight = IN_FLIGHT};
	while (r == 0 && (flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		r = flag_whole(argv, flag, err);
		if (r == 0)
			r = flag_set(ret, flag, optarg, err);
	}
	if (r < 0 || ret->help || ret->version)
		return r;
	if (optind < argc)
		ret->dir = argv[optind++];
	if (optind < argc)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "\"%s\" is one argument too many",
				   argv[optind]);
	return options_check(ret, err);
}
