// All servers of the wave accept a TCP connection. The same check, with the
// same answers to the same vectors, as ../tcp-reachable.

#include "tidegate.h"

typedef tidegate_hooks_types_server_t server_t;
typedef tidegate_hooks_types_finding_t finding_t;
typedef exports_tidegate_hooks_hook_list_entry_t entries_t;

typedef struct {
    uint32_t port;
    uint32_t timeout_ms;
    uint32_t retry_ms;
} settings_t;

// What a server is to the question.
typedef enum { OPEN, CLOSED, DEAD } standing_t;

// Reads a parameter that is there. `error` is set if it is not a number.
static bool read(text name, text value, uint32_t most, uint32_t *into, text *error) {
    if (read_number(value, most, into)) return true;
    *error = JOIN(TEXT("the parameter \""), name, TEXT("\" is \""), value,
                  TEXT("\"; write a whole number from 1 to "), number(most));
    return false;
}

static bool read_settings(const entries_t *parameters, settings_t *settings, text *error) {
    *settings = (settings_t){.timeout_ms = 2000, .retry_ms = 15000};
    for (size_t i = 0; i < parameters->len; i++) {
        text name = parameters->ptr[i].name, value = parameters->ptr[i].value;
        if (same(name, TEXT("port"))) {
            if (!read(name, value, 65535, &settings->port, error)) return false;
        } else if (same(name, TEXT("timeout-ms"))) {
            if (!read(name, value, UINT32_MAX, &settings->timeout_ms, error)) return false;
        } else if (same(name, TEXT("retry-ms"))) {
            if (!read(name, value, UINT32_MAX, &settings->retry_ms, error)) return false;
        } else {
            *error = JOIN(TEXT("the parameter \""), name,
                          TEXT("\" is not known; known are: port, timeout-ms, retry-ms"));
            return false;
        }
    }
    if (settings->port != 0) return true;
    *error = TEXT("the parameter \"port\" is missing; write a whole number from 1 to 65535");
    return false;
}

static text problem_name(tidegate_hooks_probe_problem_t problem) {
    switch (problem) {
        case TIDEGATE_HOOKS_PROBE_PROBLEM_DENIED: return TEXT("denied");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_BUDGET: return TEXT("budget");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_UNRESOLVED: return TEXT("unresolved");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_REFUSED: return TEXT("refused");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_UNREACHABLE: return TEXT("unreachable");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_TIMED_OUT: return TEXT("timed-out");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_TLS: return TEXT("tls");
        case TIDEGATE_HOOKS_PROBE_PROBLEM_PROTOCOL: return TEXT("protocol");
    }
    __builtin_trap();
}

static void set_evidence(finding_t *finding, text name, text value) {
    tidegate_hooks_types_entry_t *entry = take(1, sizeof *entry);
    *entry = (tidegate_hooks_types_entry_t){name, value};
    finding->evidence = (tidegate_hooks_types_list_entry_t){entry, 1};
}

static standing_t look_at(const server_t *server, const settings_t *settings, finding_t *finding) {
    finding->subject = server->id;
    switch (server->launch.tag) {
        case TIDEGATE_HOOKS_TYPES_LAUNCH_FAILED:
            finding->code = TEXT("not-launched");
            finding->severity = TIDEGATE_HOOKS_TYPES_SEVERITY_ERROR;
            finding->message = server->launch.val.failed;
            return DEAD;
        case TIDEGATE_HOOKS_TYPES_LAUNCH_PENDING:
            finding->code = TEXT("launch-pending");
            finding->severity = TIDEGATE_HOOKS_TYPES_SEVERITY_WARNING;
            finding->message = TEXT("its launch is under way");
            return CLOSED;
    }
    tidegate_hooks_probe_target_t target = {
        .tag = TIDEGATE_HOOKS_PROBE_TARGET_SERVER,
        .val.server = {.server = server->id, .port = settings->port},
    };
    tidegate_hooks_probe_connection_t connection;
    tidegate_hooks_probe_failure_t failure;
    if (tidegate_hooks_probe_tcp(&target, settings->timeout_ms, &connection, &failure)) {
        finding->code = TEXT("port-open");
        finding->severity = TIDEGATE_HOOKS_TYPES_SEVERITY_INFO;
        set_evidence(finding, TEXT("elapsed-ms"), number(connection.elapsed_ms));
        return OPEN;
    }
    finding->code = TEXT("port-closed");
    finding->severity = TIDEGATE_HOOKS_TYPES_SEVERITY_ERROR;
    finding->message = failure.message;
    set_evidence(finding, TEXT("problem"), problem_name(failure.problem));
    return CLOSED;
}

// At most five names of the servers that are so.
static text list(const server_t *servers, const standing_t *standings, size_t all, standing_t so) {
    text names = TEXT("");
    size_t count = 0;
    for (size_t i = 0; i < all; i++) {
        if (standings[i] != so) continue;
        text name = servers[i].hostname.len > 0 ? servers[i].hostname : servers[i].id;
        if (count < 5) names = JOIN(names, count > 0 ? TEXT(", ") : TEXT(""), name);
        count++;
    }
    if (count <= 5) return names;
    return JOIN(names, TEXT(" and "), number((uint32_t)count - 5), TEXT(" more"));
}

static size_t count_of(const standing_t *standings, size_t all, standing_t so) {
    size_t count = 0;
    for (size_t i = 0; i < all; i++) count += standings[i] == so;
    return count;
}

static void decide(const server_t *servers, const standing_t *standings, size_t all,
                   const settings_t *settings, exports_tidegate_hooks_hook_report_t *report) {
    size_t dead = count_of(standings, all, DEAD), closed = count_of(standings, all, CLOSED);
    text of_all = JOIN(TEXT(" of "), number((uint32_t)all), TEXT(" servers"));
    text port = JOIN(TEXT("port "), number(settings->port));
    if (dead > 0) {
        report->verdict.tag = TIDEGATE_HOOKS_TYPES_VERDICT_HOLD;
        report->reason = JOIN(number((uint32_t)dead), of_all, TEXT(" did not launch: "),
                              list(servers, standings, all, DEAD));
    } else if (closed > 0) {
        report->verdict.tag = TIDEGATE_HOOKS_TYPES_VERDICT_RETRY;
        report->verdict.val.retry = settings->retry_ms;
        report->reason = JOIN(port, TEXT(" is closed on "), number((uint32_t)closed), of_all,
                              TEXT(": "), list(servers, standings, all, CLOSED));
    } else {
        report->verdict.tag = TIDEGATE_HOOKS_TYPES_VERDICT_PROCEED;
        report->reason = JOIN(port, TEXT(" is open on "), number((uint32_t)all), of_all);
    }
}

bool exports_tidegate_hooks_hook_accepts(entries_t *parameters, gate_string_t *error) {
    settings_t settings;
    return read_settings(parameters, &settings, error);
}

bool exports_tidegate_hooks_hook_check(exports_tidegate_hooks_hook_context_t *context,
                                       exports_tidegate_hooks_hook_report_t *report,
                                       gate_string_t *error) {
    settings_t settings;
    entries_t parameters = {context->parameters.ptr, context->parameters.len};
    if (!read_settings(&parameters, &settings, error)) return false;
    const server_t *servers = context->servers.ptr;
    size_t all = context->servers.len;
    *report = (exports_tidegate_hooks_hook_report_t){0};
    if (all == 0) {
        finding_t *finding = take(1, sizeof *finding);
        finding->code = TEXT("no-servers");
        finding->severity = TIDEGATE_HOOKS_TYPES_SEVERITY_WARNING;
        finding->message = TEXT("there is nothing to connect to");
        report->verdict.tag = TIDEGATE_HOOKS_TYPES_VERDICT_HOLD;
        report->reason = TEXT("the wave has no servers");
        report->findings = (tidegate_hooks_types_list_finding_t){finding, 1};
        return true;
    }
    finding_t *findings = take(all, sizeof *findings);
    standing_t *standings = take(all, sizeof *standings);
    for (size_t i = 0; i < all; i++) {
        standings[i] = look_at(&servers[i], &settings, &findings[i]);
    }
    report->findings = (tidegate_hooks_types_list_finding_t){findings, all};
    decide(servers, standings, all, &settings, report);
    return true;
}
