/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LESSON_CONTENT_PROTO_H
#define LESSON_CONTENT_PROTO_H

#include "server/lesson/content_store.h"

/* Content as the contract shows it, in the arena; see arena_check() for when that is full. */
Content *content_to_proto(const struct app *app, struct arena *arena, const struct content *c);

#endif
