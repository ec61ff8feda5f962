//! The host's side in a native test: answers to probes, and the log.
//!
//! Each test thread has its own. Whole vectors, with the compiled component,
//! are run by `tidegate hook test`.
//!
//! ```
//! use tidegate_hook::{Server, probe::Connection, probe, testing};
//!
//! testing::on_tcp(|_target, _timeout_ms| Ok(Connection { elapsed_ms: 3 }));
//! let server = Server { id: "s-1".to_owned(), ..Server::default() };
//! assert!(probe::tcp(server.port(443)).connect().is_ok());
//! ```

use std::cell::RefCell;

use crate::{
    log::Level,
    probe::{Connection, Failure, Method, Response, Target},
};

type OnTcp = Box<dyn FnMut(&Target, u32) -> Result<Connection, Failure>>;
type OnHttp = Box<dyn FnMut(&Target, Method, &str, u32) -> Result<Response, Failure>>;

thread_local! {
    static ON_TCP: RefCell<Option<OnTcp>> = const { RefCell::new(None) };
    static ON_HTTP: RefCell<Option<OnHttp>> = const { RefCell::new(None) };
    static LOG: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Answers this thread's TCP probes from now on: of a target, within so many
/// milliseconds.
pub fn on_tcp(answer: impl FnMut(&Target, u32) -> Result<Connection, Failure> + 'static) {
    ON_TCP.with_borrow_mut(|slot| *slot = Some(Box::new(answer)));
}

/// Answers this thread's HTTP probes from now on: of a target, by a method, for
/// a path, within so many milliseconds.
pub fn on_http(
    answer: impl FnMut(&Target, Method, &str, u32) -> Result<Response, Failure> + 'static,
) {
    ON_HTTP.with_borrow_mut(|slot| *slot = Some(Box::new(answer)));
}

/// Takes what this thread has logged so far.
#[must_use]
pub fn take_log() -> Vec<(Level, String)> {
    LOG.take()
}

pub(crate) fn record(level: Level, message: &str) {
    LOG.with_borrow_mut(|log| log.push((level, message.to_owned())));
}

pub(crate) fn answer_tcp(target: &Target, timeout_ms: u32) -> Result<Connection, Failure> {
    ON_TCP.with_borrow_mut(|slot| match slot {
        Some(answer) => answer(target, timeout_ms),
        None => panic!("a test of {target:?} by TCP says first: testing::on_tcp(...)"),
    })
}

pub(crate) fn answer_http(
    target: &Target,
    method: Method,
    path: &str,
    timeout_ms: u32,
) -> Result<Response, Failure> {
    ON_HTTP.with_borrow_mut(|slot| match slot {
        Some(answer) => answer(target, method, path, timeout_ms),
        None => panic!("a test of {target:?} by HTTP says first: testing::on_http(...)"),
    })
}
