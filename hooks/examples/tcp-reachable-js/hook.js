// All servers of the wave accept a TCP connection. The same check, with the
// same answers to the same vectors, as ../tcp-reachable.

import probe from "tidegate:hooks/probe@1.0.0";

const KNOWN = ["port", "timeout-ms", "retry-ms"];

/** Decimal digits and nothing else, from 1 to `most`. */
function wholeNumber(parameters, name, most, byDefault) {
  const form = `write a whole number from 1 to ${most}`;
  const parameter = parameters.find((entry) => entry.name === name);
  if (parameter === undefined) {
    if (byDefault !== undefined) return byDefault;
    throw `the parameter "${name}" is missing; ${form}`;
  }
  const text = parameter.value;
  const number = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) {
    throw `the parameter "${name}" is ${JSON.stringify(text)}; ${form}`;
  }
  return number;
}

function settings(parameters) {
  const unknown = parameters.find((entry) => !KNOWN.includes(entry.name));
  if (unknown !== undefined) {
    throw `the parameter "${unknown.name}" is not known; known are: ${KNOWN.join(", ")}`;
  }
  return {
    port: wholeNumber(parameters, "port", 65535),
    timeoutMs: wholeNumber(parameters, "timeout-ms", 4294967295, 2000),
    retryMs: wholeNumber(parameters, "retry-ms", 4294967295, 15000),
  };
}

/** What a server is to the question, and the finding about it. */
function lookAt(server, { port, timeoutMs }) {
  const finding = (code, severity, message, evidence) => ({
    code,
    severity,
    subject: server.id,
    message,
    evidence,
  });
  switch (server.launch.tag) {
    case "failed":
      return { dead: true, finding: finding("not-launched", "error", server.launch.val, []) };
    case "pending": {
      const message = "its launch is under way";
      return { closed: true, finding: finding("launch-pending", "warning", message, []) };
    }
  }
  try {
    const target = { tag: "server", val: { server: server.id, port } };
    const { elapsedMs } = probe.tcp(target, timeoutMs);
    const evidence = [{ name: "elapsed-ms", value: String(elapsedMs) }];
    return { finding: finding("port-open", "info", "", evidence) };
  } catch (error) {
    // A probe that fails throws an error with what the contract calls a failure
    // as its payload; anything else is a mistake in this file.
    const failure = error.payload;
    if (failure?.problem === undefined) throw error;
    const evidence = [{ name: "problem", value: failure.problem }];
    return { closed: true, finding: finding("port-closed", "error", failure.message, evidence) };
  }
}

/** At most five names. */
function list(servers) {
  const names = servers.map((server) => server.hostname || server.id);
  if (names.length <= 5) return names.join(", ");
  return `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}

function decide(servers, looked, { port, retryMs }) {
  const all = servers.length;
  const dead = servers.filter((_, index) => looked[index].dead);
  const closed = servers.filter((_, index) => looked[index].closed);
  if (dead.length > 0) {
    const reason = `${dead.length} of ${all} servers did not launch: ${list(dead)}`;
    return { verdict: { tag: "hold" }, reason };
  }
  if (closed.length > 0) {
    const some = `${closed.length} of ${all} servers`;
    const reason = `port ${port} is closed on ${some}: ${list(closed)}`;
    return { verdict: { tag: "retry", val: retryMs }, reason };
  }
  const reason = `port ${port} is open on ${all} of ${all} servers`;
  return { verdict: { tag: "proceed" }, reason };
}

function check({ servers, parameters }) {
  const set = settings(parameters);
  if (servers.length === 0) {
    const message = "there is nothing to connect to";
    const finding = { code: "no-servers", severity: "warning", subject: "", message, evidence: [] };
    return { verdict: { tag: "hold" }, reason: "the wave has no servers", findings: [finding] };
  }
  const looked = servers.map((server) => lookAt(server, set));
  const findings = looked.map(({ finding }) => finding);
  return { ...decide(servers, looked, set), findings };
}

/**
 * What is thrown as a text is the hook's error. Anything else is a mistake in
 * this file, and is told with its place.
 */
function telling(call) {
  return (argument) => {
    try {
      return call(argument);
    } catch (error) {
      if (typeof error === "string") throw error;
      throw `${error} ${error?.stack ?? ""}`.trim();
    }
  };
}

export const hook = {
  accepts: telling((parameters) => void settings(parameters)),
  check: telling(check),
};
