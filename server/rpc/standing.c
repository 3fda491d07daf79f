/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/standing.h"

#include "server/rpc/call.h"

void standing_init(struct standing *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->first = NULL;
}

void standing_done(struct standing *s)
{
	pthread_mutex_destroy(&s->lock);
}

void standing_add(struct standing *s, struct standing_stream *stream, struct rpc_call *call)
{
	pthread_mutex_lock(&s->lock);
	*stream = (struct standing_stream){.next = s->first, .at = &s->first, .call = call};
	if (s->first)
		s->first->at = &stream->next;
	s->first = stream;
	pthread_mutex_unlock(&s->lock);
}

void standing_remove(struct standing *s, struct standing_stream *stream)
{
	pthread_mutex_lock(&s->lock);
	*stream->at = stream->next;
	if (stream->next)
		stream->next->at = stream->at;
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
	return error_set_retry(err, 1000);
}
