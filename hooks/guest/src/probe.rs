//! What a hook can ask the world. It names a server and a port, or an endpoint
//! that the plan declares; the host knows the addresses and checks each.
//!
//! ```no_run
//! # use tidegate_hook::{Error, Server, probe};
//! # fn ask(server: &Server) -> Result<(), Error> {
//! probe::tcp(server.port(5432)).timeout_ms(2_000).connect()?;
//! let answer = probe::http(server.port(8080), "/healthz").timeout_ms(2_000).get()?;
//! let ledger = probe::http(probe::endpoint("ledger"), "/status").head()?;
//! # let _ = (answer, ledger);
//! # Ok(())
//! # }
//! ```

use std::fmt;

use crate::{Entries, bindings::generated::tidegate::hooks::probe as contract};

pub use contract::{Connection, Method, Problem};

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A server of this wave, or of one that it depends on.
    Server {
        /// Its id.
        server: String,
        /// A port that the plan grants.
        port: u16,
    },
    /// An endpoint that the plan declares, by its name.
    Endpoint(String),
}

impl Target {
    /// This port of the server with this id.
    #[must_use]
    pub fn server(id: impl Into<String>, port: u16) -> Self {
        Self::Server {
            server: id.into(),
            port,
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn to_contract(&self) -> contract::Target {
        match self {
            Self::Server { server, port } => contract::Target::Server(contract::ServerPort {
                server: server.clone(),
                port: u32::from(*port),
            }),
            Self::Endpoint(name) => contract::Target::Endpoint(name.clone()),
        }
    }
}

/// The endpoint that the plan declares by this name.
#[must_use]
pub fn endpoint(name: impl Into<String>) -> Target {
    Target::Endpoint(name.into())
}

/// A TCP connection, opened and closed again by [`Tcp::connect`].
pub fn tcp(target: Target) -> Tcp {
    Tcp {
        target,
        timeout_ms: 0,
    }
}

/// A request for this path, which begins with `/`, made by [`Http::get`] or
/// [`Http::head`]. A redirect is an answer like any other; it is not followed.
pub fn http(target: Target, path: impl Into<String>) -> Http {
    Http {
        target,
        path: path.into(),
        timeout_ms: 0,
    }
}

/// A connection to be made.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before connect()"]
pub struct Tcp {
    target: Target,
    timeout_ms: u32,
}

impl Tcp {
    /// How long it may take. Without, as long as the attempt has.
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// Why there is no connection.
    pub fn connect(self) -> Result<Connection, Failure> {
        #[cfg(target_arch = "wasm32")]
        let answer = contract::tcp(&self.target.to_contract(), self.timeout_ms)
            .map_err(Failure::from_contract);
        #[cfg(not(target_arch = "wasm32"))]
        let answer = crate::testing::answer_tcp(&self.target, self.timeout_ms);
        answer
    }
}

/// A request to be made.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before get() or head()"]
pub struct Http {
    target: Target,
    path: String,
    timeout_ms: u32,
}

impl Http {
    /// How long it may take. Without, as long as the attempt has.
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// Makes it by GET.
    ///
    /// # Errors
    /// Why there is no response. A response of any status is none.
    pub fn get(self) -> Result<Response, Failure> {
        self.send(Method::Get)
    }

    /// Makes it by HEAD: the response has no body.
    ///
    /// # Errors
    /// Why there is no response. A response of any status is none.
    pub fn head(self) -> Result<Response, Failure> {
        self.send(Method::Head)
    }

    #[cfg(target_arch = "wasm32")]
    fn send(self, method: Method) -> Result<Response, Failure> {
        contract::http(
            &self.target.to_contract(),
            method,
            &self.path,
            self.timeout_ms,
        )
        .map(Response::from_contract)
        .map_err(Failure::from_contract)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn send(self, method: Method) -> Result<Response, Failure> {
        crate::testing::answer_http(&self.target, method, &self.path, self.timeout_ms)
    }
}

/// An HTTP response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case. Of a name that came twice, the last.
    pub headers: Entries,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// Whether there was more of the body.
    pub truncated: bool,
    /// Until the response was read.
    pub elapsed_ms: u32,
}

impl Response {
    /// The body as text; what is not UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[cfg(target_arch = "wasm32")]
    fn from_contract(response: contract::Response) -> Self {
        Self {
            status: u16::try_from(response.status).unwrap_or(u16::MAX),
            headers: Entries::from_contract(response.headers),
            body: response.body,
            truncated: response.truncated,
            elapsed_ms: response.elapsed_ms,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which way.
    pub problem: Problem,
    /// For people.
    pub message: String,
}

impl Failure {
    /// The problem's name in the contract, such as `timed-out`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.problem {
            Problem::Denied => "denied",
            Problem::Budget => "budget",
            Problem::Unresolved => "unresolved",
            Problem::Refused => "refused",
            Problem::Unreachable => "unreachable",
            Problem::TimedOut => "timed-out",
            Problem::Tls => "tls",
            Problem::Protocol => "protocol",
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn from_contract(failure: contract::Failure) -> Self {
        Self {
            problem: failure.problem,
            message: failure.message,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            f.write_str(self.code())
        } else {
            write!(f, "{}: {}", self.code(), self.message)
        }
    }
}
