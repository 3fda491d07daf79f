/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/input.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int input_open(struct input *in, const char *path, struct error *err)
{
	*in = (struct input){.path = path, .fd = STDIN_FILENO};
	if (strcmp(path, "-") != 0)
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s cannot be read: %s", path,
				   strerror(errno));
	if (pipe2(in->wake, O_CLOEXEC) == 0)
		return 0;
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	return error_internal(err, "no pipe: %s", strerror(errno));
}

void input_close(struct input *in)
{
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	close(in->wake[0]);
	if (in->wake[1] >= 0)
		close(in->wake[1]);
}

void input_stop(struct input *in)
{
	/* The reading end of a pipe nobody can write to is readable. */
	close(in->wake[1]);
	in->wake[1] = -1;
}

/* True when there are bytes; false at the end, or once stopped. */
static bool input_fill(struct input *in)
{
	struct pollfd fds[] = {{.fd = in->fd, .events = POLLIN}, {.fd = in->wake[0], .events = POLLIN}};
	ssize_t n;

	do {
		if (poll(fds, 2, -1) > 0 && fds[1].revents)
			return false;
		n = fds[0].revents ? read(in->fd, in->bytes, sizeof(in->bytes)) : -1;
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	in->at = 0;
	in->n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool input_skip_space(struct input *in)
{
	for (;;) {
		while (in->at < in->n && isspace((unsigned char)in->bytes[in->at]))
			in->at++;
		if (in->at < in->n)
			return true;
		if (!input_fill(in))
			return false;
	}
}

/* One byte at a time, so that nothing is taken from the object after. */
static size_t input_byte(void *buffer, size_t size, void *arg)
{
	struct input *in = arg;

	if (size == 0 || (in->at == in->n && !input_fill(in)))
		return 0;
	*(char *)buffer = in->bytes[in->at++];
	return 1;
}

int input_next(struct input *in, json_t **ret, struct error *err)
{
	json_error_t problem = {.text = ""};

	if (!input_skip_space(in))
		return 0;
	*ret = json_load_callback(input_byte, in, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &problem);
	if (json_is_object(*ret))
		return 1;
	json_decref(*ret);
	return error_raise(err, &RPC_REASON_FIELD_INVALID, "%s holds something that is no JSON object: %s",
			   in->path, problem.text[0] ? problem.text : "another value");
}
