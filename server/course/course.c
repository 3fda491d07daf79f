/* SPDX-License-Identifier: Apache-2.0 */
#include "server/course/course.h"

#include "edu/v1/edu_service.tables.h"
#include "proto/runtime/ids.h"
#include "server/course/course_names.h"
#include "server/course/lesson.h"

bool course_has_share(const struct course_share *instructors, unsigned n, int64_t user_id)
{
	for (unsigned i = 0; i < n; i++)
		if (instructors[i].user_id == user_id)
			return true;
	return false;
}

bool course_acts_as_instructor(const struct course_share *instructors, unsigned n,
			       const struct principal *who)
{
	return principal_has_role(who, ROLE_MASK_INSTRUCTOR) &&
	       course_has_share(instructors, n, who->user_id);
}

bool course_open_to(enum course_state state, const struct course_share *instructors, unsigned n,
		    const struct principal *who)
{
	return state == COURSE_PUBLISHED || principal_has_role(who, ROLE_MASK_ADMIN) ||
	       course_acts_as_instructor(instructors, n, who);
}

bool course_visible_to(const struct course_terms *c, const struct principal *who)
{
	return course_open_to(c->state, c->instructors, c->n_instructors, who);
}

bool course_taught_by(const struct course_terms *c, const struct principal *who)
{
	return course_acts_as_instructor(c->instructors, c->n_instructors, who);
}

int64_t course_id_of(const char *text)
{
	return id_of(ID_COURSE, text);
}

int course_not_found(struct error *err, int64_t course_id)
{
	char text[ID_TEXT_MAX];
	id_format(ID_COURSE, course_id, text);
	error_raise(err, &REASON_COURSE_NOT_FOUND, "There is no such course, or you may not see it.");
	return error_set_resource(err, "edu.v1.Course", text);
}

int lesson_not_found(struct error *err, int64_t lesson_id)
{
	char text[ID_TEXT_MAX];
	id_format(ID_LESSON, lesson_id, text);
	error_raise(err, &REASON_LESSON_NOT_FOUND, "There is no such lesson, or you may not see its course.");
	return error_set_resource(err, "edu.v1.Lesson", text);
}
