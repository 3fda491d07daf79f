// SPDX-License-Identifier: Apache-2.0

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import edu.v1.*;
import house.Customer;
import house.House;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;

/** A partner's program: Partner TARGET USER_NAME PASSWORD registers and reads, and prints what it got as JSON. */
public class Partner {
    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static EduServiceGrpc.EduServiceBlockingStub signedIn(EduServiceGrpc.EduServiceBlockingStub service, String token) {
        Metadata metadata = new Metadata();
        metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        return service.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
    }

    static void run(ManagedChannel channel, String name, String password) throws Exception {
        var service = EduServiceGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
        service.registerUser(RegisterUserRequest.newBuilder().setUserName(name).setPassword(password).build());
        Session session = service.login(LoginRequest.newBuilder().setLogin(name).setPassword(password).build()).getSession();
        var mine = signedIn(service, session.getAccessToken());
        User user = mine.getUser(GetUserRequest.getDefaultInstance()).getUser();
        var titles = new StringJoiner(", ", "[", "]");
        for (Course course : mine.listCourses(ListCoursesRequest.getDefaultInstance()).getCoursesList())
            titles.add(quoted(course.getTitle()));
        var got = new StringJoiner(", ", "{", "}");
        got.add("\"user_name\": " + quoted(user.getUserName())).add("\"titles\": " + titles);
        try {
            mine.getCourse(GetCourseRequest.newBuilder().setCourseId("nonsense").build());
        } catch (StatusRuntimeException error) {
            com.google.rpc.Status status = StatusProto.fromThrowable(error);
            got.add("\"code\": " + status.getCode());
            for (Any detail : status.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    ErrorInfo info = detail.unpack(ErrorInfo.class);
                    got.add("\"domain\": " + quoted(info.getDomain())).add("\"reason\": " + quoted(info.getReason()));
                } else if (detail.is(BadRequest.class)) {
                    got.add("\"field\": " + quoted(detail.unpack(BadRequest.class).getFieldViolations(0).getField()));
                }
            }
        }
        var options = Customer.getDescriptor().findFieldByName("user_name").getOptions();
        got.add("\"note\": " + quoted(options.getExtension(House.note)));
        System.out.println(got);
    }

    public static void main(String[] arguments) throws Exception {
        ManagedChannel channel = NettyChannelBuilder.forTarget(arguments[0]).usePlaintext().build();
        try {
            run(channel, arguments[1], arguments[2]);
        } finally {
            channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        }
    }
}
