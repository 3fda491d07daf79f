# SPDX-License-Identifier: Apache-2.0
"""A client in another language lists and calls the service through reflection, with no .proto at hand."""
import os
import time
import unittest

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from stack import Stack
from test_every_rpc import World, declared_methods


class Reflection(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A server under AddressSanitizer would keep what it frees, which is not what is measured here.
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        cls.stack = Stack().__enter__()
        cls.channel = grpc.insecure_channel(cls.stack.target)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.stack.__exit__(None, None, None)

    def test_lists_and_calls(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.assertEqual(set(database.get_services()),
                         {"edu.v1.EduService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                          "grpc.reflection.v1alpha.ServerReflection"})
        service = descriptor_pool.DescriptorPool(database).FindServiceByName("edu.v1.EduService")
        self.assertEqual(sorted(m.name for m in service.methods), sorted(declared_methods()))

        course = World(self.stack).course
        method = service.FindMethodByName("GetCourse")
        request = message_factory.GetMessageClass(method.input_type)(course_id=course)
        call = self.channel.unary_unary("/edu.v1.EduService/GetCourse",
                                        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString)
        answer = call(request.SerializeToString(), timeout=10)
        self.assertEqual(answer.course.course_id, course)

    def ask(self, version, *requests):
        call = self.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                          reflection_pb2.ServerReflectionRequest.SerializeToString,
                                          reflection_pb2.ServerReflectionResponse.FromString)
        return list(call(iter(requests), timeout=10))

    def test_both_versions_answer_alike(self):
        ask = reflection_pb2.ServerReflectionRequest
        requests = [ask(list_services=""), ask(file_containing_symbol="edu.v1.EduService.GetCourse"),
                    ask(file_containing_symbol="edu.v1.Course"), ask(file_by_filename="edu/v1/user.proto"),
                    ask(file_containing_symbol="no.such.Symbol"), ask(file_by_filename="no/such.proto")]
        v1, v1alpha = self.ask("v1", *requests), self.ask("v1alpha", *requests)
        self.assertEqual(v1, v1alpha)
        self.assertEqual([r.WhichOneof("message_response") for r in v1],
                         ["list_services_response"] + ["file_descriptor_response"] * 3 + ["error_response"] * 2)
        for request, answer in zip(requests, v1):
            self.assertEqual(answer.original_request, request)
        self.assertEqual(v1[4].error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0])

    def test_a_client_that_never_reads_leaves_memory_flat(self):
        stub = reflection_pb2_grpc.ServerReflectionStub(self.channel)
        sent = [0]

        def forever():
            while sent[0] < 200000:
                sent[0] += 1
                yield reflection_pb2.ServerReflectionRequest(file_containing_symbol="edu.v1.EduService")

        before = self.resident_kib()
        calls = [stub.ServerReflectionInfo(forever()) for _ in range(8)]
        peak = before
        for _ in range(50):
            peak = max(peak, self.resident_kib())
            time.sleep(0.1)
        for call in calls:
            call.cancel()
        # 8 streams, each allowed a flow-control window and one answer of some 100 KiB.
        self.assertLess(peak - before, 24 * 1024, f"{before} KiB grew to {peak} KiB after {sent[0]} requests")

    def resident_kib(self):
        with open(f"/proc/{self.stack.replicas[0].process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


if __name__ == "__main__":
    unittest.main()
