// All servers of the wave accept a TCP connection.
//
// tidegate/guest-c/gate.h says what a hook is told and what it can ask and
// answer; tidegate.h beside it has a few words for texts and memory.

#include "tidegate.h"

typedef tidegate_hooks_types_finding_t finding_t;
typedef exports_tidegate_hooks_hook_list_entry_t entries_t;

static bool read_port(const entries_t *parameters, uint32_t *port, text *error) {
    text value = TEXT("");
    find(parameters->ptr, parameters->len, TEXT("port"), &value);
    if (read_number(value, 65535, port)) return true;
    *error = JOIN(TEXT("the parameter \"port\" is \""), value,
                  TEXT("\"; write a whole number from 1 to 65535"));
    return false;
}

bool exports_tidegate_hooks_hook_accepts(entries_t *parameters, gate_string_t *error) {
    uint32_t port;
    return read_port(parameters, &port, error);
}

bool exports_tidegate_hooks_hook_check(exports_tidegate_hooks_hook_context_t *context,
                                       exports_tidegate_hooks_hook_report_t *report,
                                       gate_string_t *error) {
    uint32_t port;
    entries_t parameters = {context->parameters.ptr, context->parameters.len};
    if (!read_port(&parameters, &port, error)) return false;

    text closed = TEXT("");
    *report = (exports_tidegate_hooks_hook_report_t){0};
    report->findings.ptr = take(context->servers.len, sizeof(finding_t));
    for (size_t i = 0; i < context->servers.len; i++) {
        const tidegate_hooks_types_server_t *server = &context->servers.ptr[i];
        tidegate_hooks_probe_target_t target = {
            .tag = TIDEGATE_HOOKS_PROBE_TARGET_SERVER,
            .val.server = {.server = server->id, .port = port},
        };
        tidegate_hooks_probe_connection_t connection;
        tidegate_hooks_probe_failure_t failure;
        if (tidegate_hooks_probe_tcp(&target, 2000, &connection, &failure)) continue;
        report->findings.ptr[report->findings.len++] = (finding_t){
            .code = TEXT("port-closed"),
            .severity = TIDEGATE_HOOKS_TYPES_SEVERITY_ERROR,
            .subject = server->id,
            .message = failure.message,
        };
        text name = server->hostname.len > 0 ? server->hostname : server->id;
        closed = JOIN(closed, closed.len > 0 ? TEXT(", ") : TEXT(""), name);
    }
    if (report->findings.len == 0) {
        report->verdict.tag = TIDEGATE_HOOKS_TYPES_VERDICT_PROCEED;
        return true;
    }
    report->verdict.tag = TIDEGATE_HOOKS_TYPES_VERDICT_RETRY;
    report->verdict.val.retry = 15000;
    report->reason = JOIN(TEXT("port "), number(port), TEXT(" is closed on "), closed);
    return true;
}
