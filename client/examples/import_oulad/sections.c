/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "client/examples/import_oulad/import.h"
#include "client/examples/import_oulad/patience.h"
#include "edu/v1/edu_service.client.h"

/* A section for each kind of activity, in the order in which its first material comes. */

static struct import_section *section_of(struct import *im, const char *activity)
{
	for (unsigned i = 0; i < im->n_sections; i++)
		if (strcmp(im->sections[i].activity, activity) == 0)
			return &im->sections[i];
	return NULL;
}

static struct import_section *section_keep(struct import *im, const char *activity, const char *id)
{
	struct import_section *s = &im->sections[im->n_sections++];

	snprintf(s->activity, sizeof(s->activity), "%s", activity);
	snprintf(s->id, sizeof(s->id), "%s", id);
	return s;
}

void section_found(struct import *im, const Section *section)
{
	if (im->n_sections < IMPORT_SECTIONS_MAX && strlen(section->title) < sizeof(im->sections[0].activity))
		(void)section_keep(im, section->title, section->section_id);
}

int section_ensure(struct import *im, const char *activity, struct arena *arena, const char **ret_id,
		   struct error *err)
{
	const struct import_section *there = section_of(im, activity);
	CreateSectionRequest request = CREATE_SECTION_REQUEST_INIT;
	CreateSectionResponse *response;
	char request_id[UUID_TEXT_MAX];
	struct patience p = PATIENCE;
	int r;

	*ret_id = there ? there->id : "";
	if (there || im->n_sections == IMPORT_SECTIONS_MAX)
		return 0;
	request.course_id = im->course_id;
	request.title = (char *)activity;
	request.request_id = key_uuid(request_id, "section/%s/%s", im->course_id, activity);
	do {
		tally_calls(&im->tally, 1);
		r = edu_service_create_section_call(im->channel, &request, NULL, arena, &response, err);
	} while (patience_again(&p, r, err));
	if (r == 0)
		*ret_id = section_keep(im, activity, response->section->section_id)->id;
	return r;
}
