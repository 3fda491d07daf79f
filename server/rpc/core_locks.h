/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_CORE_LOCKS_H
#define RPC_CORE_LOCKS_H

/*
 * Debian builds Abseil, whose mutexes core uses, without NDEBUG, so that every lock taken while another is
 * held is looked up in one process-wide graph, under one spinlock, in search of cycles: some 10 % of a call's
 * CPU. This switches that search off where the library can be asked to; anywhere else it does nothing. Before
 * grpc_init().
 */
void core_locks_stop_checking(void);

#endif
