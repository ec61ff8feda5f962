//! What a guest can call.

use super::{
    bindings::tidegate::hooks::{log, probe as wire, types},
    lift, lower,
};
use crate::{Answer, Probe, Request, host::state::State};

impl types::Host for State {}

impl wire::Host for State {
    async fn tcp(
        &mut self,
        target: wire::Target,
        timeout_ms: u32,
    ) -> wasmtime::Result<Result<wire::Connection, wire::Failure>> {
        let probe = Probe {
            target: lift::target(target)?,
            timeout_ms,
            request: Request::Tcp,
        };
        Ok(match self.probe(probe).await {
            Answer::Connected { elapsed_ms } => Ok(wire::Connection { elapsed_ms }),
            answer @ (Answer::Response(_) | Answer::Failed(_)) => Err(lower::failure(answer)),
        })
    }

    async fn http(
        &mut self,
        target: wire::Target,
        method: wire::Method,
        path: String,
        timeout_ms: u32,
    ) -> wasmtime::Result<Result<wire::Response, wire::Failure>> {
        let probe = Probe {
            target: lift::target(target)?,
            timeout_ms,
            request: Request::Http {
                method: lift::method(method),
                path: lift::path(path)?,
            },
        };
        Ok(match self.probe(probe).await {
            Answer::Response(response) => Ok(lower::response(response)),
            answer @ (Answer::Connected { .. } | Answer::Failed(_)) => Err(lower::failure(answer)),
        })
    }
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.log.write(lift::level(level), &message);
        Ok(())
    }
}
