// SPDX-License-Identifier: Apache-2.0

// A partner's program: node partner.js PROTO_DIRECTORY TARGET USER_NAME PASSWORD registers and reads, and prints what it
// got as JSON.
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const path = require("path");

const [published, target, name, password] = process.argv.slice(2);
const googleapis = path.dirname(require.resolve("google-proto-files/package.json"));
const definitions = loader.loadSync(
  ["edu/v1/edu_service.proto", "google/rpc/status.proto", "google/rpc/error_details.proto", path.resolve("house.proto")],
  { keepCase: true, longs: String, enums: String, includeDirs: [published, googleapis] },
);
const { edu } = grpc.loadPackageDefinition(definitions);

function decode(type, bytes) {
  return definitions[type].deserialize(bytes);
}

function details(error) {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  return definitions["google.rpc.Status"].deserialize(packed).details;
}

async function main() {
  const service = new edu.v1.EduService(target, grpc.credentials.createInsecure());
  const call = (method, request, token) =>
    new Promise((resolve, reject) => {
      const metadata = new grpc.Metadata();
      if (token) metadata.set("authorization", `Bearer ${token}`);
      service[method](request, metadata, { deadline: Date.now() + 20000 }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });

  await call("RegisterUser", { user_name: name, password });
  const { session } = await call("Login", { login: name, password });
  const { user } = await call("GetUser", {}, session.access_token);
  const { courses } = await call("ListCourses", {}, session.access_token);
  const got = { user_name: user.user_name, titles: courses.map((course) => course.title) };
  try {
    await call("GetCourse", { course_id: "nonsense" }, session.access_token);
  } catch (error) {
    got.code = error.code;
    for (const detail of details(error)) {
      const type = detail.type_url.split("/")[1];
      if (type === "google.rpc.ErrorInfo") {
        const info = decode(type, detail.value);
        Object.assign(got, { domain: info.domain, reason: info.reason });
      } else if (type === "google.rpc.BadRequest") {
        got.field = decode(type, detail.value).field_violations[0].field;
      }
    }
  }
  console.log(JSON.stringify(got));
  service.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
