// SPDX-License-Identifier: Apache-2.0

// A partner's program: partner TARGET USER_NAME PASSWORD registers and reads, and prints what it got as JSON.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	edu "partner/generated/edu/v1"
	"partner/generated/house"
)

func must[T any](answer T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return answer
}

func main() {
	target, name, password := os.Args[1], os.Args[2], os.Args[3]
	connection := must(grpc.Dial(target, grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer connection.Close()
	service := edu.NewEduServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	must(service.RegisterUser(ctx, &edu.RegisterUserRequest{UserName: name, Password: password}))
	session := must(service.Login(ctx, &edu.LoginRequest{Login: name, Password: password})).Session
	signedIn := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+session.AccessToken)
	user := must(service.GetUser(signedIn, &edu.GetUserRequest{})).User
	titles := []string{}
	for _, course := range must(service.ListCourses(signedIn, &edu.ListCoursesRequest{})).Courses {
		titles = append(titles, course.Title)
	}
	got := map[string]any{"user_name": user.UserName, "titles": titles}

	_, err := service.GetCourse(signedIn, &edu.GetCourseRequest{CourseId: "nonsense"})
	refused := status.Convert(err)
	got["code"] = int(refused.Code())
	for _, detail := range refused.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			got["domain"], got["reason"] = detail.Domain, detail.Reason
		case *errdetails.BadRequest:
			got["field"] = detail.FieldViolations[0].Field
		}
	}
	field := (&house.Customer{}).ProtoReflect().Descriptor().Fields().ByName("user_name")
	got["note"] = proto.GetExtension(field.Options(), house.E_Note)
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		log.Fatal(err)
	}
}
