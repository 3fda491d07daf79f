// SPDX-License-Identifier: Apache-2.0

//go:build tools

// protoc's plugins, so that go.mod says which.
package main

import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)
