// All servers of the wave accept a TCP connection.
//
// tidegate/wit/v1 says what a hook is told and what it can ask and answer.
// Names are in camelCase here, variants are { tag, val }, enums are texts.

import probe from "tidegate:hooks/probe@1.0.0";

function port(parameters) {
  const text = parameters.find(({ name }) => name === "port")?.value ?? "";
  const number = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > 65535) {
    throw `the parameter "port" is ${JSON.stringify(text)}; write a whole number from 1 to 65535`;
  }
  return number;
}

function check({ servers, parameters }) {
  const wanted = port(parameters);
  const closed = [];
  const findings = [];
  for (const { id, hostname } of servers) {
    try {
      probe.tcp({ tag: "server", val: { server: id, port: wanted } }, 2000);
    } catch (error) {
      // The contract's failure. Any other error is a mistake in this file.
      const failure = error.payload;
      if (failure?.problem === undefined) throw error;
      const message = `${failure.problem}: ${failure.message}`;
      findings.push({ code: "port-closed", severity: "error", subject: id, message, evidence: [] });
      closed.push(hostname || id);
    }
  }
  if (closed.length === 0) return { verdict: { tag: "proceed" }, reason: "", findings };
  const reason = `port ${wanted} is closed on ${closed.join(", ")}`;
  return { verdict: { tag: "retry", val: 15000 }, reason, findings };
}

// What is thrown as a text is the hook's error. Anything else is a mistake in
// this file, and is told with its place.
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
  accepts: telling((parameters) => void port(parameters)),
  check: telling(check),
};
