/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_SEARCH_LISTING_H
#define SEARCH_SEARCH_LISTING_H

#include "edu/v1/edu_service.tables.h"
#include "server/app/page.h"
#include "server/search/catalogue_store.h"
#include "server/search/index.h"

/* What a ListCourses asks for. */
struct listing {
	const ListCoursesRequest *req;
	ListCoursesResponse *ret;
	struct course_filter filter;
	enum index_order order;
};

static inline const char *search_or_null(const char *s)
{
	return *s ? s : NULL;
}

/* Replies with a page of published courses. On the poller. */
int search_published(struct rpc_call *call, struct listing *l, struct error *err)
	__attribute__((warn_unused_result));

#endif
