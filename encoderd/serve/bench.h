/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: what the encoder alone costs.
 *
 * Makes every span of a stream file in order, as for one reader who reads on, with the same workers
 * in the same arena, and gives each back as soon as it is there: no front, no socket, nobody who
 * reads the bytes.
 */
#ifndef VCZFS_SERVE_BENCH_H
#define VCZFS_SERVE_BENCH_H

#include "encoderd/serve/server.h"

/* `file` is a format's name, or the end of its stream's name (".bed"). Says what it took as one
 * JSON object on stdout. Returns an exit status. */
int bench_run(const char *file, const char *store, uint64_t bytes_max,
              const struct server_config *config);

#endif
