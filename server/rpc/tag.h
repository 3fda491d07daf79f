/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_TAG_H
#define RPC_TAG_H

#include <stdbool.h>
#include <stddef.h>

/* What a completion queue hands back: embedded in whatever waits, `run` is called on the poller's thread. */
struct tag {
	void (*run)(struct tag *tag, bool ok);
};

/* The structure a tag is embedded in. */
#define TAG_OWNER(tag, type, member) ((type *)((char *)(tag)-offsetof(type, member)))

#endif
