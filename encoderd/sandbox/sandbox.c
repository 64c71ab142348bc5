/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/sandbox/sandbox.h"

#include "common/log.h"
#include "encoderd/sandbox/sandbox_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_SANITIZER 1
#else
#define HAVE_SANITIZER 0
#endif

int sandbox_enter(const struct sandbox *sandbox, struct buf *missing, struct err *err)
{
    bool locked;

    if (HAVE_SANITIZER) {
        log_debug("built with sanitizers: no sandbox");
        return 0;
    }
    if (sandbox_drop_rights(sandbox, missing, err) != 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        sandbox_lacks(missing, "it may take new privileges on (%s)", strerror(errno));
    if (sandbox_lock_files(sandbox, &locked, missing, err) != 0)
        return -1;
    sandbox_filter_calls(locked, missing);
    return 0;
}
