/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_OPTIONS_H
#define GEN_OPTIONS_H

#include "model.h"

/*
 * The custom options of grpc_c/v1/options.proto. The descriptors we are built with do not know them, so
 * protobuf-c leaves them in the options message as unknown fields. Each returns NULL, 0 or false when the
 * option is not set; what does not decode, or holds something this generator does not know, is a problem at
 * `place`.
 */
const MethodPolicy *options_policy(struct model *m, const struct place *place, const MethodProto *method);
const FieldRules *options_rules(struct model *m, const struct place *place, const FieldProto *field);
bool options_error_reasons(struct model *m, const struct place *place, const EnumProto *e);
int options_status(struct model *m, const struct place *place, const EnumValueProto *value);

#endif
