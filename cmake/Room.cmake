# SPDX-License-Identifier: Apache-2.0
# A room is one directory of C that builds one library with one purpose. edu_room() gives every room the same
# warnings; edu_program() and edu_test() do the same for what is linked from rooms.

option(EDU_ROOMS_SHARED "Build each room as a shared library with -z defs, so that an arrow nobody declared fails to link" OFF)
set(EDU_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
option(EDU_FUZZ "Build the fuzz targets (needs clang)" OFF)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

# What a program is linked from goes to a file: the linker's word does not follow 7,000 characters of command.
set(CMAKE_NINJA_FORCE_RESPONSE_FILE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(edu_flags INTERFACE)
target_compile_definitions(edu_flags INTERFACE _GNU_SOURCE)
target_compile_options(edu_flags INTERFACE -fno-omit-frame-pointer)
target_include_directories(edu_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(EDU_SANITIZE)
  target_compile_options(edu_flags INTERFACE -fsanitize=${EDU_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(edu_flags INTERFACE -fsanitize=${EDU_SANITIZE})
endif()
if(EDU_FUZZ)
  target_compile_options(edu_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(edu_warnings INTERFACE)
target_compile_options(edu_warnings INTERFACE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wno-unused-parameter
  # uthash says by comments where a case falls through, which only GCC reads.
  $<$<C_COMPILER_ID:GNU>:-Wimplicit-fallthrough>)

# edu_room_library(NAME SOURCES file... DEPS target...): the library of a room. Linked as a shared one it sees its DEPS and
# nothing of theirs; programs and tests, which arrows do not bind, see all that their rooms do.
function(edu_room_library name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS" ${ARGN})
  if(EDU_ROOMS_SHARED)
    add_library(${name} SHARED ${ROOM_SOURCES})
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  else()
    add_library(${name} STATIC ${ROOM_SOURCES})
  endif()
  target_link_libraries(${name} PUBLIC edu_flags PRIVATE ${ROOM_DEPS})
  foreach(dep IN LISTS ROOM_DEPS)
    target_link_libraries(${name} INTERFACE $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${dep}>)
  endforeach()
endfunction()

# edu_room(NAME SOURCES file... DEPS target...)
function(edu_room name)
  edu_room_library(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE edu_warnings)
endfunction()

# edu_program(NAME SOURCES file... DEPS target...)
function(edu_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE edu_flags edu_warnings ${PROGRAM_DEPS})
endfunction()

# edu_test(NAME SOURCES file... DEPS target... [LABELS label...]): a cmocka program run by ctest.
function(edu_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  edu_program(${name} SOURCES ${TEST_SOURCES} DEPS ${TEST_DEPS} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS "${TEST_LABELS}")
endfunction()

# edu_fuzz(NAME SOURCES file... DEPS target...): a libFuzzer target, built only where EDU_FUZZ is on, all of them by
# fuzz_targets.
function(edu_fuzz name)
  if(NOT EDU_FUZZ)
    return()
  endif()
  edu_program(${name} ${ARGN})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzz_targets)
    add_custom_target(fuzz_targets)
  endif()
  add_dependencies(fuzz_targets ${name})
endfunction()
