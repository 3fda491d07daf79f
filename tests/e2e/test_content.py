# SPDX-License-Identifier: Apache-2.0
"""What lessons hold, with a real object store: what a signed URL lets through and what not, and who is given one."""
import base64
import hashlib
import json
import threading
import time
import unittest
import urllib.parse

from names import id_number
from object_store import ObjectStore, fetch
from stack import PASSWORD, Stack
from test_every_rpc import World
from wire import Refused, Wire

VIDEO, TEXT = 1, 2
MEDIA, CAPTIONS, TRANSCRIPT, ATTACHMENT, COVER, TRAILER = range(1, 7)
STREAM, DOWNLOAD = 1, 2
DRAFT = 2
FILM = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40


class Content(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = cls.enterClassContext(ObjectStore())
        cls.stack = cls.enterClassContext(Stack(*cls.store.flags, "--download-devices", "3", "--download-lessons", "2"))
        cls.world = World(cls.stack)
        cls.wire = Wire(cls.stack.target)
        cls.addClassCleanup(cls.wire.close)
        cls.tokens = {}
        for name in ("teacher", "root-admin"):
            cls.sign_in(name)

    @classmethod
    def sign_in(cls, name):
        cls.tokens[name] = cls.wire.call("session", "Login", login=name, password=PASSWORD).session.access_token

    def call(self, method, who, **fields):
        return self.wire.call("content", method, self.tokens[who] if who else None, **fields)

    def refused(self, reason, method, who, **fields):
        with self.assertRaises(Refused) as caught:
            self.call(method, who, **fields)
        self.assertEqual(caught.exception.reason, reason, str(caught.exception))
        return caught.exception

    # --- people, courses and files ---

    def somebody(self, *roles):
        name = self.world.name("somebody")
        self.stack.register(name, *roles)
        self.sign_in(name)
        return name

    def buyer(self, course):
        name = self.world.enrolled_learner(course)
        self.sign_in(name)
        return name

    def course(self, *lessons):
        """A draft, and its lessons."""
        course = self.world.new_course()
        return course, [self.world.add_lesson(course, kind)["lessonId"] for kind in lessons or ("VIDEO",)]

    def publish(self, course):
        self.world.edu("submit-course-for-review", "--course-id", course, user="teacher")
        self.world.edu("approve-course", "--course-id", course, user="root-admin")

    def describe(self, body, **fields):
        return {"size_bytes": len(body), "sha256": hashlib.sha256(body).digest(), **fields}

    def upload(self, body, **fields):
        """What was said of it, and where it may be put."""
        return self.call("CreateContentUpload", "teacher", **self.describe(body, **fields))

    def put(self, upload, body, **other):
        headers = {h.name: h.value for h in upload.headers}
        return fetch(upload.url, "PUT", {**headers, **{k.replace("_", "-"): v for k, v in other.items()}}, body)

    def attach(self, body, **fields):
        upload = self.upload(body, **fields)
        self.assertEqual(self.put(upload, body).status, 200)
        self.assertEqual(self.call("AttachContent", "teacher", content_id=upload.content.content_id).content, upload.content)
        return upload.content.content_id

    def film(self, lesson, body=FILM):
        return self.attach(body, lesson_id=lesson, role=MEDIA, content_type="video/mp4")

    def read(self, who, lesson, **fields):
        return self.call("GetLessonContent", who, lesson_id=lesson, **fields).content

    # --- what a URL lets through ---

    def test_exactly_the_bytes_that_were_declared(self):
        _, (lesson,) = self.course()
        upload = self.upload(FILM, lesson_id=lesson, role=MEDIA, content_type="video/mp4")
        other = bytes(reversed(FILM))
        self.assertEqual(self.put(upload, other).status, 400, "other bytes of the same length")
        for what, body, headers in (
                ("more bytes", FILM + b"!", {"content_length": str(len(FILM) + 1)}),
                ("another type", FILM, {"content_type": "text/html"}),
                ("another hash", other, {"x_amz_checksum_sha256": base64.b64encode(hashlib.sha256(other).digest()).decode()})):
            self.assertEqual(self.put(upload, body, **headers).status, 403, what)
        bare = fetch(upload.url, "PUT", {"content-type": "video/mp4"}, FILM)
        self.assertEqual(bare.status, 403, "no hash")
        self.assertEqual(fetch(upload.url).status, 403, "a URL to write does not read")
        self.assertEqual(self.put(upload, FILM).status, 200)
        self.call("AttachContent", "teacher", content_id=upload.content.content_id)
        file, = self.read("teacher", lesson).files
        self.assertEqual((fetch(file.url).body, file.content), (FILM, upload.content))

    def test_a_url_that_was_changed_or_is_over(self):
        _, (lesson,) = self.course()
        self.film(lesson)
        url = self.read("teacher", lesson).files[0].url
        self.assertEqual(fetch(url).status, 200)
        for at in (url.index("/cnt_") + 8, url.index("X-Amz-Expires=") + 14, url.index("X-Amz-Date=") + 18, len(url) - 1):
            changed = url[:at] + chr(ord(url[at]) ^ 1) + url[at + 1:]
            self.assertIn(fetch(changed).status, (400, 403), changed)
        self.assertEqual(fetch(url, "PUT", {}, b"x").status, 403)
        self.assertEqual(fetch(url.split("?")[0]).status, 403, "without a signature")
        short = self.stack.start("--stream-seconds", "2", "--upload-seconds", "2")
        wire = Wire(short.target)
        self.addCleanup(wire.close)
        url = wire.call("content", "GetLessonContent", self.tokens["teacher"], lesson_id=lesson).content.files[0].url
        late = wire.call("content", "CreateContentUpload", self.tokens["teacher"],
                         **self.describe(b"x", lesson_id=lesson, role=ATTACHMENT, file_name="x", content_type="text/plain"))
        self.assertEqual(fetch(url).status, 200)
        time.sleep(3.1)
        self.assertEqual(fetch(url).status, 403)
        self.assertEqual(self.put(late, b"x").status, 403)

    def test_a_file_is_saved_under_its_name(self):
        _, (lesson,) = self.course()
        name = "作业 1; \"x\".pdf"
        self.attach(b"%PDF", lesson_id=lesson, role=ATTACHMENT, content_type="application/pdf", file_name=name)
        answer = fetch(self.read("teacher", lesson).files[0].url)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/pdf"))
        self.assertEqual(answer.headers["content-disposition"], "attachment; filename*=UTF-8''" + urllib.parse.quote(name))

    def test_from_the_command_line(self):
        _, (lesson,) = self.course()
        edu, body = self.world.edu, b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"
        told = edu("create-content-upload", "--lesson-id", lesson, "--role", "captions", "--content-type", "text/vtt",
                   "--language", "EN", "--size-bytes", len(body), "--sha256",
                   base64.b64encode(hashlib.sha256(body).digest()).decode(), user="teacher")
        headers = {h["name"]: h["value"] for h in told["headers"]}
        self.assertEqual(fetch(told["url"], "PUT", headers, body).status, 200)
        content = told["content"]["contentId"]
        edu("attach-content", "--content-id", content, user="teacher")
        edu("set-lesson-text", "--lesson-id", lesson, "--text", "# Hello", "--format", "markdown", user="teacher")
        listed = edu("list-attachments", "--lesson-id", lesson, user="teacher")["attachments"]
        self.assertEqual([(c["role"], c.get("language", "")) for c in listed],
                         [("CONTENT_ROLE_CAPTIONS", "en"), ("CONTENT_ROLE_TEXT", "")])
        read = edu("get-lesson-content", "--lesson-id", lesson, user="teacher")["content"]
        self.assertEqual((read["text"], fetch(read["files"][0]["url"]).body), ("# Hello", body))
        edu("remove-attachment", "--lesson-id", lesson, "--content-id", content, user="teacher")
        self.assertNotIn("files", edu("get-lesson-content", "--lesson-id", lesson, user="teacher")["content"])

    # --- what a draft holds ---

    def test_captions_in_two_languages(self):
        _, (lesson,) = self.course()
        self.film(lesson)
        captions = {"lesson_id": lesson, "role": CAPTIONS, "content_type": "text/vtt"}
        first = self.attach(b"WEBVTT en", language="en", **captions)
        self.attach(b"WEBVTT zh", language="zh-hans", **captions)
        second = self.attach(b"WEBVTT en again", language="EN", **captions)  # takes the place of the first
        files = {f.content.language: fetch(f.url).body for f in self.read("teacher", lesson).files}
        self.assertEqual(files, {"": FILM, "en": b"WEBVTT en again", "zh-Hans": b"WEBVTT zh"})
        self.assertNotEqual(first, second)
        self.refused("CONTENT_NOT_FOUND", "RemoveAttachment", "teacher", lesson_id=lesson, content_id=first)
        self.call("RemoveAttachment", "teacher", lesson_id=lesson, content_id=second)
        self.assertEqual([f.content.language for f in self.read("teacher", lesson).files], ["", "zh-Hans"])
        self.call("AttachContent", "teacher", content_id=first)  # still known
        self.call("AttachContent", "teacher", content_id=first)
        self.assertEqual(len(self.read("teacher", lesson).files), 3)

    def test_a_text_as_long_as_may_be(self):
        _, (lesson,) = self.course("TEXT")
        text = "\U0001d11e" * 65536
        self.call("SetLessonText", "teacher", lesson_id=lesson, text=text, format=1)
        content = self.call("SetLessonText", "teacher", lesson_id=lesson, text=text, format=2).content
        self.assertEqual((content.size_bytes, content.sha256), (262144, hashlib.sha256(text.encode()).digest()))
        read = self.read("teacher", lesson)
        self.assertEqual((read.text, read.text_format), (text, 2))
        self.assertEqual(len(self.call("ListAttachments", "teacher", lesson_id=lesson).attachments), 1)

    def test_no_more_attachments_than_may_be(self):
        _, (lesson,) = self.course()
        made = [self.upload(b"x", lesson_id=lesson, role=ATTACHMENT, content_type="text/plain", file_name=f"{i}").content
                for i in range(21)]
        for content in made[:20]:
            self.call("AttachContent", "teacher", content_id=content.content_id)
        self.refused("CONTENT_FULL", "AttachContent", "teacher", content_id=made[20].content_id)
        self.call("RemoveAttachment", "teacher", lesson_id=lesson, content_id=made[0].content_id)
        self.call("AttachContent", "teacher", content_id=made[20].content_id)

    def test_what_does_not_go_together(self):
        course, (lesson,) = self.course()
        good = {"lesson_id": lesson, "role": CAPTIONS, "content_type": "text/vtt", "language": "en"}
        for field, wrong in (("lesson_id", {"lesson_id": ""}), ("lesson_id", {"course_id": course}),
                             ("content_type", {"content_type": "text/html"}), ("content_type", {"content_type": "TEXT/VTT"}),
                             ("content_type", {"content_type": "vtt"}), ("language", {"language": ""}), ("role", {"role": 7}),
                             ("lesson_id", {"role": COVER, "content_type": "image/png"}),
                             ("course_id", {"lesson_id": "", "course_id": course}),
                             ("file_name", {"role": ATTACHMENT}), *(("file_name", {"role": ATTACHMENT, "file_name": name})
                                                                    for name in ("a/b", "a\\b", ".", ".."))):
            with self.subTest(wrong):
                error = self.refused("FIELD_INVALID", "CreateContentUpload", "teacher",
                                     **self.describe(b"x", **{**good, **wrong}))
                self.assertEqual(error.fields, [field])
        for use, device in ((STREAM, "phone"), (DOWNLOAD, "")):
            self.refused("FIELD_INVALID", "GetLessonContent", "teacher", lesson_id=lesson, use=use, device_name=device)

    def test_a_repeated_upload_has_another_url_of_the_same(self):
        _, (lesson,) = self.course()
        fields = {"lesson_id": lesson, "role": MEDIA, "content_type": "video/mp4",
                  "request_id": "6f9c2e9a-0b1f-4b70-9c37-2f6f8f1f0a01"}
        first = self.upload(FILM, **fields)
        time.sleep(1.1)
        again = self.upload(FILM, **fields)
        self.assertEqual(first.content, again.content)
        self.assertNotEqual(first.url, again.url)
        self.assertEqual(self.put(again, FILM).status, 200)
        self.assertNotIn("X-Amz", "".join(map(str, self.stack.sql("SELECT CONVERT(reply USING latin1) FROM idempotency"))))
        with self.assertRaises(Refused) as caught:
            self.upload(FILM + b"!", **fields)
        self.assertEqual(caught.exception.reason, "REQUEST_ID_REUSED")

    # --- what a publication holds ---

    def test_a_draft_goes_on_beside_what_is_published(self):
        course, (lesson,) = self.course("TEXT")
        film = self.film(lesson)
        told = {}

        def write(what):
            self.call("SetLessonText", "teacher", lesson_id=lesson, text=what, format=1)
            told[what] = self.attach(what.encode(), lesson_id=lesson, role=CAPTIONS, content_type="text/vtt", language="en")

        write("first")
        self.publish(course)
        buyer = self.buyer(course)
        write("second")
        self.assertEqual(self.read(buyer, lesson).text, "first")
        self.publish(course)
        write("third")
        for who, view, text, revision in ((buyer, 0, "second", 2), ("teacher", 1, "second", 2), ("teacher", DRAFT, "third", 0)):
            read = self.read(who, lesson, view=view)
            self.assertEqual((read.text, read.revision), (text, revision))
            self.assertEqual([f.content.content_id for f in read.files], [film, told[text]])
            self.assertEqual(fetch(read.files[1].url).body, text.encode())
        # Media that was published stays: neither other media nor none.
        other = self.upload(b"other", lesson_id=lesson, role=MEDIA, content_type="video/mp4").content.content_id
        self.refused("MEDIA_FROZEN", "AttachContent", "teacher", content_id=other)
        self.refused("MEDIA_FROZEN", "RemoveAttachment", "teacher", lesson_id=lesson, content_id=film)
        self.call("AttachContent", "teacher", content_id=film)  # as it is
        # What no revision holds any more is told apart from what one does.
        self.call("RemoveAttachment", "teacher", lesson_id=lesson, content_id=told["third"])
        unused = self.stack.sql(f"SELECT content_id FROM content WHERE lesson_id = {id_number(lesson)} AND role <> 7"
                                " AND unused_time IS NOT NULL ORDER BY content_id")
        self.assertEqual([int(x) for x, in unused], sorted(map(id_number, (told["third"], other))))

    def test_what_a_deleted_lesson_held_is_let_go(self):
        course, (lesson, kept) = self.course("VIDEO", "TEXT")
        film = self.film(lesson)
        self.call("SetLessonText", "teacher", lesson_id=kept, text="T", format=1)
        self.world.edu("delete-lesson", "--lesson-id", lesson, user="teacher")
        self.refused("LESSON_NOT_FOUND", "GetLessonContent", "teacher", lesson_id=lesson)
        self.refused("CONTENT_NOT_FOUND", "AttachContent", "teacher", content_id=film)
        held = self.stack.sql(f"SELECT lesson_id FROM content WHERE course_id = {id_number(course)} AND unused_time IS NULL")
        self.assertEqual(held, [[str(id_number(kept))]])

    def test_review_wants_what_the_kind_asks_for(self):
        course, (text, video, live) = self.course("TEXT", "VIDEO", "LIVE")
        fields = {"course_id": course}
        with self.assertRaises(Refused) as caught:
            self.wire.call("course", "SubmitCourseForReview", self.tokens["teacher"], **fields)
        self.assertEqual(caught.exception.reason, "COURSE_INCOMPLETE")
        self.call("SetLessonText", "teacher", lesson_id=text, text="T", format=2)
        self.film(video)
        self.publish(course)

    # --- who is given one ---

    def test_who_reads_a_published_lesson(self):
        course, (lesson,) = self.course()
        self.film(lesson)
        self.refused("LESSON_NOT_FOUND", "GetLessonContent", None, lesson_id=lesson)
        self.publish(course)
        buyer, stranger, rival = self.buyer(course), self.somebody(), self.somebody("INSTRUCTOR")
        for who in (buyer, "teacher", "root-admin"):
            read = self.read(who, lesson)
            self.assertEqual((read.revision, fetch(read.files[0].url).body), (1, FILM))
        for who in (None, stranger, rival):
            self.refused("ACCESS_MISSING", "GetLessonContent", who, lesson_id=lesson)
        self.refused("ACCESS_MISSING", "GetLessonContent", None, lesson_id=lesson, use=DOWNLOAD, device_name="phone")
        for who in (None, stranger, buyer, rival):
            self.refused("NOT_COURSE_INSTRUCTOR", "GetLessonContent", who, lesson_id=lesson, view=DRAFT)
            self.refused("NOT_COURSE_INSTRUCTOR", "ListAttachments", who, lesson_id=lesson, view=DRAFT)
            self.assertEqual(len(self.call("ListAttachments", who, lesson_id=lesson).attachments), 1)
        # What was bought and taken away again.
        self.stack.sql(f"UPDATE access_grant SET revoke_time = 1 WHERE user_id = {id_number(self.stack.users[buyer])};"
                       "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, payload)"
                       f" VALUES (17, 'access.revoked', 1, {id_number(self.stack.users[buyer])}, {id_number(course)}, 0, 1, '')")
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                self.read(buyer, lesson)
                time.sleep(0.05)
            except Refused as error:
                self.assertEqual(error.reason, "ACCESS_MISSING")
                break
        else:
            self.fail("what was taken away is still given")
        # Once it is archived, whoever has or had access keeps it.
        self.stack.sql(f"UPDATE course SET stage = 4 WHERE course_id = {id_number(course)}")
        self.assertEqual(fetch(self.read(buyer, lesson).files[0].url).body, FILM)
        self.refused("LESSON_NOT_FOUND", "GetLessonContent", stranger, lesson_id=lesson)

    def test_a_free_preview_is_for_everybody(self):
        course = self.world.new_course()
        lesson = self.world.edu("create-lesson", "--course-id", course, "--title", "Preview", "--kind", "TEXT",
                                "--free-preview", user="teacher")["lesson"]["lessonId"]
        self.call("SetLessonText", "teacher", lesson_id=lesson, text="For everybody.", format=1)
        self.refused("LESSON_NOT_FOUND", "GetLessonContent", None, lesson_id=lesson)
        self.publish(course)
        for who in (None, self.somebody()):
            self.assertEqual(self.read(who, lesson).text, "For everybody.")

    def release(self, lesson, **columns):
        """Of the revision that is shown, as another publication would say it."""
        self.stack.sql("UPDATE lesson_revision SET " + ", ".join(f"{k} = {v}" for k, v in columns.items()) +
                       f" WHERE lesson_id = {id_number(lesson)};"
                       "INSERT INTO event (event_id, kind, subject_id, user_id, course_id, organization_id, create_time, payload)"
                       f" SELECT {time.time_ns() // 1000}, 'course.updated', course_id, 0, course_id, 0, 1, ''"
                       f" FROM lesson WHERE lesson_id = {id_number(lesson)}")
        time.sleep(1)  # the feed tells of it

    def test_nothing_is_shown_before_its_release(self):
        course, (lesson,) = self.course()
        self.film(lesson)
        self.publish(course)
        buyer = self.buyer(course)
        tomorrow = time.time_ns() // 1000 + 86400 * 10**6
        self.release(lesson, release_time=tomorrow)
        error = self.refused("LESSON_NOT_RELEASED", "GetLessonContent", buyer, lesson_id=lesson)
        self.assertEqual(error.metadata["release_time"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(tomorrow // 10**6)))
        self.refused("LESSON_NOT_RELEASED", "GetLessonContent", buyer, lesson_id=lesson, use=DOWNLOAD, device_name="phone")
        for who in ("teacher", "root-admin"):
            self.assertEqual(len(self.read(who, lesson).files), 1)
        self.release(lesson, release_time=1, release_after_days=1)
        self.refused("LESSON_NOT_RELEASED", "GetLessonContent", buyer, lesson_id=lesson)
        early = self.buyer(course)
        self.stack.sql("; ".join(f"UPDATE {table} SET start_time = start_time - 86400000000"
                                 f" WHERE user_id = {id_number(self.stack.users[early])}"
                                 for table in ("enrollment", "access_grant")))
        self.assertEqual(len(self.read(early, lesson).files), 1)
        # What is for everybody is so from one time on.
        self.release(lesson, release_time=tomorrow, free_preview=1)
        self.refused("LESSON_NOT_RELEASED", "GetLessonContent", None, lesson_id=lesson)
        self.release(lesson, release_time=1)
        self.assertEqual(len(self.read(None, lesson).files), 1)

    # --- what is taken along ---

    def test_downloads_are_counted_once(self):
        course, lessons = self.course("VIDEO", "VIDEO", "VIDEO")
        for lesson in lessons:
            self.film(lesson)
        self.publish(course)
        buyer = self.buyer(course)
        first = self.read(buyer, lessons[0], use=DOWNLOAD, device_name="phone")
        seconds = first.download_expire_time.seconds - time.time()
        self.assertTrue(29.9 * 86400 < seconds <= 30 * 86400, seconds)
        url_seconds = first.files[0].expire_time.seconds - time.time()
        self.assertTrue(6.9 * 86400 < url_seconds <= 7 * 86400, url_seconds)
        self.assertEqual(fetch(first.files[0].url).body, FILM)
        for _ in range(3):
            again = self.read(buyer, lessons[0], use=DOWNLOAD, device_name="phone")
            self.assertEqual(again.download_expire_time, first.download_expire_time)
        self.read(buyer, lessons[1], use=DOWNLOAD, device_name="phone")
        error = self.refused("DOWNLOAD_LIMIT_REACHED", "GetLessonContent", buyer, lesson_id=lessons[2], use=DOWNLOAD,
                             device_name="phone")
        self.assertEqual((error.code, error.metadata["most"], error.retry), ("RESOURCE_EXHAUSTED", "2", True))
        self.read(buyer, lessons[2], use=DOWNLOAD, device_name="tablet")
        self.read(buyer, lessons[2])  # to learn it now is not counted
        # One that has ended makes room.
        self.stack.sql(f"UPDATE download SET start_time = 1, expire_time = 2 WHERE lesson_id = {id_number(lessons[1])}")
        self.read(buyer, lessons[2], use=DOWNLOAD, device_name="phone")

    def test_repeat_when_there_is_room(self):
        course, lessons = self.course("VIDEO", "VIDEO", "VIDEO")
        for lesson in lessons:
            self.film(lesson)
        self.publish(course)
        buyer, hour = self.buyer(course), 3600

        def take(device, lesson, seconds=None):
            self.read(buyer, lessons[lesson], use=DOWNLOAD, device_name=device)
            if seconds:
                self.stack.sql(f"UPDATE download SET expire_time = {time.time_ns() // 1000 + seconds * 10**6}"
                               f" WHERE device_name = '{device}' AND lesson_id = {id_number(lessons[lesson])}")

        def retry(device, lesson):
            return self.refused("DOWNLOAD_LIMIT_REACHED", "GetLessonContent", buyer, lesson_id=lessons[lesson], use=DOWNLOAD,
                                device_name=device).retry_seconds

        take("phone", 0)
        take("phone", 1, 5 * hour)
        take("tablet", 2, hour)
        self.assertAlmostEqual(retry("phone", 2), 5 * hour, delta=60)  # what ends on another device makes no room here
        take("tablet", 0)
        take("laptop", 0, hour)
        take("laptop", 1, 2 * hour)
        self.assertAlmostEqual(retry("watch", 0), 2 * hour, delta=60)  # a device is kept until its last has ended

    def test_no_race_takes_more(self):
        course, (lesson,) = self.course()
        self.film(lesson)
        self.publish(course)
        buyer, told = self.buyer(course), []

        def take(device):
            try:
                self.read(buyer, lesson, use=DOWNLOAD, device_name=device)
                told.append("OK")
            except Refused as error:
                told.append(error.reason)

        racers = [threading.Thread(target=take, args=(f"device {i % 8}",)) for i in range(24)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        self.assertEqual(sorted(set(told)), ["DOWNLOAD_LIMIT_REACHED", "OK"])
        kept = self.stack.sql(f"SELECT COUNT(*), COUNT(DISTINCT device_name) FROM download WHERE lesson_id = {id_number(lesson)}")
        self.assertEqual(kept, [["3", "3"]])

    def test_a_download_does_not_outlive_access(self):
        course, (lesson,) = self.course()
        self.film(lesson)
        self.publish(course)
        buyer = self.buyer(course)
        end = time.time_ns() // 1000 + 3600 * 10**6
        other = self.somebody()
        self.stack.sql("INSERT INTO access_grant (user_id, scope_kind, scope_id, grant_id, source_kind, source_id, start_time,"
                       f" expire_time) VALUES ({id_number(self.stack.users[other])}, 1, {id_number(course)}, 18, 6, 1,"
                       f" {end - 7200 * 10**6}, {end})")
        read = self.read(other, lesson, use=DOWNLOAD, device_name="phone")
        self.assertEqual(read.download_expire_time.seconds, end // 10**6)
        self.assertLessEqual(read.files[0].expire_time.seconds, end // 10**6)
        self.assertGreater(self.read(buyer, lesson, use=DOWNLOAD, device_name="phone").download_expire_time.seconds,
                           end // 10**6)


class WithoutStore(unittest.TestCase):
    def test_text_needs_none(self):
        with Stack(store=False) as stack:
            world = World(stack)
            course = world.new_course()
            lesson = world.add_lesson(course, "TEXT")["lessonId"]
            world.edu("set-lesson-text", "--lesson-id", lesson, "--text", "To be read", "--format", "plain", user="teacher")
            read = world.edu("get-lesson-content", "--lesson-id", lesson, user="teacher")["content"]
            self.assertEqual(read["text"], "To be read")
            done = stack.edu_raw("create-content-upload", "--lesson-id", lesson, "--role", "attachment", "--content-type",
                                 "text/plain", "--file-name", "x", "--size-bytes", 1, "--sha256",
                                 base64.b64encode(bytes(32)).decode(), user="teacher")
            self.assertIn("OBJECT_STORE_MISSING", done.stderr)


if __name__ == "__main__":
    unittest.main()
