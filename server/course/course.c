/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course.h"

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/course/lesson.h"

bool course_taught_by(const struct course_terms *c, int64_t user_id)
{
	for (unsigned i = 0; i < c->n_instructors; i++)
		if (c->instructors[i].user_id == user_id)
			return true;
	return false;
}

bool course_visible_to(const struct course_terms *c, const struct principal *who)
{
	return c->state == COURSE_PUBLISHED || principal_has_role(who, ROLE_MASK_ADMIN) ||
	       (principal_signed_in(who) && course_taught_by(c, who->user_id));
}

int64_t course_id_of(const char *text)
{
	int64_t id;
	return id_parse(ID_COURSE, text, &id) ? id : 0;
}

int course_not_found(struct error *err, int64_t course_id)
{
	char text[ID_TEXT_MAX];
	id_format(ID_COURSE, course_id, text);
	error_raise(err, &REASON_COURSE_NOT_FOUND, "there is no course %s, or you may not see it", text);
	return error_set_resource(err, "edu.v1.Course", text);
}

int lesson_not_found(struct error *err, int64_t lesson_id)
{
	char text[ID_TEXT_MAX];
	id_format(ID_LESSON, lesson_id, text);
	error_raise(err, &REASON_LESSON_NOT_FOUND, "there is no lesson %s, or you may not see its course",
		    text);
	return error_set_resource(err, "edu.v1.Lesson", text);
}
