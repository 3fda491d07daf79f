# SPDX-License-Identifier: Apache-2.0
# From .proto to libraries. edu_proto_c() makes the messages of protobuf-c; edu_proto_grpc() makes what
# protoc-gen-grpc-c adds to them. All generated files lie under ${EDU_GEN_DIR} by their import path, so that
# #include "google/rpc/status.pb-c.h" finds them.

set(EDU_GEN_DIR ${CMAKE_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${EDU_GEN_DIR})
target_include_directories(edu_flags SYSTEM INTERFACE ${EDU_GEN_DIR})

# Where Debian keeps the well-known types.
find_path(EDU_WELLKNOWN_DIR google/protobuf/descriptor.proto REQUIRED)

# edu_generated_room(NAME SOURCES file... DEPS target... [MESSAGES target...]): a room whose code we did not write, so
# that our warnings do not apply to it. Who has it has the MESSAGES that its headers are made of, too.
function(edu_generated_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS;MESSAGES" ${ARGN})
  edu_room_library(${name} SOURCES ${ROOM_SOURCES} DEPS ${ROOM_DEPS})
  target_compile_options(${name} PRIVATE -w)
  target_link_libraries(${name} PUBLIC PkgConfig::PROTOBUF_C ${ROOM_MESSAGES})
endfunction()

# edu_proto_c(TARGET name PROTOS import/path.proto... IMPORT_DIRS dir... DEPS target...)
#
# The messages of these files as one room. PROTOS are import paths, looked up in IMPORT_DIRS and then among the
# well-known types. A .proto must belong to exactly one target: its descriptors are compared by address, and messages
# of imported files are linked from the target in DEPS that has them (edu_wellknown for google/protobuf).
function(edu_proto_c)
  cmake_parse_arguments(PROTO "" "TARGET" "PROTOS;IMPORT_DIRS;DEPS" ${ARGN})
  set(import_flags)
  foreach(dir IN LISTS PROTO_IMPORT_DIRS ITEMS ${EDU_WELLKNOWN_DIR})
    list(APPEND import_flags -I${dir})
  endforeach()
  set(sources)
  foreach(proto IN LISTS PROTO_PROTOS)
    string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${EDU_GEN_DIR}/${proto})
    add_custom_command(OUTPUT ${stem}.c ${stem}.h
      COMMAND ${PROTOC_C} ${import_flags} --c_out=${EDU_GEN_DIR} --dependency_out=${stem}.d ${proto}
      DEPFILE ${stem}.d
      COMMENT "protoc-c ${proto}" VERBATIM)
    list(APPEND sources ${stem}.c ${stem}.h)
  endforeach()
  edu_generated_room(${PROTO_TARGET} SOURCES ${sources} MESSAGES ${PROTO_DEPS})
endfunction()

# edu_proto_grpc(TARGET name POLICY required|none [NAMES short|long] PROTOS import/path.proto... IMPORT_DIRS dir...
#                DEPS target...)
#
# edu_proto_c(), and what protoc-gen-grpc-c adds, as rooms of their own:
#   <name>          the messages
#   <name>_tables   "X.tables.h": short names, rules, methods
#   <name>_server   "X.server.h": typed handlers and rows
#   <name>_client   "X.client.h": typed stubs
# What the plugin makes follows from the names of PROTOS. Which files they import, however far, protoc says when it makes
# the messages (their DEPFILE); the tables follow the messages.
# An import outside google/ needs its own edu_proto_grpc(), whose _tables is named in DEPS.
function(edu_proto_grpc)
  cmake_parse_arguments(GRPC "" "TARGET;POLICY;NAMES" "PROTOS;IMPORT_DIRS;DEPS" ${ARGN})
  edu_proto_c(TARGET ${GRPC_TARGET} PROTOS ${GRPC_PROTOS} IMPORT_DIRS ${GRPC_IMPORT_DIRS} DEPS ${GRPC_DEPS})
  if(NOT GRPC_NAMES)
    set(GRPC_NAMES short)
  endif()
  set(import_flags)
  foreach(dir IN LISTS GRPC_IMPORT_DIRS ITEMS ${EDU_WELLKNOWN_DIR})
    list(APPEND import_flags -I${dir})
  endforeach()
  set(messages)
  set(tables)
  set(server)
  set(client)
  foreach(proto IN LISTS GRPC_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${EDU_GEN_DIR}/${proto})
    list(APPEND messages ${stem}.pb-c.h)
    list(APPEND tables ${stem}.tables.c ${stem}.tables.h)
    list(APPEND server ${stem}.server.c ${stem}.server.h)
    list(APPEND client ${stem}.client.c ${stem}.client.h)
  endforeach()
  add_custom_command(OUTPUT ${tables} ${server} ${client}
    COMMAND ${PROTOC} ${import_flags} --plugin=protoc-gen-grpc-c=$<TARGET_FILE:protoc-gen-grpc-c>
      --grpc-c_out=policy=${GRPC_POLICY},names=${GRPC_NAMES}:${EDU_GEN_DIR} ${GRPC_PROTOS}
    DEPENDS protoc-gen-grpc-c ${messages}
    COMMENT "protoc-gen-grpc-c ${GRPC_TARGET}" VERBATIM)
  # One target runs the command; without it each of the three rooms would, at the same time.
  add_custom_target(${GRPC_TARGET}_generated DEPENDS ${tables} ${server} ${client})
  add_dependencies(${GRPC_TARGET}_generated ${GRPC_TARGET})
  edu_generated_room(${GRPC_TARGET}_tables SOURCES ${tables} MESSAGES ${GRPC_TARGET} DEPS edu_runtime)
  edu_generated_room(${GRPC_TARGET}_server SOURCES ${server} MESSAGES ${GRPC_TARGET}_tables)
  edu_generated_room(${GRPC_TARGET}_client SOURCES ${client} MESSAGES ${GRPC_TARGET}_tables DEPS edu_client edu_runtime)
  foreach(room tables server client)
    add_dependencies(${GRPC_TARGET}_${room} ${GRPC_TARGET}_generated)
  endforeach()
endfunction()
