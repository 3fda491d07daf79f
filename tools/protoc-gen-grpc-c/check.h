/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_CHECK_H
#define GEN_CHECK_H

#include "model.h"

/* Each adds to model->problems what it finds in the files to generate. */

/* Rules fit the fields they are on; request_id is a UUID where policies are required. */
void check_rules(struct model *m);

/* Every method says who may call it (policy=required), and says it without contradiction. */
void check_policies(struct model *m);

/* No message can contain itself (policy=required). */
void check_recursion(struct model *m);

/* No two things of the run get the same C identifier, from us or from protobuf-c, nor one that the headers
 * use which generated code includes; and nothing is asked for that protobuf-c cannot do. */
void check_names(struct model *m);

#endif
