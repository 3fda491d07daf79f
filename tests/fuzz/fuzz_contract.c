/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract's own messages and rules. The first byte chooses the method, its top bit the response, which a
 * client reads, instead of the request; the rest is the message, from the wire and as JSON.
 */
#include "edu/v1/edu_service.tables.h"
#include "tests/fuzz/message_check.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct message_rules *rules = NULL;
	const ProtobufCMessageDescriptor *desc;
	const struct method_desc *method;
	struct span rest;

	if (size == 0)
		return 0;
	method = &edu_service_desc.methods[(data[0] & 0x7f) % edu_service_desc.n_methods];
	rest = span_of(data + 1, size - 1);
	desc = method->response;
	if (!(data[0] & 0x80)) {
		desc = method->request;
		rules = method->request_rules;
	}
	message_check_wire(desc, rules, rest);
	message_check_text(desc, rules, rest);
	return 0;
}
