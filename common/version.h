/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCZFS_COMMON_VERSION_H
#define VCZFS_COMMON_VERSION_H

#define VCZFS_VERSION "0.1.0"

#endif
