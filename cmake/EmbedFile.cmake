# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=file -DOUTPUT=file.c -DHEADER=header.h -DNAME=name -P EmbedFile.cmake: a file's bytes as the
# `const struct span name` that the header declares.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"

static const uint8_t bytes[] = {
${hex}
};

const struct span ${NAME} = {bytes, sizeof(bytes)};
")
