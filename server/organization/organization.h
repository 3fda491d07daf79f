/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORGANIZATION_ORGANIZATION_H
#define ORGANIZATION_ORGANIZATION_H

#include <stdint.h>

/* The platform's own organization, which the schema makes: its service accounts take payments and send
 * notifications. No id is ever made so small. */
#define ORGANIZATION_PLATFORM INT64_C(1)

#endif
