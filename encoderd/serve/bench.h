/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: measures the encoder alone.
 *
 * Makes every span of a stream file in order, as for one sequential reader, with the same workers
 * and the same arena, and returns each as soon as it is ready. There is no front and no socket, and
 * the bytes are not read.
 */
#ifndef VCZFS_SERVE_BENCH_H
#define VCZFS_SERVE_BENCH_H

#include "encoderd/serve/server.h"

/* `file` is a format's name, or the end of its stream's name (".bed"). Prints the times as one JSON
 * object on stdout. Returns an exit status. */
int bench_run(const char *file, const char *store, uint64_t bytes_max,
              const struct server_config *config);

#endif
