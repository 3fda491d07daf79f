# SPDX-License-Identifier: Apache-2.0
"""A partner's program: partner.py TARGET USER_NAME PASSWORD registers and reads, and prints what it got as JSON."""
import json
import sys

import grpc
import house_pb2
from edu.v1 import edu_service_pb2, edu_service_pb2_grpc
from google.protobuf import message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

METHODS = edu_service_pb2.DESCRIPTOR.services_by_name["EduService"].methods_by_name


def main(target, name, password):
    with grpc.insecure_channel(target) as channel:
        service = edu_service_pb2_grpc.EduServiceStub(channel)

        def call(method, token=None, **fields):
            request = message_factory.GetMessageClass(METHODS[method].input_type)(**fields)
            metadata = [("authorization", "Bearer " + token)] if token else None
            return getattr(service, method)(request, metadata=metadata, timeout=20)

        call("RegisterUser", user_name=name, password=password)
        token = call("Login", login=name, password=password).session.access_token
        got = {"user_name": call("GetUser", token).user.user_name,
               "titles": [course.title for course in call("ListCourses", token).courses]}
        try:
            call("GetCourse", token, course_id="nonsense")
        except grpc.RpcError as error:
            got["code"] = error.code().value[0]
            for detail in rpc_status.from_call(error).details:
                info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
                if detail.Unpack(info):
                    got["domain"], got["reason"] = info.domain, info.reason
                elif detail.Unpack(bad):
                    got["field"] = bad.field_violations[0].field
        options = house_pb2.Customer.DESCRIPTOR.fields_by_name["user_name"].GetOptions()
        got["note"] = options.Extensions[house_pb2.note]
        print(json.dumps(got))


main(*sys.argv[1:])
