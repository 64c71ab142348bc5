#include "encoderd/select/expr.h"

int expr_open(const char *text, const struct expr_context *context, struct expr **out,
              struct err *err)
{
    (void)text;
    *out = NULL;
    return err_set(err, ERR_UNSUPPORTED, "%s: vczfs has no expressions yet", context->option);
}
void expr_free(struct expr *expr)
{
    (void)expr;
}
uint64_t expr_stride(const struct expr *expr)
{
    (void)expr;
    return 1;
}
uint64_t expr_batch_max(const struct expr *expr)
{
    (void)expr;
    return 1;
}
struct expr_eval *expr_eval_new(const struct expr *expr, struct batch *batch, struct err *err)
{
    (void)expr, (void)batch;
    err_set(err, ERR_UNSUPPORTED, "vczfs has no expressions yet");
    return NULL;
}
void expr_eval_free(struct expr_eval *eval)
{
    (void)eval;
}
uint64_t expr_eval_end(const struct expr_eval *eval, uint64_t variant, uint64_t end)
{
    (void)eval, (void)variant;
    return end;
}
int expr_eval_run(struct expr_eval *eval, uint8_t *pass, struct err *err)
{
    (void)eval, (void)pass;
    return err_set(err, ERR_UNSUPPORTED, "vczfs has no expressions yet");
}
