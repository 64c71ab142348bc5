/*
 * holders: who keeps a mount in use, as far as /proc tells, without touching the mount itself.
 */
#ifndef VCZFS_FUSED_HOLDERS_H
#define VCZFS_FUSED_HOLDERS_H

#include <stddef.h>

/* "1234 (plink2), 1240 (bash), and others" into text: processes with a file open or a directory of theirs below
 * `path`, a canonical directory. Of other users' processes only root learns. "" if none is found. */
void holders_text(const char *path, char *text, size_t size);

#endif
