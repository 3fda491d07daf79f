/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/stream.h"

#include <pthread.h>

#include "proto/runtime/codec.h"
#include "server/rpc/admission.h"
#include "server/rpc/answer.h"
#include "server/rpc/lifecycle.h"
#include "server/rpc/payload.h"
#include "server/rpc/refusal.h"
#include "server/rpc/server_state.h"
#include "server/rpc/subject.h"

/* Lives in the call's arena. */
struct stream {
	struct rpc_call *call;
	struct arena message_arena;
	void *state;
	struct tag receive_tag, send_tag, close_tag;
	grpc_byte_buffer *incoming; /* core's to write while `receiving` */

	pthread_mutex_t lock; /* what events and the task share: */
	bool scheduled;       /* the task is on its way, or runs */
	bool noted;           /* something happened since the task last looked */
	bool woken;
	bool received;  /* a receive came back: `incoming`, or nothing more */
	bool receiving; /* core has a receive */
	bool sending;   /* core has a send */
	bool broken;    /* core failed one of them: the call is dying, and `gone` is on its way */
	bool gone;      /* the call is over; with `receiving` and `sending` false core is done with it */

	bool opened, half_closed, headers_sent; /* the task's own: */
	bool asking;                            /* `next` is to be asked */
	bool ending;                            /* with `result`, as soon as nothing is being sent */
	bool ended;                             /* the status is on its way */
	int result;
	const ProtobufCMessage *last; /* sent along with the status: a client stream's answer */
};

static const struct rpc_row *row(const struct stream *s)
{
	return s->call->method->row;
}

static const struct rpc_stream *callbacks(const struct stream *s)
{
	return row(s)->stream;
}

static enum method_kind kind(const struct stream *s)
{
	return s->call->method->desc->kind;
}

/* --- what core says, on the poller --- */

/* Any thread; with the lock, which it gives back. */
static void stream_note(struct stream *s, bool on_poller)
{
	struct rpc_call *call = s->call;
	bool schedule = !s->scheduled;

	s->noted = true;
	s->scheduled = true;
	pthread_mutex_unlock(&s->lock);
	if (schedule)
		(void)!call_run_at(call, call->method->row->place, on_poller, false);
}

static void stream_received(struct tag *tag, bool ok)
{
	struct stream *s = TAG_OWNER(tag, struct stream, receive_tag);

	pthread_mutex_lock(&s->lock);
	s->receiving = false;
	s->received = ok;
	s->broken |= !ok;
	stream_note(s, true);
}

static void stream_sent(struct tag *tag, bool ok)
{
	struct stream *s = TAG_OWNER(tag, struct stream, send_tag);

	pthread_mutex_lock(&s->lock);
	call_turn(s->call, 0);
	call_let_go(s->call);
	s->sending = false;
	s->broken |= !ok;
	stream_note(s, true);
}

static void stream_gone(struct tag *tag, bool ok)
{
	struct stream *s = TAG_OWNER(tag, struct stream, close_tag);

	pthread_mutex_lock(&s->lock);
	s->gone = true;
	stream_note(s, true);
}

void rpc_stream_wake(struct rpc_call *call)
{
	struct stream *s = call->stream;

	pthread_mutex_lock(&s->lock);
	s->woken = true;
	stream_note(s, false);
}

/* --- what the task makes core do --- */

/* For what core refuses, which it does only when we are wrong: the call is cut, and its end comes as any
 * other. */
static void stream_cut(struct stream *s)
{
	s->ended = true;
	grpc_call_cancel_with_status(s->call->core, GRPC_STATUS_INTERNAL, "the stream broke in the server",
				     NULL);
}

static void sending_set(struct stream *s, bool sending)
{
	pthread_mutex_lock(&s->lock);
	s->sending = sending;
	pthread_mutex_unlock(&s->lock);
}

static void stream_answer(struct stream *s, struct answer *a)
{
	sending_set(s, true);
	call_turn(s->call, monotonic_us());
	if (answer_start(a, &s->send_tag))
		return;
	sending_set(s, false);
	stream_cut(s);
}

static void stream_send(struct stream *s, const ProtobufCMessage *message)
{
	struct answer a;

	answer_init(&a, s->call);
	if (!s->headers_sent)
		answer_add_headers(&a);
	s->headers_sent = true;
	if (message)
		answer_add_message(&a, message);
	stream_answer(s, &a);
}

static void stream_send_status(struct stream *s)
{
	struct answer a;

	answer_init(&a, s->call);
	if (!s->headers_sent)
		answer_add_headers(&a);
	s->headers_sent = true;
	if (s->result == 0 && s->last)
		answer_add_message(&a, s->last);
	answer_add_status(&a, s->result);
	s->ended = true;
	stream_answer(s, &a);
}

static void stream_receive(struct stream *s)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

	op.data.recv_message.recv_message = &s->incoming;
	s->incoming = NULL;
	pthread_mutex_lock(&s->lock);
	s->receiving = true;
	pthread_mutex_unlock(&s->lock);
	if (batch_start(s->call->core, &op, 1, &s->receive_tag) == GRPC_CALL_OK)
		return;
	pthread_mutex_lock(&s->lock);
	s->receiving = false;
	pthread_mutex_unlock(&s->lock);
	stream_cut(s);
}

/* Asks to hear of the call's end. */
static void stream_watch(struct stream *s)
{
	struct answer a;

	answer_init(&a, s->call);
	answer_add_close(&a);
	if (answer_start(&a, &s->close_tag))
		return;
	stream_cut(s);
	pthread_mutex_lock(&s->lock);
	s->gone = s->noted = true;
	pthread_mutex_unlock(&s->lock);
}

/* --- the callbacks --- */

/* A read of another's data, which is recorded here: the stream runs on a thread of the database then. */
static int stream_record(struct stream *s)
{
	return subject_unrecorded(s->call) ? subject_record(s->call) : 0;
}

/* Asked before anything of an answer leaves. */
static int stream_may_answer(struct stream *s)
{
	int r = stream_record(s);

	return r < 0 ? r : subject_check(s->call);
}

/* The stream ends with r once what is being sent is out; the first reason stands. */
static void stream_end(struct stream *s, int r)
{
	if (s->ending)
		return;
	s->ending = true;
	s->result = r == 0 ? stream_may_answer(s) : r;
	s->call->arena.starved |= s->message_arena.starved;
}

static ProtobufCMessage *message_new(struct stream *s, struct arena *arena)
{
	ProtobufCMessage *message = codec_new(s->call->method->desc->response, arena);

	if (!message)
		stream_end(s, arena_full(&s->call->error));
	return message;
}

static void on_open(struct stream *s)
{
	int r = 0;

	s->opened = true;
	stream_watch(s);
	if (callbacks(s)->open)
		r = callbacks(s)->open(row(s), s->call, s->call->request, &s->call->error);
	if (r < 0)
		stream_end(s, r);
	s->asking = kind(s) != METHOD_CLIENT_STREAM;
}

static void on_message(struct stream *s)
{
	struct rpc_call *call = s->call;
	grpc_byte_buffer *incoming = s->incoming;
	ProtobufCMessage *message;

	s->incoming = NULL;
	arena_reset(&s->message_arena);
	int r = payload_unpack(call->method, incoming, &call->server->config.limits, &s->message_arena,
			       &message, &call->error);
	if (r == 0)
		r = subject_of_message(call, message, &call->error);
	/* At once, as the next message may be about another. */
	if (r == 0)
		r = stream_record(s);
	if (r == 0 && callbacks(s)->message)
		r = callbacks(s)->message(row(s), call, message, &call->error);
	if (r == 0)
		r = stream_record(s);
	if (r < 0)
		stream_end(s, r);
	s->asking = kind(s) == METHOD_BIDI;
}

static void on_half_closed(struct stream *s)
{
	ProtobufCMessage *ret = NULL;
	int r = 0;

	s->half_closed = true;
	arena_reset(&s->message_arena);
	if (kind(s) == METHOD_CLIENT_STREAM) {
		ret = message_new(s, &s->message_arena);
		if (!ret)
			return;
	}
	if (callbacks(s)->half_closed)
		r = callbacks(s)->half_closed(row(s), s->call, ret, &s->call->error);
	s->last = ret;
	if (r < 0 || kind(s) == METHOD_CLIENT_STREAM)
		stream_end(s, r);
	s->asking = true;
}

/* Returns false when there is nothing to send now. */
static bool ask_next(struct stream *s)
{
	if (!callbacks(s)->next) {
		if (s->half_closed || kind(s) == METHOD_SERVER_STREAM)
			stream_end(s, 0);
		return false;
	}
	if (budget_spent(&s->call->server->memory)) {
		stream_end(s, refuse_starved(&s->call->error));
		return false;
	}
	arena_reset(&s->message_arena);
	ProtobufCMessage *ret = message_new(s, &s->message_arena);
	if (!ret)
		return false;
	int r = callbacks(s)->next(row(s), s->call, ret, &s->call->error);
	const int refused = r == RPC_SEND ? stream_may_answer(s) : 0;
	if (refused < 0)
		r = refused;
	if (r == RPC_SEND)
		stream_send(s, ret);
	else if (r != RPC_WAIT)
		stream_end(s, r);
	return r == RPC_SEND;
}

/* --- the task --- */

/* What the task goes by: one look, under the lock. */
struct look {
	bool received, woken, receiving, sending, broken, gone;
};

static struct look stream_look(struct stream *s)
{
	struct look look;

	pthread_mutex_lock(&s->lock);
	look = (struct look){
		.received = s->received,
		.woken = s->woken,
		.receiving = s->receiving,
		.sending = s->sending,
		.broken = s->broken,
		.gone = s->gone,
	};
	s->noted = s->received = s->woken = false;
	pthread_mutex_unlock(&s->lock);
	return look;
}

static void stream_receive_more(struct stream *s, const struct look *look)
{
	if (kind(s) != METHOD_SERVER_STREAM && !s->half_closed && !look->receiving)
		stream_receive(s);
}

/* The callbacks that are due, then one thing for core to do. */
static void stream_step(struct stream *s, const struct look *look)
{
	bool sending = look->sending;

	if (!s->opened)
		on_open(s);
	if (look->received && !s->ending && s->incoming)
		on_message(s);
	else if (look->received && !s->ending)
		on_half_closed(s);
	if (look->woken)
		s->asking = kind(s) != METHOD_CLIENT_STREAM;
	if (!sending && !s->ending && s->asking)
		s->asking = sending = ask_next(s);
	if (sending || s->ended)
		return;
	if (s->ending) {
		stream_send_status(s);
		return;
	}
	/* Nothing to say for now, so the caller learns at least that the stream stands. */
	if (!s->headers_sent && kind(s) != METHOD_CLIENT_STREAM)
		stream_send(s, NULL);
	stream_receive_more(s, look);
}

static void stream_done(struct stream *s)
{
	if (s->incoming)
		grpc_byte_buffer_destroy(s->incoming);
	arena_done(&s->message_arena);
	pthread_mutex_destroy(&s->lock);
}

static void stream_close(struct stream *s)
{
	if (callbacks(s)->closed)
		callbacks(s)->closed(row(s), s->call);
	stream_done(s);
}

/* Gives the turn back; false when something happened meanwhile and the turn stays. */
static bool stream_rest(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	bool rest = !s->noted;
	s->scheduled = !rest;
	pthread_mutex_unlock(&s->lock);
	return rest;
}

static void stream_run(struct rpc_call *call)
{
	struct stream *s = call->stream;
	struct look look;

	do {
		look = stream_look(s);
		if (!look.gone && !look.broken) {
			stream_step(s, &look);
		} else if (look.gone && !look.receiving && !look.sending) {
			/* The task stays scheduled, so that a late wake finds it so and does nothing. */
			stream_close(s);
			call_release_elsewhere(call);
			return;
		}
	} while (!stream_rest(s));
}

/* --- the beginning --- */

static int stream_new(struct rpc_call *call)
{
	struct stream *s = arena_zalloc(&call->arena, sizeof(*s));

	if (!s)
		return arena_full(&call->error);
	s->call = call;
	s->scheduled = true;
	s->receive_tag.run = stream_received;
	s->send_tag.run = stream_sent;
	s->close_tag.run = stream_gone;
	arena_init(&s->message_arena, call->server->config.arena_cap);
	arena_share(&s->message_arena, &call->server->memory);
	pthread_mutex_init(&s->lock, NULL);
	call->stream = s;
	call->task = stream_run;
	return 0;
}

void stream_begin(struct rpc_call *call)
{
	int r = stream_new(call);

	if (r < 0) {
		call_answer(call, r);
		return;
	}
	if (call_run_at(call, call->method->row->place, true, true))
		return;
	stream_done(call->stream);
	call_answer(call, refuse_busy(&call->error));
}

static void stream_admitted(struct rpc_call *call, int r)
{
	if (r < 0)
		call_answer(call, r);
	else
		stream_begin(call);
}

void stream_arrived(struct rpc_call *call, const struct call_headers *headers)
{
	call_admit(call, headers, stream_admitted);
}

/* --- what callbacks may ask --- */

void rpc_set_state(struct rpc_call *call, void *state)
{
	call->stream->state = state;
}

void *rpc_state(const struct rpc_call *call)
{
	return call->stream->state;
}

struct arena *rpc_message_arena(struct rpc_call *call)
{
	return &call->stream->message_arena;
}
