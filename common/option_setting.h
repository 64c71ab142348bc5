/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_setting: the value given to one option of an output format, as the user typed it and as a
 * message carries it.
 */
#ifndef VCZFS_COMMON_OPTION_SETTING_H
#define VCZFS_COMMON_OPTION_SETTING_H

struct option_setting {
    const char *format; /* "bgen" */
    const char *key;    /* "pad-byte" */
    const char *value;  /* as typed; "" of a switch */
};

#endif
