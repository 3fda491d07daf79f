/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_TLS_H
#define RPC_TLS_H

#include <grpc/grpc_security.h>

#include "proto/runtime/error.h"

/*
 * The credentials of a server with this certificate chain and this private key, both PEM files. What core
 * would only find when it binds, and would call a taken port, is found here: the error names the file that is
 * wrong and says what it lacks. A certificate that is not valid today is warned about. The caller releases
 * *ret.
 */
int tls_credentials(const char *certificate_path, const char *key_path, grpc_server_credentials **ret,
		    struct error *err) __attribute__((warn_unused_result));

#endif
