# SPDX-License-Identifier: Apache-2.0
"""Calls with bytes of one's own making, and errors read as a partner in another language reads them."""
import contextlib
import importlib
import re
import subprocess
import sys
import tempfile

import grpc

from stack import ROOT, Replica


def _generate():
    """Makes Python modules of the contract's .proto files, as a partner would; they go with the process."""
    directory = tempfile.TemporaryDirectory(prefix="edu-e2e-proto-")
    proto = ROOT / "proto"
    files = [*proto.glob("edu/v1/*.proto"), proto / "grpc_c/v1/options.proto",
             *(proto / "deps").glob("google/rpc/*.proto")]
    subprocess.run(["protoc", f"-I{proto / 'deps'}", f"-I{proto}", f"--python_out={directory.name}", *files],
                   check=True)
    # google is a namespace package: google.rpc is found beside protobuf's own google.protobuf.
    sys.path.insert(0, directory.name)
    return directory


_generated = _generate()


def messages(name):
    """The Python module of a .proto of the contract: messages("edu.v1.user")."""
    return importlib.import_module(name + "_pb2")


# By method, the reasons that its comment lists.
LISTED = {method: set(re.findall(r"\b[A-Z_]{4,}\b", comment.partition("Errors:")[2])) for comment, method in re.findall(
    r"((?:^  //.*\n)+)  rpc (\w+)\(", (ROOT / "proto/edu/v1/edu_service.proto").read_text(), re.MULTILINE)}


def check_listed(path, reason):
    """What a method answers is among the errors of its comment, or of those that any call may have."""
    method = path.rpartition("/")[2]
    reasons = messages("edu.v1.error").ErrorReason
    if reason and method in LISTED and reasons.Value("ERROR_REASON_" + reason) > reasons.Value("ERROR_REASON_INTERNAL"):
        assert reason in LISTED[method], f"the comment of {method} does not list {reason} among its errors"


class Refused(Exception):
    """An error of the service: code, reason, metadata, violated fields."""

    def __init__(self, error):
        self.code = error.code().name
        self.text, self.reason, self.metadata, self.fields, self.retry = error.details(), "", {}, [], False
        self.retry_seconds = None
        self.trailers = dict(error.trailing_metadata() or ())
        details = messages("google.rpc.error_details")
        status = messages("google.rpc.status").Status.FromString(self.trailers.get("grpc-status-details-bin", b""))
        assert len(self.trailers.get("grpc-status-details-bin", b"")) <= 4096
        for packed in status.details:
            if packed.Is(details.ErrorInfo.DESCRIPTOR):
                info = details.ErrorInfo()
                packed.Unpack(info)
                assert info.domain == "edu.v1", info.domain
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif packed.Is(details.BadRequest.DESCRIPTOR):
                bad = details.BadRequest()
                packed.Unpack(bad)
                self.fields = [v.field for v in bad.field_violations]
            elif packed.Is(details.RetryInfo.DESCRIPTOR):
                told = details.RetryInfo()
                packed.Unpack(told)
                self.retry, self.retry_seconds = True, told.retry_delay.seconds
        super().__init__(f"{self.code} {self.reason} {self.metadata} {self.fields}: {self.text}")


def fill(call, token, lesson):
    """What review wants of a lesson of its kind, by call(area, method, token, ...): a text, or media where files are kept."""
    if lesson.kind == 2:
        call("content", "SetLessonText", token, lesson_id=lesson.lesson_id, text="To be read.", format=1)
    if lesson.kind != 1:
        return
    try:
        made = call("content", "CreateContentUpload", token, lesson_id=lesson.lesson_id, role=1, content_type="video/mp4",
                    size_bytes=1, sha256=bytes(32))
    except Refused as error:
        if error.reason != "OBJECT_STORE_MISSING":
            raise
    else:
        call("content", "AttachContent", token, content_id=made.content.content_id)


class Wire:
    """A channel to a server, speaking bytes. A patient one waits, within a call's time, for a server to be there."""

    def __init__(self, target, options=(), patient=False):
        self.patient = patient
        self.channel = grpc.insecure_channel(target, [("grpc.max_send_message_length", -1), *options])

    def close(self):
        self.channel.close()

    def raw(self, path, payload, token=None, timeout=20, metadata=()):
        """Sends bytes, returns bytes; Refused carries the error."""
        headers = [*metadata, *([("authorization", "Bearer " + token)] if token else [])]
        try:
            return self.channel.unary_unary(path)(payload, timeout=timeout, metadata=headers,
                                                  wait_for_ready=self.patient)
        except grpc.RpcError as error:
            refused = Refused(error)
            check_listed(path, refused.reason)
            raise refused from None

    def call(self, area, method, token=None, timeout=20, **fields):
        """A typed call: call("user", "GetUser", token, user_id=...)."""
        module = messages("edu.v1." + area)
        request = getattr(module, method + "Request")(**fields)
        answer = self.raw("/edu.v1.EduService/" + method, request.SerializeToString(), token, timeout)
        return getattr(module, method + "Response").FromString(answer)


@contextlib.contextmanager
def own_replica(stack, *flags, options=()):
    """A server of the test's own, killed if the test forgets it, and a Wire to it with these channel options."""
    replica = Replica(stack, *flags)
    wire = Wire(replica.target, options)
    try:
        yield replica, wire
    finally:
        wire.close()
        if replica.process.poll() is None:
            replica.process.kill()
            replica.stop()
