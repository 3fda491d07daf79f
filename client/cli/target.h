/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include <stdbool.h>

/* True for HOST:PORT and [IPV6]:PORT, also after dns:, dns://SERVER/, ipv4: or ipv6:, and for a path after
 * unix:. What core reads in other ways, such as a host alone, is none. */
bool target_is(const char *text);

#endif
