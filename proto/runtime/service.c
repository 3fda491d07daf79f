/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/runtime/service.h"

const struct method_desc *service_method(const struct service_desc *service, const char *name)
{
	for (unsigned i = 0; i < service->n_methods; i++) {
		if (strcmp(service->methods[i].name, name) == 0)
			return &service->methods[i];
	}
	return NULL;
}
