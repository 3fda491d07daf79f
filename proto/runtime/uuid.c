/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/uuid.h"

#include <stdio.h>
#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uuid_parse(const char *text, uint8_t ret[16])
{
	if (strlen(text) != UUID_TEXT_MAX - 1)
		return false;
	for (int i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		int high = hex_value(*text++), low = hex_value(*text++);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void uuid_of(const char *text, uint8_t ret[16])
{
	if (!uuid_parse(text, ret))
		memset(ret, 0, 16);
}

char *uuid_format(const uint8_t u[16], char out[UUID_TEXT_MAX])
{
	snprintf(out, UUID_TEXT_MAX, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
		 u[14], u[15]);
	return out;
}
