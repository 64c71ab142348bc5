/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_setting: one option of one output format, as it was given and as it travels.
 */
#ifndef VCZFS_COMMON_OPTION_SETTING_H
#define VCZFS_COMMON_OPTION_SETTING_H

struct option_setting {
    const char *format; /* "bgen" */
    const char *key;    /* "pad-byte" */
    const char *value;  /* as typed; "" of a switch */
};

#endif
