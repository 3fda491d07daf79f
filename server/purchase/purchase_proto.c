/* SPDX-License-Identifier: Apache-2.0 */
#include "server/purchase/purchase_proto.h"

#include <inttypes.h>

#include "proto/runtime/codec.h"
#include "server/app/app.h"
#include "server/course/course_names.h"
#include "server/money/money_names.h"
#include "server/money/money_proto.h"
#include "server/purchase/purchase_names.h"
#include "server/user/user_names.h"

const struct app_resource purchase_resource = {"edu.v1.Purchase", ID_PURCHASE, &REASON_PURCHASE_NOT_FOUND,
					       "There is no such purchase, or you may not see it."};

Purchase *purchase_to_proto(struct arena *arena, const struct purchase *p)
{
	const struct charge *c = &p->charge;
	Purchase *ret = codec_new(PURCHASE_DESC, arena);

	if (!ret)
		return NULL;
	ret->purchase_id = app_id(arena, ID_PURCHASE, p->purchase_id);
	ret->user_id = app_id(arena, ID_USER, p->user_id);
	ret->course_id = app_id(arena, ID_COURSE, p->course_id);
	ret->course_revision = p->course_revision;
	ret->state = (Edu__V1__PurchaseState)p->state;
	ret->payment_source = (Edu__V1__PaymentSource)p->source;
	ret->list_price = money_to_proto(arena, c->currency_code, c->list_price);
	ret->discount = money_to_proto(arena, c->currency_code, c->discount);
	ret->tax = money_to_proto(arena, c->currency_code, c->tax);
	ret->tax_inclusive = c->tax_inclusive;
	ret->total = money_to_proto(arena, c->currency_code, c->total);
	ret->charged = money_to_proto(arena, c->currency_code, c->charged);
	ret->create_time = app_timestamp(arena, c->create_us);
	ret->complete_time = app_timestamp(arena, p->complete_us);
	ret->transaction_id = app_id(arena, ID_TRANSACTION, c->transaction_id);
	return ret;
}

char *purchase_event_payload(struct arena *arena, const struct purchase *p)
{
	const struct charge *c = &p->charge;

	return arena_printf(arena,
			    "{\"purchase_id\":\"%s\",\"user_id\":\"%s\",\"course_id\":\"%s\","
			    "\"currency_code\":\"%s\",\"total_minor_units\":\"%" PRId64
			    "\",\"transaction_id\":\"%s\"}",
			    app_id(arena, ID_PURCHASE, p->purchase_id), app_id(arena, ID_USER, p->user_id),
			    app_id(arena, ID_COURSE, p->course_id), c->currency_code, c->total,
			    app_id(arena, ID_TRANSACTION, c->transaction_id));
}
