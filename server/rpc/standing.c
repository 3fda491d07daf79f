/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/standing.h"

#include <stdbool.h>
#include <string.h>

#include "server/rpc/call.h"

enum { STANDING_RETRY_MS = 1000 };

void standing_init(struct standing *s, unsigned max)
{
	*s = (struct standing){.max = max};
	pthread_mutex_init(&s->lock, NULL);
}

void standing_done(struct standing *s)
{
	pthread_mutex_destroy(&s->lock);
}

static void standing_link(struct standing *s, struct standing_stream *stream, struct rpc_call *call)
{
	*stream = (struct standing_stream){
		.next = s->first, .at = &s->first, .call = call, .source = rpc_peer_address(call)};
	if (s->first)
		s->first->at = &stream->next;
	s->first = stream;
	s->n++;
}

static bool standing_known(const struct standing *s, const char *source)
{
	const struct standing_stream *stream = s->first;

	while (stream && strcmp(stream->source, source) != 0)
		stream = stream->next;
	return stream != NULL;
}

static bool standing_room(const struct standing *s, const char *source)
{
	return s->n < s->max - s->max / 4 || (s->n < s->max && !standing_known(s, source));
}

int standing_add(struct standing *s, struct standing_stream *stream, struct rpc_call *call, struct error *err)
{
	pthread_mutex_lock(&s->lock);
	bool room = standing_room(s, rpc_peer_address(call));
	if (room)
		standing_link(s, stream, call);
	pthread_mutex_unlock(&s->lock);
	if (room)
		return 0;
	(void)!error_raise(
		err, &RPC_REASON_OVERLOADED,
		"The server has too many of these streams open. Wait and repeat, or ask without a stream.");
	return error_set_retry(err, STANDING_RETRY_MS);
}

void standing_remove(struct standing *s, struct standing_stream *stream)
{
	pthread_mutex_lock(&s->lock);
	*stream->at = stream->next;
	if (stream->next)
		stream->next->at = stream->at;
	s->n--;
	pthread_mutex_unlock(&s->lock);
}

void standing_wake(struct standing *s)
{
	pthread_mutex_lock(&s->lock);
	for (struct standing_stream *stream = s->first; stream; stream = stream->next)
		rpc_stream_wake(stream->call);
	pthread_mutex_unlock(&s->lock);
}

int standing_drained(struct error *err)
{
	(void)!error_raise(err, &RPC_REASON_DRAINING,
			   "The server is stopping. Open the stream again elsewhere.");
	return error_set_retry(err, STANDING_RETRY_MS);
}
