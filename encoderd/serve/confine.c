/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/confine.h"

#include "common/log.h"
#include "encoderd/sandbox/sandbox.h"
#include "encoderd/serve/sidecar.h"
#include "encoderd/vcz/recognise.h"
#include "encoderd/zarr/store/spill.h"

#include <errno.h>
#include <unistd.h>

int confine_to(struct server *server, const char *store, bool follow_links, struct err *err)
{
    const struct sandbox sandbox = {.store = store, .follow_links = follow_links};

    if (server->temporary < 0)
        server->temporary = sidecar_open_temporary();
    if (server->spill == NULL)
        server->spill = spill_new(sidecar_open_temporary(), sidecar_temporary_dir(), 0);
    if (server->config.no_sandbox || server->sandboxed)
        return 0;
    if (access(store, F_OK) != 0 && recognise_path(store, err) != 0)
        return -1;
    if (access(store, F_OK) != 0)
        return err_sys(err, ERR_NOT_FOUND, errno, "no such store: %s", store);
    if (sandbox_enter(&sandbox, &server->lacks, err) != 0)
        return -1;
    /* Not before: after a request that failed, another store may be asked for. */
    server->sandboxed = true;
    if (server->lacks.failed)
        return err_nomem(err, "the server");
    if (server->lacks.len > 0)
        log_info("the sandbox is not whole: %.*s", (int)server->lacks.len,
                 (const char *)server->lacks.data);
    return 0;
}
