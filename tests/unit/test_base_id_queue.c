/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/id_queue.h"

static void test_ids_stay_until_they_are_dropped(void **state)
{
	struct id_queue *q = id_queue_new(4);
	int64_t ids[4];
	uint64_t upto, none;
	assert_true(id_queue_empty(q));
	assert_int_equal(id_queue_copy(q, ids, 4, &none), 0);
	for (int64_t id = 1; id <= 3; id++)
		id_queue_add(q, id);
	assert_int_equal(id_queue_copy(q, ids, 2, &upto), 2);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 2);
	assert_false(id_queue_empty(q));
	id_queue_add(q, 1); /* again, while it was looked at */
	id_queue_drop(q, upto);
	assert_int_equal(id_queue_copy(q, ids, 4, &upto), 2);
	assert_int_equal(ids[0], 3);
	assert_int_equal(ids[1], 1);
	id_queue_drop(q, upto);
	assert_true(id_queue_empty(q));
	id_queue_free(q);
}

static void test_what_does_not_fit_is_told_once(void **state)
{
	struct id_queue *q = id_queue_new(2);
	int64_t ids[4];
	uint64_t upto;
	for (int64_t id = 1; id <= 3; id++)
		id_queue_add(q, id);
	assert_true(id_queue_lost(q));
	assert_false(id_queue_lost(q));
	assert_int_equal(id_queue_copy(q, ids, 4, &upto), 2);
	id_queue_drop(q, upto);
	id_queue_add(q, 9);
	assert_int_equal(id_queue_copy(q, ids, 4, &upto), 1);
	assert_int_equal(ids[0], 9);
	id_queue_free(q);
	id_queue_add(NULL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_stay_until_they_are_dropped),
		cmocka_unit_test(test_what_does_not_fit_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
