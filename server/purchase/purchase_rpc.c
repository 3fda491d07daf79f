/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "server/app/page.h"
#include "server/purchase/checkout.h"
#include "server/purchase/purchase_names.h"
#include "server/purchase/purchase_proto.h"
#include "server/purchase/purchase_store.h"
#include "server/user/user.h"

/* --- GetPurchase --- */

static int purchase_not_found(struct error *err, int64_t purchase_id)
{
	return app_not_found(err, &purchase_resource, purchase_id);
}

static int get_purchase(struct rpc_call *call, const GetPurchaseRequest *req, GetPurchaseResponse *ret,
			struct error *err)
{
	struct arena *arena = rpc_arena(call);
	struct purchase purchase;
	const int64_t purchase_id = id_of(ID_PURCHASE, req->purchase_id);
	int r = purchase_store_read(db_of(call), arena, purchase_id, &purchase, err);
	if (r < 0)
		return r;
	if (r == 0 || rpc_subject(call, purchase.user_id, false, err) < 0)
		return purchase_not_found(err, purchase_id);
	ret->purchase = purchase_to_proto(arena, &purchase);
	return arena_check(arena, err);
}

/* --- ListPurchases --- */

/* Where the next page goes on: the last purchase shown. */
struct purchase_cursor {
	int64_t before_id;
};

static int purchases_to_proto(struct arena *arena, const struct purchase *list, unsigned n,
			      ListPurchasesResponse *ret, struct error *err)
{
	ret->purchases = arena_array(arena, n, sizeof(Purchase *));
	for (unsigned i = 0; i < n && ret->purchases; i++)
		ret->purchases[i] = purchase_to_proto(arena, &list[i]);
	ret->n_purchases = n;
	return arena_check(arena, err);
}

static int list_purchases(struct rpc_call *call, const ListPurchasesRequest *req, ListPurchasesResponse *ret,
			  struct error *err)
{
	struct arena *arena = rpc_arena(call);
	int64_t user_id = user_or_caller(rpc_principal(call), req->user_id);
	unsigned n = 0;
	struct page page;
	struct purchase_cursor cursor = {.before_id = INT64_MAX};
	struct purchase *list = NULL;

	int r = page_open(&page, call, PAGE_OF(req), &cursor, sizeof(cursor), err);
	if (r < 0)
		return r;
	r = purchase_store_list(db_of(call), arena, user_id, course_id_of(req->course_id), cursor.before_id,
				page.limit, &list, &n, err);
	if (r < 0)
		return r;
	if (page_goes_on(&page, &n)) {
		cursor.before_id = list[n - 1].purchase_id;
		ret->next_page_token = page_next(&page, &cursor);
	}
	return purchases_to_proto(arena, list, n, ret, err);
}

EDU_SERVICE_PURCHASE_COURSE(checkout_purchase_course, RPC_ON_DB);
EDU_SERVICE_GET_PURCHASE(get_purchase, RPC_ON_DB);
EDU_SERVICE_LIST_PURCHASES(list_purchases, RPC_ON_DB);
