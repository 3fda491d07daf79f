/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURCHASE_CHECKOUT_H
#define PURCHASE_CHECKOUT_H

#include "edu/v1/edu_service.server.h"

/*
 * PurchaseCourse. Two round trips: the course's terms are read, then one statement completes the purchase if
 * the course is still on those terms (purchase_store.h). Before anything is refused the request's key is
 * asked, so that a repeat gets its first answer whatever became of the course since.
 */
edu_service_purchase_course_fn checkout_purchase_course;

#endif
