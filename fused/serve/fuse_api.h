/* SPDX-License-Identifier: Apache-2.0 */
/* The one version of the libfuse API that this program is written for. */
#ifndef VCZFS_FUSED_SERVE_FUSE_API_H
#define VCZFS_FUSED_SERVE_FUSE_API_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#endif
