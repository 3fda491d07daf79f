# From .proto to libraries. edu_proto_c() makes the messages of protobuf-c; edu_proto_grpc() makes what
# protoc-gen-grpc-c adds to them. All generated files lie under ${EDU_GEN_DIR} by their import path, so that
# #include "google/rpc/status.pb-c.h" finds them.

set(EDU_GEN_DIR ${CMAKE_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${EDU_GEN_DIR})

# Where Debian keeps the well-known types.
find_path(EDU_WELLKNOWN_DIR google/protobuf/descriptor.proto REQUIRED)

# edu_generated_room(NAME SOURCES file... DEPS target...): a room whose code we did not write, so that our warnings do
# not apply to it. Its headers are system headers to whoever links it.
function(edu_generated_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS" ${ARGN})
  if(EDU_ROOMS_SHARED)
    add_library(${name} SHARED ${ROOM_SOURCES})
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  else()
    add_library(${name} STATIC ${ROOM_SOURCES})
  endif()
  target_compile_options(${name} PRIVATE -w)
  target_include_directories(${name} SYSTEM PUBLIC ${EDU_GEN_DIR})
  target_link_libraries(${name} PUBLIC edu_flags PkgConfig::PROTOBUF_C ${ROOM_DEPS})
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
  edu_generated_room(${PROTO_TARGET} SOURCES ${sources} DEPS ${PROTO_DEPS})
endfunction()
